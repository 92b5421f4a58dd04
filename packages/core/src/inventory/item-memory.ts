import { comma, largestPoolBytes, ownRange, type ByteRange } from '../contract/json/byte-range.ts';
import { PooledItem } from '../contract/snapshot/sealed-item.ts';

const smallestPoolBytes = 16 * 1024;

/** The bytes of an inventory's items, in pools of up to 1 MiB, each item behind a comma: neighbours in a pool are hashed as one run. */
export interface ItemMemory {
  /** Bytes of the pools in which they lie. */
  readonly reserved: number;
  /** True where so much lies idle that items should move. */
  readonly wasteful: boolean;
  keep(bytes: Uint8Array): ByteRange;
  /** The inventory no longer holds these. */
  release(range: ByteRange): void;
  /** Moves the item where its pool is mostly idle; `lent` tells that it was released, and that a snapshot may have it yet. */
  tidy(item: PooledItem, lent?: boolean): void;
  /** Moves an item that is held behind the one that was kept or moved last. */
  append(item: PooledItem): void;
}

interface Pool {
  readonly size: number;
  /** Bytes of the items that are held, with their commas. */
  held: number;
}

export function createItemMemory(): ItemMemory {
  const pools = new Map<Buffer, Pool>();
  let open = Buffer.alloc(0);
  let used = 0;
  let reserved = 0;
  let held = 0;
  let items = 0;

  /** A tenth of what there is: an inventory of ten items does not hold a megabyte. */
  const poolBytes = (): number => Math.max(smallestPoolBytes, Math.min(Math.ceil(held / 10), largestPoolBytes));

  function begin(size: number): void {
    const full = open;
    open = Buffer.allocUnsafeSlow(size);
    used = 0;
    reserved += size;
    pools.set(open, { size, held: 0 });
    forgetIdle(full);
  }

  function forgetIdle(buffer: Buffer): void {
    const pool = pools.get(buffer);
    if (buffer === open || pool === undefined || pool.held > 0) return;
    pools.delete(buffer);
    reserved -= pool.size;
  }

  function keep(bytes: Uint8Array): ByteRange {
    const size = bytes.length + 1;
    if (open.length - used < size) begin(Math.max(size, poolBytes()));
    open[used] = comma;
    open.set(bytes, used + 1);
    const start = used + 1;
    used += size;
    (pools.get(open) as Pool).held += size;
    held += bytes.length;
    items += 1;
    return { pool: open, start, end: used };
  }

  function release({ pool, start, end }: ByteRange): void {
    (pools.get(pool) as Pool).held -= end - start + 1;
    held -= end - start;
    items -= 1;
    forgetIdle(pool);
  }

  function append(item: PooledItem): void {
    const range = PooledItem.rangeOf(item);
    PooledItem.move(item, keep(range.pool.subarray(range.start, range.end)));
    release(range);
  }

  return {
    get reserved() {
      return reserved;
    },
    get wasteful() {
      return reserved > (held + items) * 1.2 + 2 * poolBytes();
    },
    keep,
    release,
    tidy(item, lent = false) {
      const range = PooledItem.rangeOf(item);
      const isAlone = range.end - range.start === range.pool.length;
      if (isAlone) return;
      const pool = pools.get(range.pool);
      // A pool that is forgotten is kept alive by what is lent alone.
      if (range.pool === open || (pool !== undefined && pool.held * 6 > pool.size * 5)) return;
      const bytes = range.pool.subarray(range.start, range.end);
      if (lent) return PooledItem.move(item, ownRange(bytes));
      append(item);
    },
    append,
  };
}
