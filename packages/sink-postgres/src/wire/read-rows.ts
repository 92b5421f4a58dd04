import { Query, type QueryConfig } from 'pg';
import type { PostgresConnection } from '../postgres-client.ts';
import type { SqlRow } from './sql-values.ts';
import { createTimeSlice } from './time-slice.ts';

/** Stops reading whenever rows have held the event loop for a slice of time: Node reads on as long as the server sends. */
export function readRows(
  connection: PostgresConnection,
  config: QueryConfig,
  onRow: (row: SqlRow) => void,
): Promise<void> {
  const slice = createTimeSlice();
  let resting = false;
  const rest = async (): Promise<void> => {
    resting = true;
    connection.pauseReading();
    await slice.rest();
    resting = false;
    connection.resumeReading();
  };
  return new Promise((resolve, reject) => {
    const arrays = { ...config, rowMode: 'array' };
    const query = new Query<unknown[]>(arrays);
    let failure: Error | undefined;
    query.on('row', (row) => {
      // Thrown here it would end the host's process, for the driver emits from within the socket.
      try {
        if (failure === undefined) onRow(row as unknown as SqlRow);
        if (!resting && slice.due()) void rest();
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
      }
    });
    query.once('end', () => (failure === undefined ? resolve() : reject(failure)));
    query.once('error', reject);
    connection.expectLongAnswer();
    connection.client.query(query);
  });
}
