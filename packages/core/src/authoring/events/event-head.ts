import type { InventorySnapshot } from '../../contract/snapshot/snapshot.ts';
import type { EventBinding } from './event-binding.ts';

/** What an event says of its inventory. */
export interface EventState {
  /** When it was taken or removed, in milliseconds since 1970; undefined where the message is none of ours. */
  readonly time?: number;
  readonly checksum?: string;
  readonly generation?: number;
  /** False where the listing of some targets was cut short. */
  readonly complete: boolean;
  /** False where it is a part and others should follow. */
  readonly whole: boolean;
  readonly removed: boolean;
}

/** The last event of an inventory in its channel: the fence of the next one. */
export interface EventHead extends EventState {
  /** Tells it from every other event of the inventory: a sequence number, an ETag. */
  readonly version: string;
}

/** What the headers of a message say; nothing of what is no header of ours. */
export function readEventState(header: (name: string) => string | undefined, { names }: EventBinding): EventState {
  const removedAt = timeOf(header(names.removedAt));
  const time = removedAt ?? timeOf(header(names.exportedAt));
  const checksum = header(names.checksum);
  const [index, total, generation] = [names.partIndex, names.partTotal, names.generation].map((name) =>
    numberOf(header(name)),
  );
  return {
    ...(time === undefined ? {} : { time }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(generation === undefined ? {} : { generation }),
    complete: header(names.complete) === undefined,
    whole: index === undefined ? total === undefined : index + 1 === total,
    removed: removedAt !== undefined,
  };
}

/** That of an event of ours, whose time is known. */
export type OwnEventState = EventState & { readonly time: number };

export function snapshotState({
  exportedAt,
  checksum,
  generation,
  incompleteTargets,
}: InventorySnapshot): OwnEventState {
  const complete = incompleteTargets.length === 0;
  return { time: Date.parse(exportedAt), checksum, generation, complete, whole: true, removed: false };
}

export function removalState(removedAt: string): OwnEventState {
  return { time: Date.parse(removedAt), complete: true, whole: true, removed: true };
}

/** Whether the time is that of something older than the last event; equal is not older. */
export function isOlder(time: number, last: EventState | undefined): boolean {
  return last?.time !== undefined && time < last.time;
}

/** Whether the last event says what the snapshot says, as no removal does. Two partial ones are the same where they are of one time. */
export function holds(last: EventState | undefined, snapshot: EventState): boolean {
  return (
    last !== undefined &&
    last.whole &&
    last.checksum === snapshot.checksum &&
    last.generation === snapshot.generation &&
    last.complete === snapshot.complete &&
    (last.complete || last.time === snapshot.time)
  );
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : undefined;
}
