import { createHash, type Hash } from 'node:crypto';
import { comma } from '../json/byte-range.ts';
import { endOfRun, PooledItem } from './sealed-item.ts';
import type { TimeSlices } from '../time-slices.ts';

const gatheredBytes = 64 * 1024;
/** Shorter runs are copied together: a call of the hash costs as much as some kilobytes of it. */
const shortRunBytes = 8 * 1024;
/** Hashed in well under a millisecond. */
const bytesBetweenLooks = 256 * 1024;
const [openArray, closeArray] = [0x5b, 0x5d] as const;

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

/** How many runs of neighbours the items are; as many as there are items where none lies behind the one before it. */
export function countRuns(items: readonly PooledItem[]): number {
  let runs = 0;
  for (let index = 0; index < items.length; index = endOfRun(items, index)) runs += 1;
  return runs;
}

/** Some runs of neighbours from the index on, the last of them at most as long as a pool; gives the index behind them. */
function addRuns(items: readonly PooledItem[], from: number, gathered: Gatherer): number {
  let index = from;
  for (let bytes = 0; bytes < bytesBetweenLooks && index < items.length;) {
    const end = endOfRun(items, index);
    bytes += gathered.run(items[index] as PooledItem, items[end - 1] as PooledItem);
    index = end;
    if (index < items.length) gathered.byte(comma);
  }
  return index;
}

/** Hands bytes to the hash, few of them together. */
interface Gatherer {
  byte(code: number): void;
  /** Gives how many bytes these were. */
  run(first: PooledItem, last: PooledItem): number;
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
      return length;
    },
    flush,
  };
}
