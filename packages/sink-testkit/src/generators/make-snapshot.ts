import { sealSnapshot, type InventorySnapshot, type Item, type Scope } from '@kollect/core';
import { aCount, anyValue, checkOptions, type OptionKinds } from '@kollect/core/authoring';
import { makeItems } from './make-items.ts';

export interface MakeSnapshotOptions extends Partial<Scope> {
  /** The items; without them `count` items are made. */
  readonly items?: readonly Item[];
  /** How many items to make. Default 10. */
  readonly count?: number;
  /** Seed of the made items. Default 1. */
  readonly seed?: number;
  /** Default 1. */
  readonly generation?: number;
  /** RFC 3339. Default 2026-01-01T00:00:00.000Z. */
  readonly exportedAt?: string;
  readonly incompleteTargets?: readonly string[];
}

const kinds: OptionKinds<MakeSnapshotOptions> = {
  items: anyValue,
  count: aCount,
  seed: aCount,
  cluster: anyValue,
  inventoryNamespace: anyValue,
  inventoryName: anyValue,
  generation: anyValue,
  exportedAt: anyValue,
  incompleteTargets: anyValue,
};

/** A sealed snapshot of given or made items; the same options give the same snapshot. */
export async function makeSnapshot(options?: MakeSnapshotOptions): Promise<InventorySnapshot> {
  const of = 'The options of makeSnapshot';
  const { items, count = 10, seed = 1, ...given } = checkOptions<MakeSnapshotOptions>(options, kinds, { of });
  return sealSnapshot({
    inventoryNamespace: 'platform',
    inventoryName: 'workloads',
    generation: 1,
    exportedAt: '2026-01-01T00:00:00.000Z',
    ...given,
    items: items ?? makeItems({ count, seed }),
  });
}
