import { countRuns, hashRuns } from '../contract/snapshot/hash-runs.ts';
import { PooledItem } from '../contract/snapshot/sealed-item.ts';
import { sortItems } from '../contract/snapshot/sort-items.ts';
import type { ItemIdentity } from '../contract/snapshot/snapshot.ts';
import type { TimeSlices } from '../contract/time-slices.ts';
import type { HeldTarget, HeldTargets } from './held-target.ts';
import { createItemMemory } from './item-memory.ts';
import { mergeIntoOrder } from './item-order.ts';

/** Of fewer items the bytes are near each other wherever they lie. */
const leastLaidOut = 32;
/** Items looked at whenever one is kept while memory lies idle: more are given back than can come. */
const tidiedAtOnce = 16;

/** The items of an inventory: by target and UID, in canonical order, and their bytes. */
export interface HeldItems {
  readonly size: number;
  readonly bytes: number;
  readonly reservedBytes: number;
  /** The item with these bytes: the one that is held where it is equal, else a new one, which belongs to nobody yet. */
  itemOf(target: HeldTarget, identity: ItemIdentity, json: Uint8Array): PooledItem;
  /** Gives the target the item; false where it has it already. */
  put(target: HeldTarget, item: PooledItem): boolean;
  take(target: HeldTarget, uid: string): boolean;
  /** Gives back what `itemOf` made and nobody put anywhere. */
  discard(item: PooledItem): void;
  /** What is held at the call, in order and with its checksum; one call at a time. `hashing` may end it, `ordering` may not. */
  inOrder(slices: { readonly ordering: TimeSlices; readonly hashing: TimeSlices }): Promise<OrderedItems>;
}

export interface OrderedItems {
  /** Frozen. */
  readonly items: readonly PooledItem[];
  readonly itemsByteLength: number;
  readonly checksum: string;
}

export function createHeldItems(targets: HeldTargets): HeldItems {
  const memory = createItemMemory();
  let ordered: readonly PooledItem[] = Object.freeze([]);
  let come = new Set<PooledItem>();
  let gone = new Set<PooledItem>();
  /** Counts changes: what was sealed last is right as long as none came. */
  let version = 0;
  let sealed: (OrderedItems & { readonly version: number }) | undefined;
  let size = 0;
  /** Of the items that targets have; what a replacement has read and not put is not among them. */
  let itemBytes = 0;
  /** Items that came since all lay in their order. */
  let strayed = 0;
  let walk = walkAll();

  function* walkAll(): Generator<void> {
    for (const target of targets)
      for (const item of target.items.values()) {
        memory.tidy(item);
        yield;
      }
    for (const item of gone) {
      memory.tidy(item, true);
      yield;
    }
  }

  function tidySome(): void {
    for (let step = 0; step < tidiedAtOnce && memory.wasteful; step++) if (walk.next().done === true) walk = walkAll();
  }

  function drop(item: PooledItem): void {
    const range = PooledItem.rangeOf(item);
    memory.release(range);
    size -= 1;
    itemBytes -= range.end - range.start;
    // One that no snapshot has yet leaves no trace.
    if (!come.delete(item)) gone.add(item);
  }

  const bytes = (): number => 2 + itemBytes + Math.max(0, size - 1);

  async function order(slices: TimeSlices): Promise<void> {
    if (come.size === 0 && gone.size === 0) return;
    const changes = { come: [...come], gone: [...gone] };
    come = new Set();
    gone = new Set();
    const [sortedCome, sortedGone] = [await sortItems(changes.come, slices), await sortItems(changes.gone, slices)];
    const isFirst = ordered.length === 0;
    ordered = Object.freeze(await mergeIntoOrder(ordered, { come: sortedCome, gone: sortedGone }, slices));
    strayed += sortedCome.length;
    // Where most change again and again, none lies anywhere for long.
    const isCalm = isFirst || sortedCome.length * 10 < ordered.length;
    if (isCalm && strayed * 2 > ordered.length && ordered.length >= leastLaidOut) await layOut(slices);
    if (!memory.wasteful) return;
    for (const item of ordered) {
      // What went while this runs is no longer the memory's own.
      memory.tidy(item, gone.has(item));
      if (slices.due()) await slices.next();
    }
    for (const item of changes.gone) memory.tidy(item, true);
  }

  /** Lets the items lie in their order, where most do not: their bytes are read whenever one of them changed. */
  async function layOut(slices: TimeSlices): Promise<void> {
    strayed = 0;
    if (countRuns(ordered) * 2 < ordered.length) return;
    for (const item of ordered) {
      if (!gone.has(item)) memory.append(item);
      if (slices.due()) await slices.next();
    }
  }

  return {
    get size() {
      return size;
    },
    get bytes() {
      return bytes();
    },
    get reservedBytes() {
      return memory.reserved;
    },
    itemOf(target, identity, json) {
      const held = target.items.get(identity.uid);
      if (held !== undefined && Buffer.compare(held.json, json) === 0) return held;
      const item = new PooledItem(identity, memory.keep(json));
      tidySome();
      return item;
    },
    put(target, item) {
      const held = target.items.get(item.uid);
      if (held === item) return false;
      if (held !== undefined) drop(held);
      target.items.set(item.uid, item);
      come.add(item);
      size += 1;
      itemBytes += item.json.length;
      version += 1;
      return true;
    },
    take(target, uid) {
      const held = target.items.get(uid);
      if (held === undefined) return false;
      target.items.delete(uid);
      target.versions.delete(uid);
      drop(held);
      version += 1;
      return true;
    },
    discard: (item) => memory.release(PooledItem.rangeOf(item)),
    async inOrder({ ordering, hashing }) {
      if (sealed?.version === version) return sealed;
      const asked = { version, itemsByteLength: bytes() };
      await order(ordering);
      const items = ordered;
      sealed = { ...asked, items, checksum: await hashRuns(items, hashing) };
      return sealed;
    },
  };
}
