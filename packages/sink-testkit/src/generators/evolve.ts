import type { Item } from '@kollect/core';
import { aCount, checkOptions, type OptionKinds } from '@kollect/core/authoring';
import { makeAttributes, makeItems } from './make-items.ts';
import { createRandom } from './random.ts';

export interface EvolveOptions {
  /** How many of the items get other attributes. Default 0. */
  readonly changed?: number;
  /** How many of the items are left out. Default 0. */
  readonly removed?: number;
  /** How many new items come in. Default 0. */
  readonly added?: number;
  /** Different seeds change, remove and add different items. Default 2. */
  readonly seed?: number;
}

const kinds: OptionKinds<EvolveOptions> = { changed: aCount, removed: aCount, added: aCount, seed: aCount };

/** The items of the next export cycle: the same inventory after some time. The given items are left as they are. */
export function evolve(items: readonly Item[], options: EvolveOptions): Item[] {
  const of = 'The options of evolve';
  const { changed = 0, removed = 0, added = 0, seed = 2 } = checkOptions<EvolveOptions>(options, kinds, { of });
  if (changed + removed > items.length) {
    throw new RangeError(
      `evolve: ${changed} changed and ${removed} removed items are more than the ${items.length} that were given.`,
    );
  }
  const random = createRandom(seed);
  const drawn = random.sample(changed + removed, items.length);
  const toChange = new Set(drawn.slice(0, changed));
  const toRemove = new Set(drawn.slice(changed));
  const kept = items.flatMap((item, index) => {
    if (toRemove.has(index)) return [];
    return toChange.has(index) ? [{ ...item, attributes: { ...makeAttributes(random, 0), evolvedBy: seed } }] : [item];
  });
  const targets = [...new Set(items.map((item) => item.targetName))];
  const [first = 'workloads', ...others] = targets;
  return [...kept, ...makeItems({ count: added, seed: random.below(0xffff_ffff), targets: [first, ...others] })];
}
