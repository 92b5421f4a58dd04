import type { ExportResult, Scope } from '@kollect/core';
import type { OperationScope } from '@kollect/core/authoring';
import { applied, superseded, unchanged } from './export-results.ts';
import { scopeValues, type Fence } from './fence.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import type { SessionRunner } from '../wire/session.ts';
import type { TableNames } from '../schema/table-names.ts';
import { requireAllRows } from '../schema/table-promises.ts';

interface Removing {
  readonly spec: ResolvedPostgresSpec;
  readonly names: TableNames;
  readonly fence: Fence;
  readonly runner: SessionRunner;
}

/** Deletes the scope's rows, or marks them. Its row of the exports table stays as the fence against exports older than the removal. */
export async function removeRows(
  { spec, names, fence, runner }: Removing,
  scope: OperationScope,
  inventory: Scope,
  removedAt: string,
): Promise<ExportResult> {
  return runner.transaction(scope, async (session) => {
    const state = await fence.lock(session, inventory, { field: 'removedAt', time: removedAt });
    // An older removal of what is gone already has nothing to do.
    if (state.newer) return state.held ? superseded : unchanged(0);
    const ofScope = 'cluster = $1 AND inventory_namespace = $2 AND inventory_name = $3';
    const { rowCount } =
      spec.deletes === 'soft'
        ? await session.query(
            `UPDATE ${names.table} SET deleted_at = $4::timestamptz, exported_at = $4::timestamptz WHERE ${ofScope} AND deleted_at IS NULL`,
            [...scopeValues(inventory), removedAt],
          )
        : await session.query(`DELETE FROM ${names.table} WHERE ${ofScope}`, scopeValues(inventory));
    const alive = spec.deletes === 'soft' ? ' AND deleted_at IS NULL' : '';
    const { rows } = await session.query(
      `SELECT count(*)::int FROM ${names.table} WHERE ${ofScope}${alive}`,
      scopeValues(inventory),
    );
    const left = Number(rows[0]?.[0]);
    await requireAllRows(session, { table: names.table, asked: rowCount + left, done: rowCount, verb: 'deleted' });
    await fence.record(session, inventory, {
      exportedAt: removedAt,
      generation: 0,
      checksum: null,
      itemCount: 0,
      removed: true,
      resynced: false,
    });
    return rowCount === 0 ? unchanged(0) : applied({ deleted: rowCount }, { messages: 1, bytes: 0 });
  });
}
