import { createInventory, type Inventory, type Item, type Scope } from '@kollect/core';
import { benchScope } from './workload.ts';

/** What informers tell from one cycle to the next. */
export interface Told {
  readonly set: readonly Item[];
  readonly gone: readonly Item[];
}

/** What is told when the items before become those after; items that stay are the same objects. */
export function toldBetween(before: readonly Item[], after: readonly Item[]): Told {
  const [known, kept] = [new Set(before), new Set(after.map(({ uid }) => uid))];
  return { set: after.filter((item) => !known.has(item)), gone: before.filter(({ uid }) => !kept.has(uid)) };
}

/** An inventory that holds the items. */
export function keepItems(items: readonly Item[], scope: Scope = benchScope): Inventory {
  const inventory = createInventory(scope);
  for (const item of items) inventory.set(item);
  return inventory;
}

export function tell(inventory: Inventory, { set, gone }: Told): void {
  for (const item of set) inventory.set(item);
  for (const { targetNamespace, targetName, uid } of gone)
    inventory.delete({ target: { namespace: targetNamespace, name: targetName }, uid });
}
