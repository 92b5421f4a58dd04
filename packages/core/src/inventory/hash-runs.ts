import { createHash } from 'node:crypto';
import { PooledItem } from '../contract/snapshot/sealed-item.ts';
import type { TimeSlices } from '../contract/time-slices.ts';

/** The checksum of items in canonical order: what `hashItems` gives, without a copy, for neighbours in a pool have their comma between them. */
export async function hashRuns(items: readonly PooledItem[], slices: TimeSlices): Promise<string> {
  const hash = createHash('sha256').update('[');
  for (let index = 0; index < items.length; index++) {
    const first = items[index] as PooledItem;
    let last = first;
    for (let next = items[index + 1]; next !== undefined && PooledItem.isFollowedBy(last, next);) {
      last = next;
      index += 1;
      next = items[index + 1];
    }
    hash.update(PooledItem.run(first, last));
    if (index + 1 < items.length) hash.update(',');
    if (slices.due()) await slices.next();
  }
  return hash.update(']').digest('hex');
}
