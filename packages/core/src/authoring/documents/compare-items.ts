import type { SinkError } from '../../contract/errors/errors.ts';
import { createItemEncoder } from '../../contract/snapshot/item-encoder.ts';
import { incompleteTargetTest } from '../../contract/snapshot/incomplete-targets.ts';
import { itemKey } from '../../contract/snapshot/merge-items.ts';
import type { ItemCounts, ItemKey } from '../../contract/sink.ts';
import type { InventorySnapshot, ItemIdentity, SealedItem } from '../../contract/snapshot/snapshot.ts';
import { compareItems } from '../../contract/snapshot/sort-items.ts';
import type { TimeSlices } from '../../contract/time-slices.ts';
import { damagedItems } from './damage.ts';
import type { StoredItem } from './stored-document.ts';

/** How a snapshot differs from what is stored. */
export interface Difference {
  readonly counts: ItemCounts;
  readonly samples: {
    readonly inserted: readonly ItemKey[];
    readonly updated: readonly ItemKey[];
    readonly deleted: readonly ItemKey[];
  };
  /** Items of incomplete targets that the snapshot lacks; they stay. */
  readonly carried: readonly SealedItem[];
}

/** Of a scope without anything, and of one that is left as it is. */
export const noDifference: Difference = Object.freeze({
  counts: Object.freeze({ inserted: 0, updated: 0, deleted: 0, unchanged: 0 }),
  samples: Object.freeze({ inserted: [], updated: [], deleted: [] }),
  carried: [],
});

/** The stored items in canonical order. `expected` is a guess of the next one, to save work. */
export type NextStoredItem = (expected?: Uint8Array) => Promise<StoredItem | undefined>;

export interface CompareOptions {
  readonly snapshot: InventorySnapshot;
  readonly next: NextStoredItem;
  readonly slices: TimeSlices;
}

/**
 * Walks through both lists at once, as both have one order: what is held in memory is what differs, never the stored list. Items that moved in
 * the order are told from deleted ones by their key.
 */
export async function compareItemsWith(options: CompareOptions): Promise<Difference> {
  const { snapshot, slices } = options;
  const damaged = (problem: string): SinkError => damagedItems(snapshot, problem);
  const { items } = snapshot;
  const read = createStoredItemReader({ ...options, damaged });
  const tally = createTally();
  const added: SealedItem[] = [];
  const missing = new Map<string, Missing>();
  let at = 0;
  let previous: ItemIdentity | undefined;
  for (;;) {
    const stored = await read(items[at]);
    if (stored === undefined) break;
    const { identity } = stored;
    if (previous !== undefined && compareItems(previous, identity) >= 0) throw damaged('are not in order');
    previous = identity;
    while (at < items.length && compareItems(items[at] as SealedItem, identity) < 0) {
      added.push(items[at++] as SealedItem);
      if (slices.due()) await slices.next();
    }
    const held = items[at];
    if (held !== undefined && compareItems(held, identity) === 0) {
      tally.add(stored.isEqual(held) ? 'unchanged' : 'updated', held);
      at += 1;
    } else missing.set(itemKey(identity), { key: keyOf(identity), carried: stored.carry() });
  }
  while (at < items.length) added.push(items[at++] as SealedItem);
  for (const item of added) {
    tally.add(missing.delete(itemKey(item)) ? 'updated' : 'inserted', item);
    if (slices.due()) await slices.next();
  }
  const carried: SealedItem[] = [];
  for (const gone of missing.values()) {
    if (gone.carried === undefined) tally.add('deleted', gone.key);
    else carried.push(gone.carried);
  }
  if (carried.length > 0) {
    const held = new Set(items.map(itemKey));
    if (carried.some((item) => held.has(itemKey(item)))) throw damaged('are not unique');
  }
  return { ...tally, carried };
}

/** A stored item that the snapshot does not have at its place: its key alone where it is not to be carried. */
interface Missing {
  readonly key: ItemKey;
  readonly carried: SealedItem | undefined;
}

interface ReadItem {
  readonly identity: ItemIdentity;
  /** Of the bytes; until the next item is read. */
  isEqual(item: SealedItem): boolean;
  /** A copy to keep, where the item's target is incomplete. */
  carry(): SealedItem | undefined;
}

interface ReaderOptions extends CompareOptions {
  readonly damaged: (problem: string) => SinkError;
}

function createStoredItemReader({ snapshot, next, damaged }: ReaderOptions) {
  const isIncomplete = incompleteTargetTest(snapshot.incompleteTargets);
  const encoder = createItemEncoder({ scope: snapshot, operation: 'read' });

  /** Neither the parser's message nor the encoder's gets out: both may quote what is stored. */
  const orDamaged = <T>(read: () => T): T => {
    try {
      return read();
    } catch {
      throw damaged('are not in canonical form');
    }
  };
  return async (expected: SealedItem | undefined): Promise<ReadItem | undefined> => {
    const stored = await next(expected?.json);
    if (stored === undefined) return undefined;
    if (stored.same) {
      if (expected === undefined) throw damaged('are not those that were expected');
      return { identity: expected, isEqual: () => true, carry: () => undefined };
    }
    const { bytes } = stored;
    const item = orDamaged(
      () => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as unknown,
    );
    const identity = orDamaged(() => identityOf(item));
    return {
      identity,
      isEqual: ({ json }) => Buffer.compare(bytes, json) === 0,
      carry: () => (isIncomplete(identity) ? orDamaged(() => encoder.toItem(item, 0)) : undefined),
    };
  };
}

/** Who a stored item says it is; throws where it does not. */
function identityOf(item: unknown): ItemIdentity {
  const fields = Object(item) as Record<string, unknown>;
  const text = (field: keyof ItemIdentity): string => {
    const value = fields[field];
    if (typeof value !== 'string') throw new TypeError(`An item without ${field}.`);
    return value;
  };
  return {
    targetNamespace: text('targetNamespace'),
    targetName: text('targetName'),
    namespace: text('namespace'),
    name: text('name'),
    ...(fields['group'] === undefined ? {} : { group: text('group') }),
    version: text('version'),
    kind: text('kind'),
    uid: text('uid'),
  };
}

function keyOf({ targetName, uid }: ItemIdentity): ItemKey {
  return { targetName, uid };
}

function createTally() {
  const counts = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };
  const samples = { inserted: [] as ItemKey[], updated: [] as ItemKey[], deleted: [] as ItemKey[] };
  return {
    counts,
    samples,
    add(kind: keyof ItemCounts, { targetName, uid }: ItemKey): void {
      counts[kind] += 1;
      if (kind !== 'unchanged' && samples[kind].length < 10) samples[kind].push({ targetName, uid });
    },
  };
}
