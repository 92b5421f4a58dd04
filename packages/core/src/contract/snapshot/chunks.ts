import { comma } from '../json/byte-range.ts';
import { endOfRun, PooledItem } from './sealed-item.ts';
import type { SealedItem } from './snapshot.ts';

const chunkBytes = 256 * 1024;
const commaBytes = Uint8Array.of(comma);

export interface ItemChunksOptions {
  /** What stands before the first item. */
  readonly head: string;
  readonly items: Iterable<Pick<SealedItem, 'json'>>;
  readonly tail: string;
  /** Yields the same memory again and again, for a reader that is done with a chunk when it asks for the next. */
  readonly reuse?: boolean;
  /** Of head, items, commas and tail together: little content takes little memory, which counts where inventories are small and many. */
  readonly byteLength: number;
}

type Item = Pick<SealedItem, 'json'>;
type ItemBytesOptions = Omit<ItemChunksOptions, 'items'> & { readonly items: readonly Item[] };

/** Items joined by commas between head and tail, in one copy of exactly so many bytes; `reuse` takes memory that others share, for what goes at once. */
export function itemBytes({ head, items, tail, byteLength, reuse = false }: ItemBytesOptions): Uint8Array {
  const bytes = reuse ? Buffer.allocUnsafe(byteLength) : new Uint8Array(byteLength);
  const start = Buffer.from(head);
  bytes.set(start);
  bytes.set(Buffer.from(tail), copyItems(items, bytes, start.length));
  return bytes;
}

/** Copies items with a comma between each two, neighbours in memory at once; gives where they end. */
function copyItems(items: ItemBytesOptions['items'], bytes: Uint8Array, start: number): number {
  let at = start;
  for (let index = 0; index < items.length;) {
    if (index > 0) bytes[at++] = comma;
    const end = endOfRun(items, index);
    at = copyRun(items[index], items[end - 1], bytes, at);
    index = end;
  }
  return at;
}

function copyRun(first: Item | undefined, last: Item | undefined, bytes: Uint8Array, at: number): number {
  if (first === undefined || last === undefined) return at;
  if (PooledItem.isPooled(first) && PooledItem.isPooled(last)) return PooledItem.copyRun(first, last, bytes, at);
  const { json } = first;
  bytes.set(json, at);
  return at + json.length;
}

/** Items joined by commas between head and tail, copied into chunks of 256 KiB of which the last may be shorter. */
export function* itemChunks({
  head,
  items,
  tail,
  reuse = false,
  byteLength,
}: ItemChunksOptions): Generator<Uint8Array> {
  let chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, byteLength));
  let used = 0;
  for (const piece of pieces(head, items, tail)) {
    let from = 0;
    while (from < piece.length) {
      if (used === chunk.length) {
        yield chunk;
        if (!reuse) chunk = Buffer.allocUnsafeSlow(chunkBytes);
        used = 0;
      }
      const size = Math.min(chunk.length - used, piece.length - from);
      chunk.set(size === piece.length ? piece : piece.subarray(from, from + size), used);
      used += size;
      from += size;
    }
  }
  if (used > 0) yield chunk.subarray(0, used);
}

function* pieces(head: string, items: ItemChunksOptions['items'], tail: string): Generator<Uint8Array> {
  let first = true;
  yield Buffer.from(head);
  for (const item of items) {
    if (!first) yield commaBytes;
    first = false;
    yield item.json;
  }
  yield Buffer.from(tail);
}
