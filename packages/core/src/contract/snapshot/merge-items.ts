import { incompleteTargetTest } from './incomplete-targets.ts';
import type { Item, ItemIdentity } from './snapshot.ts';
import { compareItems } from './sort-items.ts';

/** Under which key a snapshot holds an item once: target and UID. */
export function itemKey({ targetName, uid }: Pick<ItemIdentity, 'targetName' | 'uid'>): string {
  return JSON.stringify([targetName, uid]);
}

/** What a snapshot or a document holds, and of which targets it does not know everything. */
export interface PartialItems<T extends ItemIdentity> {
  readonly items: readonly T[];
  readonly incompleteTargets?: readonly string[];
}

/**
 * All items once a partial snapshot came after `previous`: its own, and of its incomplete targets also those that it lacks. In canonical order;
 * with no incomplete target they are its own alone.
 */
export function mergeItems<T extends ItemIdentity = Item>(
  partial: PartialItems<T>,
  previous: Iterable<T>,
): readonly T[] {
  const { items, incompleteTargets = [] } = partial;
  if (incompleteTargets.length === 0) return items;
  const isIncomplete = incompleteTargetTest(incompleteTargets);
  const held = new Set(items.map(itemKey));
  const carried: T[] = [];
  for (const item of previous) if (isIncomplete(item) && !held.has(itemKey(item))) carried.push(item);
  return carried.length === 0 ? items : [...items, ...carried].sort(compareItems);
}
