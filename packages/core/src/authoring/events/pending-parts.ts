import type { InventoryDocument } from '../../contract/read-document.ts';
import type { MessagePosition } from './incoming-message.ts';

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
}

export interface PendingParts {
  /** Counts a message of the partition. */
  passed(lane: string): void;
  /** Takes in a part, in the place of one with its index: after a torn attempt the parts of the next may be cut otherwise. */
  add(part: ReceivedPart): PartSet;
  remove(set: PartSet): void;
  /** Removes and returns the sets of the inventory that are older than the time, or hold the very snapshot of that time. */
  dropOutdated(key: string, by: { readonly time: string; readonly checksum?: string }): readonly PartSet[];
  /** Removes and returns the sets that waited for too many messages. */
  dropStale(): readonly PartSet[];
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

interface HeldSet extends PartSet {
  readonly id: string;
  readonly parts: Map<number, ReceivedPart>;
  /** The partition of the part that came last, and how many messages it had seen then. */
  lane: string;
  seen: number;
}

/** Holds parts until their snapshot is whole, within limits. */
export function createPendingParts({ maxBytes, maxMessages }: PendingLimits): PendingParts {
  /** The set that got a part last is the last one. */
  const sets = new Map<string, HeldSet>();
  const seen = new Map<string, number>();
  let heldBytes = 0;

  const remove = (set: HeldSet): void => {
    if (!sets.delete(set.id)) return;
    for (const { bytes } of set.parts.values()) heldBytes -= bytes;
  };
  const drop = (unwanted: (set: HeldSet) => boolean): readonly PartSet[] => {
    const dropped: PartSet[] = [];
    for (const set of sets.values()) {
      if (!unwanted(set)) continue;
      remove(set);
      dropped.push(set);
    }
    return dropped;
  };

  return {
    passed: (lane) => void seen.set(lane, (seen.get(lane) ?? 0) + 1),
    add(part) {
      const { key, lane, document, bytes } = part;
      const id = setId(part);
      const set: HeldSet = sets.get(id) ?? { id, key, document, parts: new Map(), lane, seen: 0 };
      const index = document.partIndex ?? 0;
      heldBytes += bytes - (set.parts.get(index)?.bytes ?? 0);
      set.parts.set(index, part);
      set.lane = lane;
      set.seen = seen.get(lane) ?? 0;
      sets.delete(id);
      sets.set(id, set);
      return set;
    },
    remove: (set) => void drop((held) => held === set),
    dropOutdated: (key, { time, checksum }) =>
      drop(
        ({ key: held, document }) =>
          held === key &&
          (document.exportedAt < time || (document.exportedAt === time && document.checksum === checksum)),
      ),
    dropStale: () => drop((set) => (seen.get(set.lane) ?? 0) - set.seen > maxMessages),
    dropExcess: () => drop(() => heldBytes > maxBytes),
    all: () => [...sets.values()],
    firstOffset(lane) {
      let first: bigint | undefined;
      for (const { parts } of sets.values()) {
        for (const { lane: held, position } of parts.values()) {
          if (held === lane && position !== undefined && (first === undefined || position.offset < first))
            first = position.offset;
        }
      }
      return first;
    },
  };
}

/** Parts with one id belong together; another limit of the exporter cuts the same snapshot into another number of parts. */
function setId({ key, document }: ReceivedPart): string {
  const { exportedAt, checksum, generation, partTotal, incompleteTargets = [] } = document;
  return JSON.stringify([key, exportedAt, checksum, generation, partTotal, ...incompleteTargets]);
}
