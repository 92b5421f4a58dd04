import type { InventorySnapshot } from './snapshot.ts';

/** By the list of items, which every copy of a snapshot has. An inventory that its host let go takes what is kept under it along. */
const origins = new WeakMap<InventorySnapshot['items'], object>();

export function markOrigin(items: InventorySnapshot['items'], inventory: object): void {
  origins.set(items, inventory);
}

/**
 * What stands for the inventory of `createInventory` that sealed the snapshot; undefined for any other snapshot. Snapshots of one inventory share
 * their items, so that a sink may keep the last one under this in a WeakMap, nearly for nothing, and ask `snapshotChanges` what is new.
 */
export function snapshotOrigin({ items }: Pick<InventorySnapshot, 'items'>): object | undefined {
  return origins.get(items);
}
