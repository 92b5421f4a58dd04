import type { Table, TableScope } from './table-sink.fixture.ts';

/** Row by row, where a reader and an abort come in between. */
export async function commitRowByRow(
  table: Table,
  key: string,
  next: TableScope,
  pause: () => Promise<void>,
): Promise<void> {
  const rows = new Map(table.scopes.get(key)?.rows);
  let written = 0;
  for (const [rowKey, row] of next.rows) {
    rows.set(rowKey, row);
    table.scopes.set(key, { ...next, rows });
    written += 1;
    if (written % 50 === 0) await pause();
  }
  table.scopes.set(key, next);
}
