import { SinkError, type ExportResult, type InventorySnapshot } from '@kollect/core';
import type { OperationScope } from '@kollect/core/authoring';
import { refuseTooManyDeletes } from './delete-limit.ts';
import { applyDelta, createAppliedSnapshots, isAt, type Delta } from './delta.ts';
import { changedItems, createDifferences } from './difference.ts';
import { applied, superseded, unchanged } from './export-results.ts';
import { createFence } from './fence.ts';
import type { PostgresMode } from '../postgres-mode.ts';
import { sqlStateOf } from '../postgres-errors.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import { ownerConflict, rowsUnderName } from './row-owners.ts';
import { explainRefusal } from './explain-refusal.ts';
import type { RefusedItems } from './refused-items.ts';
import { createRowWrites, type UpsertOptions, type WrittenRows } from './row-writes.ts';
import { removeRows } from './remove-rows.ts';
import type { Session, SessionRunner } from '../wire/session.ts';
import { requireAllRows } from '../schema/table-promises.ts';
import { tableNames } from '../schema/table-names.ts';
import { planUpsert } from './upsert-plan.ts';

/** `mode: upsert`: the table equals the last snapshot, and an export touches only the rows that differ. */
export function createUpsertMode(spec: ResolvedPostgresSpec, runner: SessionRunner): PostgresMode {
  const names = tableNames(spec);
  const fence = createFence(names, spec);
  const differences = createDifferences(names, { softDeletes: spec.deletes === 'soft' });
  const writes = createRowWrites(names, spec);
  const appliedBefore = createAppliedSnapshots();

  const apply = async (
    session: Session,
    snapshot: InventorySnapshot,
    { allowDeletes, onRefused, delta }: ApplyOptions,
  ): Promise<ExportResult> => {
    const { exportedAt, generation, items } = snapshot;
    const state = await fence.lock(session, snapshot, { field: 'exportedAt', time: exportedAt });
    if (state.newer) return superseded;
    // After a snapshot with incomplete targets the table may hold more than the snapshot did, so its checksum says nothing.
    const checksum = snapshot.incompleteTargets.length === 0 ? snapshot.checksum : null;
    const record = (resynced: boolean, kept: string | null): Promise<void> =>
      fence.record(session, snapshot, {
        exportedAt,
        generation,
        checksum: kept,
        itemCount: items.length,
        removed: false,
        resynced,
      });
    if (state.checksum === snapshot.checksum && state.sameStorage && !state.resyncDue) {
      await record(false, state.checksum);
      return unchanged(items.length);
    }
    if (delta !== undefined && isAt(delta, state)) {
      const options = { allowDeletes, triggers: state.triggers, onRefused };
      const result = await applyDelta(session, { spec, names, writes }, snapshot, delta, options);
      if (result !== undefined) {
        await record(false, checksum);
        return result;
      }
    }
    const rows = await rowsUnderName(session, names, snapshot);
    if (!rows.own && (spec.clusterInKey || !rows.foreign)) {
      const written =
        items.length === 0 ? undefined : await fill(session, snapshot, { triggers: state.triggers, onRefused });
      await record(true, checksum);
      return written === undefined ? unchanged(0) : applied({ inserted: written.rows }, written);
    }
    const compare = state.resyncDue ? differences.byKey : differences.byDigest;
    const difference = await compare(session, snapshot);
    refuseTooManyDeletes(spec, snapshot, difference, { allowDeletes, items: items.length });
    const written = await writes.upsert(session, snapshot, changedItems(items, difference), {
      skipEqual: state.resyncDue,
      triggers: state.triggers,
      onRefused,
    });
    const deleted = await writes.remove(session, snapshot, difference.stale);
    if (state.resyncDue) {
      const left = await differences.byDigest(session, snapshot);
      const asked = left.inserted + left.updated + left.stale.count;
      await requireAllRows(session, { table: names.table, asked, done: 0, verb: 'written' });
    }
    await record(state.resyncDue, checksum);
    // Counted by what was alive before: a soft-deleted row that is written counts as inserted.
    const { inserted } = difference;
    const updated = written.rows - inserted;
    const untouched = items.length - inserted - updated;
    if (inserted + updated + deleted === 0) return unchanged(untouched);
    return applied({ inserted, updated, deleted, unchanged: untouched }, written);
  };

  // What COPY stored cannot be compared with what was sent, and triggers may have changed it.
  const fill = (
    session: Session,
    snapshot: InventorySnapshot,
    options: Pick<UpsertOptions, 'triggers' | 'onRefused'>,
  ): Promise<WrittenRows> =>
    options.triggers
      ? writes.upsert(session, snapshot, snapshot.items, { ...options, skipEqual: false })
      : writes.copy(session, snapshot, options);

  const exportInTransaction = async (
    scope: OperationScope,
    snapshot: InventorySnapshot,
    applying: Omit<ApplyOptions, 'onRefused'>,
  ): Promise<ExportResult> => {
    let refused: RefusedItems | undefined;
    const onRefused = (found: RefusedItems): void => void (refused = found);
    try {
      return await runner.transaction(scope, (session) =>
        apply(session, snapshot, { ...applying, onRefused }).catch(rethrowForeignKey),
      );
    } catch (thrown) {
      if (!SinkError.isInstance(thrown)) throw thrown;
      const error =
        refused === undefined ||
        scope.ended !== undefined ||
        (thrown.code === 'CONFLICT' && refused.sqlState !== '23505')
          ? thrown
          : await explainRefusal(thrown, refused, { runner, scope, names, writes, snapshot });
      if (error.code !== 'CONFLICT') throw error;
      throw await runner
        .transaction(scope, (session) => ownerConflict(session, names, snapshot), { readOnly: true })
        .catch(() => error);
    }
  };

  return {
    async export(scope, snapshot, { allowDeletes }) {
      const delta = await appliedBefore.deltaTo(snapshot, scope.signal);
      // Where this sink applied another snapshot last, the scope will hardly hold this one.
      if (delta === undefined) {
        const { rowCount } = await runner.statement(scope, fence.advance(snapshot));
        if (rowCount > 0) {
          appliedBefore.remember(snapshot);
          return unchanged(snapshot.items.length);
        }
      }
      const result = await exportInTransaction(scope, snapshot, { allowDeletes, delta });
      if (result.outcome !== 'superseded') appliedBefore.remember(snapshot);
      return result;
    },
    async plan(scope, snapshot, options) {
      const delta = await appliedBefore.deltaTo(snapshot, scope.signal);
      return planUpsert({ spec, names, fence, differences, writes, runner, delta }, scope, snapshot, options);
    },
    rehearse: async (session, snapshot) => {
      const options = { allowDeletes: true, onRefused: () => undefined };
      await apply(session, snapshot, options).catch(rethrowForeignKey);
    },
    removeInventory: (scope, inventory, removedAt) =>
      removeRows({ spec, names, fence, runner }, scope, inventory, removedAt),
  };
}

interface ApplyOptions {
  readonly allowDeletes: boolean;
  readonly delta?: Delta | undefined;
  readonly onRefused: (refused: RefusedItems) => void;
}

/** The upsert sets `cluster` to NULL rather than take over another cluster's row; the constraint that refuses it is this conflict. */
function rethrowForeignKey(error: unknown): never {
  if (sqlStateOf(error) === '23502' && (error as { column?: unknown }).column === 'cluster') {
    throw new SinkError('CONFLICT', 'A row under one of the keys belongs to another cluster. Nothing was written.', {
      sinkType: 'postgres',
      operation: 'export',
    });
  }
  throw error;
}
