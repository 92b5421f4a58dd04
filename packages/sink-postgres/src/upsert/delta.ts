import { snapshotChanges, type ExportResult, type InventorySnapshot, type SnapshotChanges } from '@kollect/core';
import { incompleteTargetTest, snapshotOrigin } from '@kollect/core/authoring';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import type { Session } from '../wire/session.ts';
import type { TableNames } from '../schema/table-names.ts';
import { refuseTooManyDeletes } from './delete-limit.ts';
import { sampleSize, type StaleRows } from './difference.ts';
import { applied, unchanged } from './export-results.ts';
import type { ScopeState } from './fence.ts';
import { placeLength, placesOf } from './row-places.ts';
import type { RowWrites, UpsertOptions } from './row-writes.ts';

/** What is new since a snapshot that this sink applied. */
export interface Delta {
  readonly base: InventorySnapshot;
  readonly changes: SnapshotChanges;
}

/** What this sink applied last of each inventory that its host keeps. */
export interface AppliedSnapshots {
  remember(snapshot: InventorySnapshot): void;
  /** Undefined where all that is known is the snapshot itself. */
  deltaTo(snapshot: InventorySnapshot, signal: AbortSignal): Promise<Delta | undefined>;
}

export function createAppliedSnapshots(): AppliedSnapshots {
  const last = new WeakMap<object, InventorySnapshot>();
  return {
    remember(snapshot) {
      const origin = snapshotOrigin(snapshot);
      if (origin === undefined) return;
      if (snapshot.incompleteTargets.length > 0) last.delete(origin);
      else last.set(origin, snapshot);
    },
    async deltaTo(snapshot, signal) {
      const origin = snapshotOrigin(snapshot);
      const base = origin === undefined ? undefined : last.get(origin);
      if (base === undefined || base.checksum === snapshot.checksum) return undefined;
      return { base, changes: await snapshotChanges(base, snapshot, { signal }) };
    },
  };
}

/** True where the table equals the base by the argument by which a snapshot with the scope's checksum is `unchanged`. */
export function isAt({ base }: Delta, { checksum, sameStorage, resyncDue, held }: ScopeState): boolean {
  return held && sameStorage && !resyncDue && checksum === base.checksum;
}

export interface DeltaOptions extends Pick<UpsertOptions, 'triggers' | 'onRefused'> {
  readonly allowDeletes: boolean;
}

/** Rows to delete; undefined where one that should go is not there, since somebody edited the table. */
export async function staleSince(
  session: Session,
  { spec, names }: { readonly spec: ResolvedPostgresSpec; readonly names: TableNames },
  snapshot: InventorySnapshot,
  { base, changes }: Delta,
): Promise<StaleRows | undefined> {
  const isIncomplete = incompleteTargetTest(snapshot.incompleteTargets);
  const gone = changes.deleted.filter((item) => !isIncomplete(item));
  const places = await placesOf(session, names, snapshot, gone, { softDeletes: spec.deletes === 'soft' });
  if (places.length < gone.length * placeLength) return undefined;
  const isEverything = snapshot.items.length === 0 && gone.length === base.items.length;
  const samples = gone.slice(0, sampleSize).map(({ targetName, uid }) => ({ targetName, uid }));
  return { count: gone.length, places: isEverything ? undefined : places, samples };
}

/** Writes what changed alone; undefined, and nothing written, where the table is not the one that the base left. */
export async function applyDelta(
  session: Session,
  {
    spec,
    names,
    writes,
  }: { readonly spec: ResolvedPostgresSpec; readonly names: TableNames; readonly writes: RowWrites },
  snapshot: InventorySnapshot,
  { base, changes }: Delta,
  { allowDeletes, ...options }: DeltaOptions,
): Promise<ExportResult | undefined> {
  const stale = await staleSince(session, { spec, names }, snapshot, { base, changes });
  if (stale === undefined) return undefined;
  const rowsBefore = base.items.length;
  refuseTooManyDeletes(spec, snapshot, { stale, rowsBefore }, { allowDeletes, items: snapshot.items.length });
  const [inserted, updated] = [changes.inserted.length, changes.updated.length];
  const come = [...changes.inserted, ...changes.updated];
  const written = await writes.upsert(session, snapshot, come, { ...options, skipEqual: false });
  const deleted = await writes.remove(session, snapshot, stale);
  const untouched = snapshot.items.length - inserted - updated;
  if (inserted + updated + deleted === 0) return unchanged(untouched);
  return applied({ inserted, updated, deleted, unchanged: untouched }, written);
}
