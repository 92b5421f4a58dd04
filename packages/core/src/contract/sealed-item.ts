import type { ItemIdentity, JsonValue, SealedItem } from './snapshot.ts';

const firstPoolBytes = 16 * 1024;
const largestPoolBytes = 1024 * 1024;

/** Where the bytes of an item lie. */
export interface ByteRange {
  readonly pool: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Keeps bytes in pools of up to 1 MiB: an object per item is small, and no snapshot needs one huge allocation. */
export function createBytePools(): (bytes: Uint8Array) => ByteRange {
  let pool = Buffer.allocUnsafeSlow(firstPoolBytes);
  let used = 0;
  return (bytes) => {
    if (pool.length - used < bytes.length) {
      if (bytes.length > largestPoolBytes / 4) return { pool: copyOf(bytes), start: 0, end: bytes.length };
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

function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

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
  readonly #pool: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(identity: ItemIdentity, { pool, start, end }: ByteRange) {
    this.targetNamespace = identity.targetNamespace;
    this.targetName = identity.targetName;
    this.namespace = identity.namespace;
    this.name = identity.name;
    if (identity.group !== undefined) this.group = identity.group;
    this.version = identity.version;
    this.kind = identity.kind;
    this.uid = identity.uid;
    this.#pool = pool;
    this.#start = start;
    this.#end = end;
    Object.freeze(this);
  }

  get json(): Uint8Array {
    return this.#pool.subarray(this.#start, this.#end);
  }

  get attributes(): { readonly [key: string]: JsonValue } {
    const item = JSON.parse(this.#pool.toString('utf8', this.#start, this.#end)) as {
      attributes: { [key: string]: JsonValue };
    };
    return item.attributes;
  }
}
