import type { Item } from '@kollect/core';
import { evolve } from '@kollect/sink-testkit';
import { createItems } from '../postgres/workload.ts';

export interface Change {
  /** The items before and after; in turn each is what the next sealing holds. */
  readonly versions: readonly [readonly Item[], readonly Item[]];
  /** The changed items of each version: what an informer would tell. */
  readonly changed: readonly [readonly Item[], readonly Item[]];
}

/** So many items, of which so many percent differ between two versions; one at least, where it is not none. */
export function createChange(n: number, percent: number): Change {
  const before = createItems(n);
  const after = evolve(before, { changed: Math.ceil((n * percent) / 100) });
  const differing = (version: readonly Item[], other: readonly Item[]): readonly Item[] =>
    version.filter((item, index) => item !== other[index]);
  return { versions: [before, after], changed: [differing(before, after), differing(after, before)] };
}
