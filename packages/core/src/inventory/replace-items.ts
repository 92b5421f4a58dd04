import type { PooledItem } from '../contract/snapshot/sealed-item.ts';
import type { TimeSlices } from '../contract/time-slices.ts';
import type { HeldItems } from './held-items.ts';
import { noteVersion } from './held-objects.ts';
import type { HeldTarget, NewerChanges } from './held-target.ts';
import type { ReplacementCounts } from './inventory-types.ts';

/** One element of a list: the item that it is and its `resourceVersion`, or the UID of what was left out. */
export type ReadElement = { readonly item: PooledItem; readonly version?: string } | { readonly leftOut: string };

export interface Replacement {
  readonly target: HeldTarget;
  readonly elements: Iterable<unknown>;
  readonly newer: NewerChanges;
  /** The attributes that objects are read by. */
  readonly source: unknown;
  readonly read: (element: unknown, index: number) => ReadElement;
  /** Throws where what cannot be stored is refused. */
  readonly onDuplicate: (first: PooledItem, second: PooledItem) => void;
}

interface Staged {
  readonly item: PooledItem;
  readonly version: string;
  /** Nobody holds it yet. */
  readonly isNew: boolean;
}

interface StagedList {
  readonly items: Map<string, Staged>;
  readonly leftOut: Set<string>;
}

/** Reads all elements first, then makes the target hold them alone; where one is refused, nothing has changed. */
export async function replaceItems(
  held: HeldItems,
  replacement: Replacement,
  { reading, applying }: { readonly reading: TimeSlices; readonly applying: TimeSlices },
): Promise<ReplacementCounts> {
  const staged: StagedList = { items: new Map(), leftOut: new Set() };
  try {
    let index = 0;
    for (const element of replacement.elements) {
      stage(held, replacement, staged, replacement.read(element, index++));
      if (reading.due()) await reading.next();
    }
  } catch (error) {
    for (const { item, isNew } of staged.items.values()) if (isNew) held.discard(item);
    throw error;
  }
  return apply(held, replacement, staged, applying);
}

function stage(
  held: HeldItems,
  { target, onDuplicate }: Replacement,
  { items, leftOut }: StagedList,
  element: ReadElement,
): void {
  if ('leftOut' in element) {
    leftOut.add(element.leftOut);
    return;
  }
  const { item, version = '' } = element;
  const isNew = target.items.get(item.uid) !== item;
  const first = items.get(item.uid);
  if (first === undefined && !leftOut.has(item.uid)) {
    items.set(item.uid, { item, version, isNew });
    return;
  }
  // Of two nobody knows which is right.
  if (isNew) held.discard(item);
  if (first === undefined) return;
  onDuplicate(first.item, item);
  items.delete(item.uid);
  if (first.isNew) held.discard(first.item);
  leftOut.add(item.uid);
}

async function apply(
  held: HeldItems,
  { target, newer, source }: Replacement,
  staged: StagedList,
  slices: TimeSlices,
): Promise<ReplacementCounts> {
  let [inserted, updated, deleted] = [0, 0, 0];
  for (const [uid, { item, version, isNew }] of staged.items) {
    if (slices.due()) await slices.next();
    if (newer.uids.has(uid)) {
      if (isNew) held.discard(item);
      continue;
    }
    const isKnown = target.items.has(uid);
    if (held.put(target, item)) {
      if (isKnown) updated += 1;
      else inserted += 1;
    }
    noteVersion(target, { uid, version, source });
  }
  for (const uid of target.items.keys()) {
    if (slices.due()) await slices.next();
    if (!staged.items.has(uid) && !newer.uids.has(uid) && held.take(target, uid)) deleted += 1;
  }
  for (const uid of target.leftOut) if (!newer.uids.has(uid)) target.leftOut.delete(uid);
  for (const uid of staged.leftOut) if (!newer.uids.has(uid)) target.leftOut.add(uid);
  if (!newer.isMarked) target.isMarkedIncomplete = false;
  return { inserted, updated, deleted };
}
