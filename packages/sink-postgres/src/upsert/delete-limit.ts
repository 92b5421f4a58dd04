import { formatScope, SinkError, type Scope } from '@kollect/core';
import type { StaleRows } from './difference.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';

/** From how many rows on an export may not leave none, where nobody said that it may. */
const manyRows = 10;

export interface DeleteLimit {
  readonly allowDeletes: boolean;
  /** Items that the snapshot holds. */
  readonly items: number;
}

/** Throws DELETE_LIMIT where the export would delete more rows than `spec.maxDeletes` allows: without one, all of ten or more. */
export function refuseTooManyDeletes(
  { maxDeletes }: Pick<ResolvedPostgresSpec, 'maxDeletes'>,
  scope: Scope,
  { stale: { count }, rowsBefore }: { readonly stale: Pick<StaleRows, 'count'>; readonly rowsBefore: number },
  { allowDeletes, items }: DeleteLimit,
): void {
  if (allowDeletes) return;
  const refuse = (why: string, remedy: string): never => {
    throw new SinkError(
      'DELETE_LIMIT',
      `The export of ${formatScope(scope)} would delete ${count} of ${rowsBefore} rows, ${why}. Nothing was written. ${remedy}`,
      { sinkType: 'postgres', operation: 'export', remedy },
    );
  };
  const once = 'If the snapshot is right, export it once with allowDeletes: true.';
  if (maxDeletes === undefined) {
    if (items > 0 || count < rowsBefore || rowsBefore < manyRows) return;
    refuse(
      'which looks like a collector that has not seen anything yet',
      `${once} Where inventories become empty all the time, set maxDeletes: '100%'.`,
    );
    return;
  }
  const limit = 'rows' in maxDeletes ? maxDeletes.rows : (rowsBefore * maxDeletes.percent) / 100;
  if (count <= limit) return;
  const allowed = 'rows' in maxDeletes ? `${maxDeletes.rows} rows` : `${maxDeletes.percent} % of ${rowsBefore} rows`;
  refuse(`and maxDeletes allows ${allowed}`, once);
}
