import type { Client } from 'pg';
import { SinkError } from '@kollect/core';
import { formatServerAddress, type OperationScope, type ServerAddress } from '@kollect/core/authoring';

interface WritableOptions {
  readonly scope: OperationScope;
  readonly timeoutMs: number;
}

/** Ends the connection and throws UNAVAILABLE where the server takes no writes: a standby, or one that is told to be read-only. */
export async function requireWritable(
  connection: { readonly client: Client; destroy(): void },
  server: ServerAddress,
  { scope, timeoutMs }: WritableOptions,
): Promise<void> {
  const doing = `asking ${formatServerAddress(server)} whether it takes writes`;
  try {
    const { rows } = await scope.step({ doing, timeoutMs }, () =>
      connection.client.query<{ readonly standby: boolean; readonly readOnly: string }>(
        `SELECT pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.current_setting('transaction_read_only') AS "readOnly"`,
      ),
    );
    const [{ standby, readOnly } = { standby: true, readOnly: 'on' }] = rows;
    if (!standby && readOnly === 'off') return;
    throw new SinkError(
      'UNAVAILABLE',
      `${formatServerAddress(server)} is ${standby ? 'a standby' : 'read-only'}, and the sink needs a server that takes writes.`,
      { sinkType: 'postgres', operation: scope.operation },
    );
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
