import { comma, largestPoolBytes, largestPooledBytes, ownRange, type ByteRange } from './byte-range.ts';
import { writeEscape } from './json-escapes.ts';
import { describeInstance, isPlainObject, remedyFor } from './plain-object.ts';
import { depthRefusal, Refusal } from './refusal.ts';
import { sortedKeys } from './sorted-keys.ts';
import { isWellFormed } from './text.ts';

/** Containers inside containers that a value may hold; V8's stack and PostgreSQL's jsonb take more. */
export const maxDepth = 500;

const maxBytes = 64 * 1024 * 1024;
/** A small inventory is sealed in less time than more memory takes. */
const initialBytes = 4 * 1024;
/** A buffer that one huge item needed is let go after it. */
const keptBytes = 4 * 1024 * 1024;
/** Above this many code units the runtime's own encoder beats the loop, and six bytes a unit would be too much to reserve. */
const longString = 4096;

const nullCharacter = 'the character U+0000, which stores cannot keep';
const halfSurrogate = 'half of a surrogate pair, which is no character';
const quote = 0x22;
const backslash = 0x5c;
const [openArray, closeArray, openObject, closeObject, colon] = [0x5b, 0x5d, 0x7b, 0x7d, 0x3a] as const;
/** Writes canonical JSON (RFC 8785) as UTF-8 into memory of its own, used again for the next value unless it is kept. */
export interface CanonicalWriter {
  /** Forgets what was written. */
  reset(): void;
  /** ASCII as it is, unescaped. */
  raw(ascii: string): void;
  /** Any JSON value, found under `path` in what the caller writes; throws `Refusal`. */
  value(value: unknown, path: string): void;
  /** Bytes as they are. */
  bytes(bytes: Uint8Array): void;
  /** What was written since `reset`; valid until the next write. */
  written(): Buffer;
  /** The same, to stay: what is written next goes behind it, or into another pool, of which each is twice as large, up to 1 MiB. */
  keep(): ByteRange;
}

/** A writer of canonical JSON. As with JSON.stringify, properties that are `undefined`, not enumerable or named by symbols are left out. */
export function createCanonicalWriter(): CanonicalWriter {
  let bytes = Buffer.allocUnsafeSlow(initialBytes);
  /** Of the value; what is kept lies before it. */
  let start = 0;
  let length = 0;
  // path[d] leads from ancestors[d - 1] to the value at depth d. Kept while writing, since on a refusal it is too late to ask.
  const path: (string | number)[] = [];
  const ancestors: object[] = [];

  function reserve(size: number): void {
    if (bytes.length - length >= size) return;
    const needed = length - start + size;
    // Objects that contain the same part many times are small in memory, and can be huge as text.
    if (needed > maxBytes) refuseSize(0);
    const most = start === 0 ? maxBytes : largestPoolBytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(Math.min(bytes.length * 2, most), needed));
    bytes.copy(larger, 0, start, length);
    bytes = larger;
    length -= start;
    start = 0;
  }

  function refuse(depth: number, problem: string, remedy: string): never {
    throw new Refusal({ path: path.slice(0, depth + 1), problem, remedy });
  }

  /** What sealing with sanitize would replace. */
  function refuseDirty(depth: number, problem: string, remedy: string): never {
    throw new Refusal({
      path: path.slice(0, depth + 1),
      problem,
      remedy: `${remedy}, or seal with sanitize`,
      sanitizable: true,
    });
  }

  function refuseSize(depth: number): never {
    refuse(depth, 'has more than 64 MiB as JSON', 'collect fewer attributes');
  }

  function refuseText(depth: number, isKey: boolean, what: string): never {
    refuseDirty(depth, `${isKey ? 'is a key that holds' : 'holds'} ${what}`, 'remove it');
  }

  function writeRaw(ascii: string): void {
    const size = ascii.length;
    reserve(size);
    const target = bytes;
    let at = length;
    for (let index = 0; index < size; index++) target[at++] = ascii.charCodeAt(index);
    length = at;
  }

  function writeByte(code: number): void {
    reserve(1);
    bytes[length++] = code;
  }

  function writeString(text: string, depth: number, isKey: boolean): void {
    const size = text.length;
    if (size > longString) return writeLongString(text, depth, isKey);
    reserve(size * 6 + 3);
    const target = bytes;
    let at = length;
    target[at++] = quote;
    for (let index = 0; index < size; index++) {
      const code = text.charCodeAt(index);
      if (code < 0x80) {
        if (code >= 0x20 && code !== quote && code !== backslash) target[at++] = code;
        else if (code === 0) refuseText(depth, isKey, nullCharacter);
        else at = writeEscape(target, at, code);
      } else if (code < 0x800) {
        target[at++] = 0xc0 | (code >> 6);
        target[at++] = 0x80 | (code & 0x3f);
      } else if (code < 0xd800 || code > 0xdfff) {
        target[at++] = 0xe0 | (code >> 12);
        target[at++] = 0x80 | ((code >> 6) & 0x3f);
        target[at++] = 0x80 | (code & 0x3f);
      } else {
        const low = index + 1 < size ? text.charCodeAt(++index) : 0;
        if (code > 0xdbff || low < 0xdc00 || low > 0xdfff) refuseText(depth, isKey, halfSurrogate);
        const point = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        target[at++] = 0xf0 | (point >> 18);
        target[at++] = 0x80 | ((point >> 12) & 0x3f);
        target[at++] = 0x80 | ((point >> 6) & 0x3f);
        target[at++] = 0x80 | (point & 0x3f);
      }
    }
    target[at++] = quote;
    length = at;
  }

  function writeLongString(text: string, depth: number, isKey: boolean): void {
    // Before escaping: six characters for one may be more than a string can hold.
    if (text.length > maxBytes) refuseSize(depth);
    if (text.includes('\0')) refuseText(depth, isKey, nullCharacter);
    if (!isWellFormed(text)) refuseText(depth, isKey, halfSurrogate);
    const quoted = JSON.stringify(text);
    const size = Buffer.byteLength(quoted);
    if (size > maxBytes) refuseSize(depth);
    reserve(size);
    length += bytes.write(quoted, length);
  }

  function writeNumber(value: number, depth: number): void {
    if (!Number.isFinite(value))
      refuseDirty(depth, 'is NaN or infinite, which JSON cannot carry', 'give a finite number or null');
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      refuseDirty(depth, 'is an integer beyond 2^53, whose last digits are lost already', 'give it as a string');
    // `String` is ECMAScript's form, which RFC 8785 takes over; it turns -0 into 0.
    writeRaw(String(value));
  }

  function writeValue(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        return writeString(value, depth, false);
      case 'number':
        return writeNumber(value, depth);
      case 'boolean':
        return writeRaw(value ? 'true' : 'false');
      case 'object':
        if (value === null) return writeRaw('null');
        if (depth >= maxDepth) throw depthRefusal(path, [...ancestors.slice(0, depth), value]);
        ancestors[depth] = value;
        return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
      case 'undefined':
        return refuse(depth, 'is undefined', 'give null');
      case 'bigint':
        return refuse(depth, 'is a bigint, which JSON cannot carry', 'give it as a string');
      case 'function':
      case 'symbol':
        return refuse(depth, `is a ${typeof value}, which JSON cannot carry`, 'leave it out');
    }
  }

  function writeArray(value: readonly unknown[], depth: number): void {
    const size = value.length;
    writeByte(openArray);
    for (let index = 0; index < size; index++) {
      if (index > 0) writeByte(comma);
      path[depth + 1] = index;
      // Read as it is: a getter here is called, once. Asking first would make lists half as slow again.
      const element = value[index];
      if (element === undefined)
        refuse(depth + 1, index in value ? 'is undefined inside an array' : 'is a hole in an array', 'give null');
      writeValue(element, depth + 1);
    }
    writeByte(closeArray);
  }

  function writeObject(value: object, depth: number): void {
    if (!isPlainObject(value)) {
      refuse(depth, `is ${describeInstance(value)}, not a plain object`, remedyFor(value));
    }
    const keys = sortedKeys(value);
    let separator: number = openObject;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      path[depth + 1] = key;
      const property = readProperty(value, key, depth + 1);
      if (property === undefined) continue;
      writeByte(separator);
      separator = comma;
      writeString(key, depth + 1, true);
      writeByte(colon);
      writeValue(property, depth + 1);
    }
    if (separator === openObject) writeByte(openObject);
    writeByte(closeObject);
  }

  function readProperty(value: object, key: string, depth: number): unknown {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (descriptor?.get !== undefined || descriptor?.set !== undefined) {
      refuse(depth, 'is computed by a getter or setter', 'give the value itself');
    }
    return descriptor?.value;
  }

  return {
    reset() {
      length = start;
      ancestors.length = 0;
      if (bytes.length > keptBytes) {
        bytes = Buffer.allocUnsafeSlow(initialBytes);
        start = length = 0;
      }
    },
    raw: writeRaw,
    bytes(more) {
      reserve(more.length);
      bytes.set(more, length);
      length += more.length;
    },
    value(value, at) {
      path[0] = at;
      writeValue(value, 0);
    },
    written: () => bytes.subarray(start, length),
    keep() {
      if (length - start > largestPooledBytes) return ownRange(bytes.subarray(start, length));
      const range = { pool: bytes, start, end: length };
      if (length < bytes.length) bytes[length++] = comma;
      start = length;
      return range;
    },
  };
}
