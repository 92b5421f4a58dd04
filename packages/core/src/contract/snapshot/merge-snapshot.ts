import { hashItems } from './seal-snapshot.ts';
import type { InventorySnapshot, SealedItem } from './snapshot.ts';
import { sortItems } from './sort-items.ts';
import type { TimeSlices } from '../time-slices.ts';

/** The snapshot with items of its incomplete targets that it lacks itself, as if it had been sealed with them. */
export async function withCarriedItems(
  snapshot: InventorySnapshot,
  carried: readonly SealedItem[],
  slices: TimeSlices,
): Promise<InventorySnapshot> {
  if (carried.length === 0) return snapshot;
  const items = await sortItems([...snapshot.items, ...carried], slices);
  const separators = carried.length - (snapshot.items.length === 0 ? 1 : 0);
  const itemsByteLength =
    snapshot.itemsByteLength + separators + carried.reduce((sum, { json }) => sum + json.byteLength, 0);
  const checksum = await hashItems(items, itemsByteLength, slices);
  return Object.freeze({ ...snapshot, checksum, items: Object.freeze(items), itemsByteLength });
}
