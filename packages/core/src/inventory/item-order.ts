import { compareItems } from '../contract/snapshot/sort-items.ts';
import type { PooledItem } from '../contract/snapshot/sealed-item.ts';
import type { TimeSlices } from '../contract/time-slices.ts';

const stepsBetweenLooks = 1024;

/** The items in canonical order once some came and some went, both in that order: few comparisons for the new ones, and a copy of the rest. */
export async function mergeIntoOrder(
  ordered: readonly PooledItem[],
  { come, gone }: { readonly come: readonly PooledItem[]; readonly gone: readonly PooledItem[] },
  slices: TimeSlices,
): Promise<PooledItem[]> {
  const merged: PooledItem[] = [];
  let from = 0;
  let passed = 0;

  async function copyTo(end: number): Promise<void> {
    for (; from < end; from++) {
      const item = ordered[from] as PooledItem;
      if (item === gone[passed]) passed += 1;
      else merged.push(item);
      if (from % stepsBetweenLooks === 0 && slices.due()) await slices.next();
    }
  }

  for (const item of come) {
    await copyTo(firstNotBefore(ordered, item, from));
    merged.push(item);
  }
  await copyTo(ordered.length);
  return merged;
}

/** Looks near by first: items that come are often neighbours. */
function firstNotBefore(ordered: readonly PooledItem[], item: PooledItem, from: number): number {
  let low = from;
  let step = 1;
  while (low + step < ordered.length && compareItems(ordered[low + step] as PooledItem, item) < 0) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, ordered.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareItems(ordered[middle] as PooledItem, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
