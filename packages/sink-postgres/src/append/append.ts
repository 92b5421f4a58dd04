import { splitDocument, type ExportPlan, type ExportResult, type InventorySnapshot } from '@kollect/core';
import { binaryJsonb } from '../wire/binary-format.ts';
import { applied, superseded, unchanged } from '../upsert/export-results.ts';
import { createFence, scopeValues, type ScopeState } from '../upsert/fence.ts';
import type { PostgresMode } from '../postgres-mode.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import type { Session, SessionRunner } from '../wire/session.ts';
import { appendKey } from '../schema/table-layout.ts';
import { tableNames } from '../schema/table-names.ts';
import { requireAllRows } from '../schema/table-promises.ts';

/** A document beyond this takes several rows: PostgreSQL ends at 256 MiB, and memory long before. */
const maxDocumentBytes = 64 * 1024 * 1024;

/** `mode: append`: each snapshot becomes one row of an events table, however often its export is retried. */
export function createAppendMode(spec: ResolvedPostgresSpec, runner: SessionRunner): PostgresMode {
  const names = tableNames(spec);
  const fence = createFence(names, { mode: 'append', resyncIntervalMs: 0 });
  const insert = `
    INSERT INTO ${names.table} (cluster, inventory_namespace, inventory_name, generation, checksum, item_count, exported_at, part_index, part_total, document)
    VALUES ($1, $2, $3, $4::bigint, $5, $6::bigint, $7::timestamptz, $8::integer, $9::integer, $10::jsonb)
    ON CONFLICT (${appendKey.join(', ')}) DO NOTHING`;

  const isRepeat = (state: ScopeState, { checksum }: InventorySnapshot): boolean =>
    state.sameMoment && state.checksum === checksum;

  const insertParts = async (session: Session, snapshot: InventorySnapshot): Promise<ExportResult> => {
    const parts = splitDocument(snapshot, { maxBytes: maxDocumentBytes });
    let inserted = 0;
    let bytes = 0;
    for (const part of parts) {
      const { rowCount } = await session.query(insert, [
        ...scopeValues(snapshot),
        snapshot.generation,
        snapshot.checksum,
        part.itemCount,
        snapshot.exportedAt,
        part.partIndex,
        part.partTotal,
        binaryJsonb(part.bytes()),
      ]);
      inserted += rowCount;
      bytes += part.byteLength;
    }
    if (inserted < parts.length) {
      // They are there already where the row of the exports table was lost, and only then.
      const { rows } = await session.query(
        `SELECT count(*)::int FROM ${names.table}
         WHERE cluster = $1 AND inventory_namespace = $2 AND inventory_name = $3 AND exported_at = $4::timestamptz AND checksum = $5`,
        [...scopeValues(snapshot), snapshot.exportedAt, snapshot.checksum],
      );
      const done = Number(rows[0]?.[0]);
      await requireAllRows(session, { table: names.table, asked: parts.length, done, verb: 'written' });
    }
    return inserted === 0 ? unchanged(parts.length) : applied({ inserted }, { messages: inserted, bytes });
  };

  const apply = async (session: Session, snapshot: InventorySnapshot): Promise<ExportResult> => {
    const { exportedAt, generation, checksum, items } = snapshot;
    const state = await fence.lock(session, snapshot, { field: 'exportedAt', time: exportedAt });
    if (state.newer) return superseded;
    if (isRepeat(state, snapshot)) return unchanged(1);
    const result = await insertParts(session, snapshot);
    await fence.record(session, snapshot, {
      exportedAt,
      generation,
      checksum,
      itemCount: items.length,
      removed: false,
      resynced: false,
    });
    return result;
  };

  return {
    export: (scope, snapshot) => runner.transaction(scope, (session) => apply(session, snapshot)),

    rehearse: async (session, snapshot) => void (await apply(session, snapshot)),

    plan: (scope, snapshot) =>
      runner.transaction(
        scope,
        async (session): Promise<ExportPlan> => {
          const state = await fence.look(session, snapshot, { field: 'exportedAt', time: snapshot.exportedAt });
          const samples = { inserted: [], updated: [], deleted: [] };
          if (state?.newer === true) return { outcome: 'superseded', counts: superseded.counts, samples };
          if (state !== undefined && isRepeat(state, snapshot))
            return { outcome: 'unchanged', counts: unchanged(1).counts, samples };
          const inserted = splitDocument(snapshot, { maxBytes: maxDocumentBytes }).length;
          return { outcome: 'applied', counts: applied({ inserted }, { messages: 0, bytes: 0 }).counts, samples };
        },
        { readOnly: true },
      ),

    /** History stays: the removal only fences the scope against older snapshots. */
    removeInventory: (scope, inventory, removedAt) =>
      runner.transaction(scope, async (session) => {
        const state = await fence.lock(session, inventory, { field: 'removedAt', time: removedAt });
        if (state.newer) return state.held ? superseded : unchanged(0);
        await fence.record(session, inventory, {
          exportedAt: removedAt,
          generation: 0,
          checksum: null,
          itemCount: 0,
          removed: true,
          resynced: false,
        });
        return state.held ? applied({}, { messages: 1, bytes: 0 }) : unchanged(0);
      }),
  };
}
