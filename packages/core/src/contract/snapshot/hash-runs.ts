import { createHash, type Hash } from 'node:crypto';
import { comma } from '../json/byte-range.ts';
import { PooledItem } from './sealed-item.ts';
import type { TimeSlices } from '../time-slices.ts';

const gatheredBytes = 64 * 1024;
/** Shorter runs are copied together: a call of the hash costs as much as some kilobytes of it. */
const shortRunBytes = 8 * 1024;
const runsBetweenLooks = 64;

/** The checksum of items in canonical order, with few copies: neighbours in a pool have their comma between them. */
export async function hashRuns(items: readonly PooledItem[], slices: TimeSlices): Promise<string> {
  const hash = createHash('sha256');
  const gathered = createGatherer(hash, Math.min(gatheredBytes, 2 + items.length * (shortRunBytes + 1)));
  gathered.byte(openArray);
  for (let index = 0; index < items.length;) {
    index = addRuns(items, index, gathered);
    if (slices.due()) await slices.next();
  }
  gathered.byte(closeArray);
  gathered.flush();
  return hash.digest('hex');
}

const [openArray, closeArray] = [0x5b, 0x5d] as const;

/** How many runs of neighbours the items are; as many as there are items where none lies behind the one before it. */
export function countRuns(items: readonly PooledItem[]): number {
  let runs = 0;
  let last: PooledItem | undefined;
  for (const item of items) {
    if (last === undefined || !PooledItem.isFollowedBy(last, item)) runs += 1;
    last = item;
  }
  return runs;
}

/** Some runs of neighbours from the index on; gives the index behind them. */
function addRuns(items: readonly PooledItem[], from: number, gathered: Gatherer): number {
  let index = from;
  for (let count = 0; count < runsBetweenLooks && index < items.length; count++) {
    const first = items[index++] as PooledItem;
    let last = first;
    for (let next = items[index]; next !== undefined && PooledItem.isFollowedBy(last, next); next = items[index]) {
      last = next;
      index += 1;
    }
    gathered.run(first, last);
    if (index < items.length) gathered.byte(comma);
  }
  return index;
}

/** Hands bytes to the hash, few of them together. */
interface Gatherer {
  byte(code: number): void;
  run(first: PooledItem, last: PooledItem): void;
  flush(): void;
}

function createGatherer(hash: Hash, size: number): Gatherer {
  const gathered = Buffer.allocUnsafe(size);
  let used = 0;
  const flush = (): void => {
    if (used > 0) hash.update(gathered.subarray(0, used));
    used = 0;
  };
  return {
    byte(code) {
      if (used === size) flush();
      gathered[used++] = code;
    },
    run(first, last) {
      const length = PooledItem.runLength(first, last);
      if (used + length > size) flush();
      if (length <= shortRunBytes) used = PooledItem.copyRun(first, last, gathered, used);
      else {
        flush();
        hash.update(PooledItem.run(first, last));
      }
    },
    flush,
  };
}
