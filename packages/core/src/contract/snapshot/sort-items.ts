import type { ItemIdentity } from './snapshot.ts';
import type { TimeSlices } from '../time-slices.ts';

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

/** The same for items of one namespace of one target, whose names mostly differ. */
function compareNames(a: ItemIdentity, b: ItemIdentity): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return compareItems(a, b);
}

/** The items in canonical order, in an array of its own: sorts group by group and gives way to others between its steps. */
export async function sortItems<T extends ItemIdentity>(items: readonly T[], slices: TimeSlices): Promise<T[]> {
  if (items.length < 2) return [...items];
  const sorted: T[] = [];
  for (const group of await groupByNamespace(items, slices)) {
    for (const item of await mergeSort(group, slices)) sorted.push(item);
    if (slices.due()) await slices.next();
  }
  return sorted;
}

/** Items that differ in the name at the earliest, group after group in order: most comparisons are saved, and most fields of the rest. */
async function groupByNamespace<T extends ItemIdentity>(items: readonly T[], slices: TimeSlices): Promise<T[][]> {
  const groups = new Map<string, Map<string, Map<string, T[]>>>();
  let count = 0;
  for (const item of items) {
    const byName = entry(groups, item.targetNamespace, () => new Map<string, Map<string, T[]>>());
    const byNamespace = entry(byName, item.targetName, () => new Map<string, T[]>());
    entry(byNamespace, item.namespace, (): T[] => []).push(item);
    if (++count % runLength === 0 && slices.due()) await slices.next();
  }
  return inOrder(groups).flatMap((byName) => inOrder(byName).flatMap((byNamespace) => inOrder(byNamespace)));
}

function entry<V>(map: Map<string, V>, key: string, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}

function inOrder<V>(map: ReadonlyMap<string, V>): V[] {
  return [...map].sort(([a], [b]) => compareText(a, b)).map(([, value]) => value);
}

async function mergeSort<T extends ItemIdentity>(items: T[], slices: TimeSlices): Promise<T[]> {
  if (items.length <= runLength) return items.sort(compareNames);
  let from: T[] = [];
  for (let start = 0; start < items.length; start += runLength) {
    if (slices.due()) await slices.next();
    for (const item of items.slice(start, start + runLength).sort(compareNames)) from.push(item);
  }
  let to = items;
  for (let width = runLength; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) await mergeRuns(from, to, start, width, slices);
    [from, to] = [to, from];
  }
  return from;
}

async function mergeRuns<T extends ItemIdentity>(
  from: readonly T[],
  to: T[],
  start: number,
  width: number,
  slices: TimeSlices,
): Promise<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(start + 2 * width, from.length);
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    if (at % runLength === 0 && slices.due()) await slices.next();
    const takeLeft = right >= end || (left < middle && compareNames(from[left] as T, from[right] as T) <= 0);
    to[at] = from[takeLeft ? left++ : right++] as T;
  }
}
