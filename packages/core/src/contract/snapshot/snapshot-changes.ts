import { itemKey } from './merge-items.ts';
import type { InventorySnapshot, SealedItem } from './snapshot.ts';
import { compareItems } from './sort-items.ts';
import { createTimeSlices } from '../time-slices.ts';

/** What one snapshot of a scope holds otherwise than an older one, each list in canonical order. */
export interface SnapshotChanges {
  readonly inserted: readonly SealedItem[];
  /** As they are in the newer snapshot. */
  readonly updated: readonly SealedItem[];
  /** As they were in the older snapshot. */
  readonly deleted: readonly SealedItem[];
}

/**
 * Compares two snapshots of one scope, item by target name and UID, giving way to the event loop. An item that both share, as snapshots of one
 * `createInventory` do, costs the comparison of an address; any other that of its bytes. Throws ABORTED.
 */
export async function snapshotChanges(
  older: Pick<InventorySnapshot, 'items'>,
  newer: Pick<InventorySnapshot, 'items'>,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<SnapshotChanges> {
  const slices = createTimeSlices({ signal, operation: 'export' });
  const [before, after] = [older.items, newer.items];
  const gone: SealedItem[] = [];
  const come: SealedItem[] = [];
  const updated: SealedItem[] = [];
  let left = 0;
  let right = 0;
  for (let step = 1; left < before.length || right < after.length; step++) {
    if (step % 1024 === 0 && slices.due()) await slices.next();
    const shared = sharedFrom(before, left, after, right);
    left += shared;
    right += shared;
    // More may be shared, or both are at their end.
    if (shared > 0) continue;
    const old = before[left];
    const now = after[right];
    const order = compareEnds(old, now);
    if (order < 0) gone.push(old as SealedItem);
    else if (order > 0) come.push(now as SealedItem);
    else if (!sameBytes(old as SealedItem, now as SealedItem)) updated.push(now as SealedItem);
    if (order <= 0) left += 1;
    if (order >= 0) right += 1;
  }
  return renamed({ inserted: come, updated, deleted: gone });
}

/** How many items in a row both share, up to 1,024. */
function sharedFrom(before: readonly SealedItem[], left: number, after: readonly SealedItem[], right: number): number {
  const most = Math.min(1024, before.length - left, after.length - right);
  let count = 0;
  while (count < most && before[left + count] === after[right + count]) count += 1;
  return count;
}

/** What has come to its end is the last of all. */
function compareEnds(old: SealedItem | undefined, now: SealedItem | undefined): number {
  if (old === undefined) return 1;
  return now === undefined ? -1 : compareItems(old, now);
}

/** One that lies elsewhere in the order, since its name or version changed, is updated: its key is the same. */
function renamed(changes: SnapshotChanges): SnapshotChanges {
  if (changes.inserted.length === 0 || changes.deleted.length === 0) return changes;
  const gone = new Set(changes.deleted.map(itemKey));
  const moved = changes.inserted.filter((item) => gone.has(itemKey(item)));
  if (moved.length === 0) return changes;
  const kept = new Set(moved.map(itemKey));
  const without = (items: readonly SealedItem[]): SealedItem[] => items.filter((item) => !kept.has(itemKey(item)));
  return {
    inserted: without(changes.inserted),
    updated: [...changes.updated, ...moved].sort(compareItems),
    deleted: without(changes.deleted),
  };
}

function sameBytes(a: SealedItem, b: SealedItem): boolean {
  return Buffer.compare(a.json, b.json) === 0;
}
