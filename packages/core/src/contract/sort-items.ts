import type { ItemIdentity } from './snapshot.ts';
import type { TimeSlices } from './time-slices.ts';

const runLength = 1024;

/** The canonical order: UTF-16 code units, field by field; an absent group counts as empty. */
export function compareItems(a: ItemIdentity, b: ItemIdentity): number {
  return (
    compareText(a.targetNamespace, b.targetNamespace) ||
    compareText(a.targetName, b.targetName) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name) ||
    compareText(a.uid, b.uid) ||
    compareText(a.group ?? '', b.group ?? '') ||
    compareText(a.version, b.version) ||
    compareText(a.kind, b.kind)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The items in canonical order: a merge sort that gives way to others between its steps. May return the array it got. */
export async function sortItems<T extends ItemIdentity>(items: T[], slices: TimeSlices): Promise<T[]> {
  let from: T[] = [];
  for (let start = 0; start < items.length; start += runLength) {
    if (slices.due()) await slices.next();
    const run = items.slice(start, start + runLength).sort(compareItems);
    for (const item of run) from.push(item);
  }
  let to = items;
  for (let width = runLength; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) await mergeRuns(from, to, start, width, slices);
    [from, to] = [to, from];
  }
  return from;
}

async function mergeRuns<T extends ItemIdentity>(from: readonly T[], to: T[], start: number, width: number, slices: TimeSlices): Promise<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(start + 2 * width, from.length);
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    if (at % runLength === 0 && slices.due()) await slices.next();
    const takeLeft = right >= end || (left < middle && compareItems(from[left] as T, from[right] as T) <= 0);
    to[at] = from[takeLeft ? left++ : right++] as T;
  }
}
