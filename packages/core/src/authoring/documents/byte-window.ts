import type { TimeSlices } from '../../contract/time-slices.ts';

/** A stream, read piece by piece: what was read and not yet consumed stands in `view`. */
export interface ByteWindow {
  /** Valid until the next `more`. */
  readonly view: Buffer;
  /** Reads on; false at the end of the stream. Throws what `tooLong` gives where it goes on past `maxBytes`. */
  more(): Promise<boolean>;
  consume(count: number): void;
  /** Ends the stream early. */
  close(): Promise<void>;
}

export interface ByteWindowOptions {
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly maxBytes: number;
  readonly tooLong: () => Error;
  readonly slices: TimeSlices;
}

export function createByteWindow({ chunks, maxBytes, tooLong, slices }: ByteWindowOptions): ByteWindow {
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let buffer: Buffer = Buffer.alloc(0);
  let start = 0;
  let end = 0;
  /** Whether the buffer is our own and may be written behind `end`. */
  let owned = false;
  let total = 0;
  let done = false;
  let begun = false;

  const append = (chunk: Uint8Array): void => {
    if (start === end) {
      buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      [start, end, owned] = [0, chunk.byteLength, false];
      return;
    }
    if (!owned || buffer.length - end < chunk.byteLength) {
      // Twice what is needed: an item that arrives in a thousand pieces is not copied a thousand times.
      const next = Buffer.allocUnsafeSlow((end - start + chunk.byteLength) * 2);
      next.set(buffer.subarray(start, end));
      [buffer, end, start, owned] = [next, end - start, 0, true];
    }
    buffer.set(chunk, end);
    end += chunk.byteLength;
  };

  return {
    get view() {
      return buffer.subarray(start, end);
    },
    async more() {
      while (!done) {
        if (slices.due()) await slices.next();
        begun = true;
        const next = await iterator.next();
        if (next.done === true) {
          done = true;
          return false;
        }
        total += next.value.byteLength;
        if (total > maxBytes) throw tooLong();
        if (next.value.byteLength === 0) continue;
        append(next.value);
        return true;
      }
      return false;
    },
    consume(count) {
      start += count;
    },
    async close() {
      if (done) return;
      done = true;
      try {
        // A generator that never began frees nothing when it is ended.
        if (!begun) await iterator.next();
        await iterator.return?.();
      } catch {
        // Nobody reads it any more: how it ends is of no interest.
      }
    },
  };
}
