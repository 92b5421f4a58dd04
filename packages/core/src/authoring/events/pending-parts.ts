import { createHash } from 'node:crypto';
import type { InventoryDocument } from '../../contract/document/read-document.ts';
import type { MessagePosition } from './incoming-message.ts';
import { createOffsetHeap, type HeapEntry, type OffsetHeap } from './offset-heap.ts';

/** One part as it was read. */
export interface ReceivedPart {
  /** Of its inventory, in its topic. */
  readonly key: string;
  /** Names its partition. */
  readonly lane: string;
  readonly document: InventoryDocument;
  readonly bytes: number;
  readonly position: MessagePosition | undefined;
}

/** The parts of one snapshot that came so far. */
export interface PartSet {
  readonly key: string;
  /** Of any one of its parts: scope, exportedAt and checksum are those of all. */
  readonly document: InventoryDocument;
  readonly parts: ReadonlyMap<number, ReceivedPart>;
  /** How often its parts, when none was missing, were not those of one snapshot. */
  failures: number;
}

export interface PendingParts {
  /** Counts a message of the partition. */
  passed(lane: string): void;
  /** Takes in a part, in the place of one with its index: after a torn attempt the parts of the next may be cut otherwise. */
  add(part: ReceivedPart): PartSet;
  remove(set: PartSet): void;
  /** Removes and returns the sets of the inventory that are older than the time, or hold the very snapshot of that time. */
  dropOutdated(key: string, by: { readonly time: string; readonly checksum?: string }): readonly PartSet[];
  /** Removes and returns the sets that waited for too many messages of the partition. */
  dropStale(lane: string): readonly PartSet[];
  /** Removes and returns the sets that are too much to hold, beginning with the one that waits longest for a part. */
  dropExcess(): readonly PartSet[];
  all(): readonly PartSet[];
  /** The first offset in the partition that a held part came from. */
  firstOffset(lane: string): bigint | undefined;
}

export interface PendingLimits {
  readonly maxBytes: number;
  readonly maxMessages: number;
}

/** What a part takes at least, however small. */
const leastBytes = 1024;
/** Of one inventory: exporters that take turns, and their torn attempts. */
const maxSetsOfKey = 64;

interface HeldPart extends ReceivedPart {
  readonly entry: HeapEntry | undefined;
}

interface HeldSet extends PartSet {
  readonly id: string;
  readonly parts: Map<number, HeldPart>;
  /** Where the part came from that came last. */
  lane: Lane;
  /** How many messages that partition had seen then. */
  seen: number;
}

/** One partition. */
interface Lane {
  seen: number;
  readonly offsets: OffsetHeap;
  /** The sets whose last part came from here, in the order of those parts. */
  readonly waiting: Set<HeldSet>;
}

/** Holds parts until their snapshot is whole, within limits. No step takes longer for what else is held. */
export function createPendingParts({ maxBytes, maxMessages }: PendingLimits): PendingParts {
  /** The set that got a part last is the last one; so are those of a key. */
  const sets = new Map<string, HeldSet>();
  const byKey = new Map<string, Set<HeldSet>>();
  const lanes = new Map<string, Lane>();
  let heldBytes = 0;
  let latestKey = '';

  const laneOf = (name: string): Lane => {
    const known = lanes.get(name);
    if (known !== undefined) return known;
    const lane: Lane = { seen: 0, offsets: createOffsetHeap(), waiting: new Set() };
    lanes.set(name, lane);
    return lane;
  };
  const release = ({ lane, entry, bytes }: HeldPart): void => {
    heldBytes -= Math.max(bytes, leastBytes);
    if (entry !== undefined) laneOf(lane).offsets.remove(entry);
  };
  const unlink = (set: HeldSet): void => {
    sets.delete(set.id);
    set.lane.waiting.delete(set);
    const others = byKey.get(set.key);
    others?.delete(set);
    if (others?.size === 0) byKey.delete(set.key);
  };
  const remove = (set: HeldSet): void => {
    if (sets.get(set.id) !== set) return;
    unlink(set);
    for (const part of set.parts.values()) release(part);
  };
  /** From the first that waits on, as long as they are unwanted. */
  const dropFirst = (from: Iterable<HeldSet>, unwanted: (set: HeldSet) => boolean): readonly PartSet[] => {
    const dropped: PartSet[] = [];
    for (const set of from) {
      if (!unwanted(set)) break;
      remove(set);
      dropped.push(set);
    }
    return dropped;
  };

  return {
    passed: (lane) => void laneOf(lane).seen++,
    dropStale(name) {
      const { waiting, seen } = laneOf(name);
      return dropFirst(waiting, (set) => seen - set.seen > maxMessages);
    },
    add(part) {
      const { key, document, bytes, position } = part;
      const id = setId(part);
      const lane = laneOf(part.lane);
      const set: HeldSet = sets.get(id) ?? { id, key, document, parts: new Map(), failures: 0, lane, seen: 0 };
      unlink(set);
      const index = document.partIndex ?? 0;
      const replaced = set.parts.get(index);
      if (replaced !== undefined) release(replaced);
      heldBytes += Math.max(bytes, leastBytes);
      set.parts.set(index, {
        ...part,
        entry: position === undefined ? undefined : lane.offsets.add(position.offset),
      });
      set.lane = lane;
      set.seen = lane.seen;
      latestKey = key;
      sets.set(id, set);
      lane.waiting.add(set);
      byKey.set(key, (byKey.get(key) ?? new Set()).add(set));
      return set;
    },
    remove: (set) => remove(set as HeldSet),
    dropOutdated(key, { time, checksum }) {
      const outdated = [...(byKey.get(key) ?? [])].filter(
        ({ document }) =>
          document.exportedAt < time || (document.exportedAt === time && document.checksum === checksum),
      );
      for (const set of outdated) remove(set);
      return outdated;
    },
    dropExcess() {
      const ofKey = byKey.get(latestKey);
      return [
        ...dropFirst(ofKey ?? [], () => (ofKey?.size ?? 0) > maxSetsOfKey),
        ...dropFirst(sets.values(), () => heldBytes > maxBytes),
      ];
    },
    all: () => [...sets.values()],
    firstOffset: (lane) => lanes.get(lane)?.offsets.least(),
  };
}

/** Parts with one id belong together; another limit of the exporter cuts the same snapshot into another number of parts. */
function setId({ key, document }: ReceivedPart): string {
  const { exportedAt, checksum, generation, partTotal, incompleteTargets = [] } = document;
  return createHash('sha256')
    .update(JSON.stringify([key, exportedAt, checksum, generation, partTotal, ...incompleteTargets]))
    .digest('base64');
}
