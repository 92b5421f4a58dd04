import { formatScope, SinkError, type Scope } from '@kollect/core';
import type { Difference } from './difference.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';

/** Throws DELETE_LIMIT where the export would delete more rows than `spec.maxDeletes` allows. */
export function refuseTooManyDeletes(
  spec: ResolvedPostgresSpec,
  scope: Scope,
  { stale, rowsBefore }: Pick<Difference, 'stale' | 'rowsBefore'>,
): void {
  const { maxDeletes } = spec;
  if (maxDeletes === undefined) return;
  const limit = 'rows' in maxDeletes ? maxDeletes.rows : (rowsBefore * maxDeletes.percent) / 100;
  if (stale.length <= limit) return;
  const allowed = 'rows' in maxDeletes ? `${maxDeletes.rows} rows` : `${maxDeletes.percent} % of ${rowsBefore} rows`;
  throw new SinkError(
    'DELETE_LIMIT',
    `The export of ${formatScope(scope)} would delete ${stale.length} of ${rowsBefore} rows, and maxDeletes allows ${allowed}. ` +
      'Nothing was written. If the snapshot is right, export it once with allowDeletes: true.',
    { sinkType: 'postgres', operation: 'export' },
  );
}
