import type { ExportPlan, InventorySnapshot, ItemKey, SealedItem } from '@kollect/core';
import type { OperationScope } from '@kollect/core/authoring';
import type { DeletePermission } from '../postgres-mode.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import type { TableNames } from '../schema/table-names.ts';
import type { Session, SessionRunner } from '../wire/session.ts';
import { refuseTooManyDeletes } from './delete-limit.ts';
import { isAt, staleSince, type Delta } from './delta.ts';
import { insert, sampleSize, same, update, type Difference, type Differences, type StaleRows } from './difference.ts';
import { applied, superseded, unchanged } from './export-results.ts';
import type { Fence } from './fence.ts';
import { heldByOthers, ownerConflict, rowsUnderName } from './row-owners.ts';
import type { RowWrites } from './row-writes.ts';

interface Planning {
  readonly spec: ResolvedPostgresSpec;
  readonly names: TableNames;
  readonly fence: Fence;
  readonly differences: Differences;
  readonly writes: RowWrites;
  readonly runner: SessionRunner;
  readonly delta: Delta | undefined;
}

const noSamples = { inserted: [], updated: [], deleted: [] };

/**
 * What an export would answer, found out in a read-only transaction that sees one moment of the store: its outcome and counts, or the error that it
 * would reject with.
 */
export async function planUpsert(
  { spec, names, fence, differences, writes, runner, delta }: Planning,
  scope: OperationScope,
  snapshot: InventorySnapshot,
  { allowDeletes }: DeletePermission,
): Promise<ExportPlan> {
  const { items, checksum, exportedAt } = snapshot;

  const run = async (session: Session): Promise<ExportPlan> => {
    const state = await fence.look(session, snapshot, { field: 'exportedAt', time: exportedAt });
    if (state?.newer === true) return { outcome: 'superseded', counts: superseded.counts, samples: noSamples };
    if (state !== undefined && state.checksum === checksum && state.sameStorage && !state.resyncDue)
      return { outcome: 'unchanged', counts: unchanged(items.length).counts, samples: noSamples };
    if (delta !== undefined && state !== undefined && isAt(delta, state)) {
      const stale = await staleSince(session, { spec, names }, snapshot, delta);
      if (stale !== undefined) return plannedSince(session, delta, stale);
    }
    const rows = await rowsUnderName(session, names, snapshot);
    if (!rows.own && (spec.clusterInKey || !rows.foreign)) return filled(items);
    const resync = state === undefined ? spec.resyncIntervalMs > 0 : state.resyncDue;
    const difference = resync
      ? await byContent(session, await differences.byKey(session, snapshot))
      : await differences.byDigest(session, snapshot);
    refuseTooManyDeletes(spec, snapshot, difference, { allowDeletes, items: items.length });
    if (!spec.clusterInKey && rows.foreign)
      await refuseForeignKeys(
        session,
        items.filter((_, index) => difference.states[index] === insert),
      );
    return planned(items, difference);
  };
  return runner.transaction(scope, run, { readOnly: true });

  /** By key alone every row that is there counts as to be updated. */
  async function byContent(session: Session, difference: Difference): Promise<Difference> {
    const there: number[] = [];
    for (const [index, state] of difference.states.entries()) if (state === update) there.push(index);
    const candidates = there.flatMap((index) => items[index] ?? []);
    const differing = await writes.differing(session, snapshot, candidates);
    for (const index of there) difference.states[index] = same;
    for (const found of differing) difference.states[there[found] ?? -1] = update;
    return { ...difference, updated: differing.length };
  }

  async function plannedSince(session: Session, { base, changes }: Delta, stale: StaleRows): Promise<ExportPlan> {
    refuseTooManyDeletes(
      spec,
      snapshot,
      { stale, rowsBefore: base.items.length },
      { allowDeletes, items: items.length },
    );
    if (!spec.clusterInKey && changes.inserted.length > 0) await refuseForeignKeys(session, changes.inserted);
    const [inserted, updated] = [changes.inserted.length, changes.updated.length];
    const counts = { inserted, updated, deleted: stale.count, unchanged: items.length - inserted - updated };
    const first = (some: readonly SealedItem[]): ItemKey[] => some.slice(0, sampleSize).map(keyOfItem);
    const samples = { inserted: first(changes.inserted), updated: first(changes.updated), deleted: stale.samples };
    return { outcome: inserted + updated + stale.count === 0 ? 'unchanged' : 'applied', counts, samples };
  }

  async function refuseForeignKeys(session: Session, added: readonly SealedItem[]): Promise<void> {
    if (await heldByOthers(session, names, snapshot, added)) throw await ownerConflict(session, names, snapshot);
  }
}

function filled(items: readonly SealedItem[]): ExportPlan {
  const { outcome, counts } =
    items.length === 0 ? unchanged(0) : applied({ inserted: items.length }, { messages: 0, bytes: 0 });
  return { outcome, counts, samples: { ...noSamples, inserted: items.slice(0, sampleSize).map(keyOfItem) } };
}

function planned(items: readonly SealedItem[], { states, inserted, updated, stale }: Difference): ExportPlan {
  const first = (wanted: number): ItemKey[] => {
    const samples: ItemKey[] = [];
    for (
      let index = states.indexOf(wanted);
      index >= 0 && samples.length < sampleSize;
      index = states.indexOf(wanted, index + 1)
    ) {
      const item = items[index];
      if (item !== undefined) samples.push(keyOfItem(item));
    }
    return samples;
  };
  const counts = { inserted, updated, deleted: stale.count, unchanged: items.length - inserted - updated };
  const outcome = inserted + updated + stale.count === 0 ? 'unchanged' : 'applied';
  return { outcome, counts, samples: { inserted: first(insert), updated: first(update), deleted: stale.samples } };
}

function keyOfItem({ targetName, uid }: ItemKey): ItemKey {
  return { targetName, uid };
}
