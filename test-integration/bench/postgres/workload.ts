import type { Item, Scope } from '@kollect/core';
import { evolve, makeItems } from '@kollect/sink-testkit';
import type { State } from './results.ts';

/** The inventory that every contender exports. */
export const benchScope = {
  cluster: 'bench',
  inventoryNamespace: 'platform',
  inventoryName: 'everything',
} as const satisfies Scope;

/** Least bytes of an item's attributes; with its identity an item is 0.5 to 1.1 KiB of JSON. */
const attributeBytes = [320, 420, 520, 620, 720, 820, 920] as const;

export interface Workload {
  /** What COLD and WARM export. */
  readonly items: readonly Item[];
  /** What DELTA exports: 1 % changed, 0.5 % gone, 0.5 % new. */
  readonly nextItems: readonly Item[];
}

/** What is exported to bring a table into a state; each follows the one before. */
export function itemsOf(state: State, { items, nextItems }: Workload): readonly Item[] {
  if (state === 'EMPTIED') return [];
  return state === 'DELTA' ? nextItems : items;
}

/** So many items, the same in every run. */
export function createItems(count: number): readonly Item[] {
  return attributeBytes.flatMap((bytes, index) => {
    const share = Math.floor((count + index) / attributeBytes.length);
    return makeItems({
      count: share,
      seed: index + 1,
      bytes,
      targets: ['workloads', 'network', 'storage', 'certificates'],
    });
  });
}

/** The items of one size, and what becomes of them. */
export function createWorkload(count: number): Workload {
  const items = createItems(count);
  const half = Math.ceil(count / 200);
  return { items, nextItems: evolve(items, { changed: Math.ceil(count / 100), removed: half, added: half }) };
}
