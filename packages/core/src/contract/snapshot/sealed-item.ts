import { largestPoolBytes, largestPooledBytes, ownRange, type ByteRange } from '../json/byte-range.ts';
import type { ItemIdentity, JsonValue, SealedItem } from './snapshot.ts';

const firstPoolBytes = 16 * 1024;

/**
 * Keeps bytes in pools of up to 1 MiB: an object per item is small, and no snapshot needs one huge allocation. Whoever knows how many bytes
 * there will be at most says so, for a small document takes no more than it needs.
 */
export function createBytePools({ expectedBytes = firstPoolBytes } = {}): (bytes: Uint8Array) => ByteRange {
  let pool = Buffer.allocUnsafeSlow(Math.min(expectedBytes, firstPoolBytes));
  let used = 0;
  return (bytes) => {
    if (pool.length - used < bytes.length) {
      if (bytes.length > largestPooledBytes) return ownRange(bytes);
      // Growing pools: a small inventory does not hold a megabyte.
      pool = Buffer.allocUnsafeSlow(Math.max(Math.min(pool.length * 2, largestPoolBytes), bytes.length));
      used = 0;
    }
    pool.set(bytes, used);
    const start = used;
    used += bytes.length;
    return { pool, start, end: used };
  };
}

/** An own property, so that JSON.stringify and a copy have it; one for all items, so that they keep one shape. */
const parsedAttributes: PropertyDescriptor = {
  enumerable: true,
  get(this: PooledItem) {
    return PooledItem.parse(this).attributes;
  },
};

/** A class for the sake of memory: 100 000 of these share their accessors. */
export class PooledItem implements SealedItem {
  readonly targetNamespace: string;
  readonly targetName: string;
  readonly namespace: string;
  readonly name: string;
  declare readonly group?: string;
  readonly version: string;
  readonly kind: string;
  readonly uid: string;
  declare readonly attributes: { readonly [key: string]: JsonValue };
  #pool: Buffer;
  #start: number;
  #end: number;

  constructor(identity: ItemIdentity, { pool, start, end }: ByteRange) {
    this.targetNamespace = identity.targetNamespace;
    this.targetName = identity.targetName;
    this.namespace = identity.namespace;
    this.name = identity.name;
    if (identity.group !== undefined) this.group = identity.group;
    this.version = identity.version;
    this.kind = identity.kind;
    this.uid = identity.uid;
    Object.defineProperty(this, 'attributes', parsedAttributes);
    this.#pool = pool;
    this.#start = start;
    this.#end = end;
    Object.freeze(this);
  }

  get json(): Uint8Array {
    return this.#pool.subarray(this.#start, this.#end);
  }

  /** True for an item of any snapshot or document of this copy of the package. */
  static isPooled(value: object): value is PooledItem {
    return #pool in value;
  }

  /** Where its bytes lie now. */
  static rangeOf(item: PooledItem): ByteRange {
    return { pool: item.#pool, start: item.#start, end: item.#end };
  }

  /** Bytes of its JSON. */
  static sizeOf(item: PooledItem): number {
    return item.#end - item.#start;
  }

  /** True where `next` lies right behind, but for the one byte between them. */
  static isFollowedBy(item: PooledItem, next: PooledItem): boolean {
    return item.#pool === next.#pool && item.#end + 1 === next.#start;
  }

  /** The bytes from the first of neighbours to the last. */
  static run(first: PooledItem, last: PooledItem): Uint8Array {
    return first.#pool.subarray(first.#start, last.#end);
  }

  static runLength(first: PooledItem, last: PooledItem): number {
    return last.#end - first.#start;
  }

  /** Copies the same bytes; gives where they end. */
  static copyRun(first: PooledItem, last: PooledItem, target: Uint8Array, at: number): number {
    return at + first.#pool.copy(target, at, first.#start, last.#end);
  }

  /** Lets it read the same bytes elsewhere, so that the memory where they lay can be given back. */
  static move(item: PooledItem, { pool, start, end }: ByteRange): void {
    item.#pool = pool;
    item.#start = start;
    item.#end = end;
  }

  static parse(item: PooledItem): Pick<SealedItem, 'attributes'> {
    return JSON.parse(item.#pool.toString('utf8', item.#start, item.#end)) as Pick<SealedItem, 'attributes'>;
  }
}

/** Bytes of the item's JSON, without a view of them where that is not needed. */
export function jsonLength(item: SealedItem): number {
  return PooledItem.isPooled(item) ? PooledItem.sizeOf(item) : item.json.byteLength;
}

/** Index behind the last of the neighbours in memory that begin with the item at `from`. */
export function endOfRun(items: readonly Pick<SealedItem, 'json'>[], from: number): number {
  let last = items[from];
  let end = from + 1;
  for (let next = items[end]; isNeighbour(last, next); next = items[end]) {
    last = next;
    end += 1;
  }
  return end;
}

function isNeighbour(last: Pick<SealedItem, 'json'> | undefined, next: Pick<SealedItem, 'json'> | undefined): boolean {
  if (last === undefined || next === undefined || !PooledItem.isPooled(last) || !PooledItem.isPooled(next))
    return false;
  return PooledItem.isFollowedBy(last, next);
}
