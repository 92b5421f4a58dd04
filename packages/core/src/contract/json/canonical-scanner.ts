import { maxDepth } from './canonical-json.ts';

/** `more`: not at its end yet. `other`: no canonical JSON, or cut off. */
export type ScanState = 'more' | 'canonical' | 'other';

/**
 * Tells without parsing whether a value is canonical JSON (RFC 8785) that an item may hold: what is canonical already can be kept as it is.
 * The bytes are valid UTF-8. Takes no memory for what it reads, and stops where it is told.
 */
export interface CanonicalScanner {
  /** Goes on with the value at `from`. */
  begin(from: number): void;
  /** Reads up to about `limit`. */
  run(limit: number): ScanState;
  /** After the value. */
  readonly end: number;
  /** True where the string that was read last is ASCII without escapes. */
  readonly plain: boolean;
}

const quote = 0x22;
const backslash = 0x5c;
const [value, afterValue, key, firstKey, firstElement, string] = [0, 1, 2, 3, 4, 5] as const;
const [inArray, inObject] = [1, 2] as const;
/** No number that JSON has one form for is longer. */
const longestNumber = 25;
/** Escapes of two characters, by their second one; every other control character is `\u00xx`. */
const shortEscapes: ReadonlySet<number> = new Set(Buffer.from('bfnrt"\\'));
const longEscape = /^u00(?:0[1-7be-f]|1[0-9a-f])$/;
const literals = ['true', 'false', 'null'].map((text) => Buffer.from(text));

export function createCanonicalScanner(bytes: Buffer): CanonicalScanner {
  let at = 0;
  let state: number = value;
  let depth = 0;
  let isKey = false;
  let isPlain = true;
  let stringStart = 0;
  // By depth; they grow with it, for most values are shallow.
  const kinds: number[] = [0];
  /** Of the last key of each object around: where it stands, or a zero end where there was none. */
  const keyStart: number[] = [0];
  const keyEnd: number[] = [0];
  const keyPlain: boolean[] = [false];

  function open(kind: number): boolean {
    if (depth >= maxDepth) return false;
    depth++;
    kinds[depth] = kind;
    keyStart[depth] = 0;
    keyEnd[depth] = 0;
    keyPlain[depth] = false;
    at++;
    state = kind === inObject ? firstKey : firstElement;
    return true;
  }

  function beginString(asKey: boolean): void {
    at++;
    stringStart = at;
    isKey = asKey;
    isPlain = true;
    state = string;
  }

  /** False where it is not canonical. At `stop` the state is `string` still. */
  function runString(stop: number): boolean {
    let next = at;
    let plain = isPlain;
    while (next < stop) {
      const code = bytes[next] as number;
      if (code >= 0x20 && code !== quote && code !== backslash) {
        if (code >= 0x80) plain = false;
        next++;
        continue;
      }
      if (code === quote) break;
      const size = code === backslash ? escapeSize(bytes, next) : 0;
      if (size === 0) return false;
      plain = false;
      next += size;
    }
    at = next;
    isPlain = plain;
    return at >= stop || endString();
  }

  function endString(): boolean {
    const end = at;
    at++;
    state = afterValue;
    if (!isKey) return true;
    if (bytes[at] !== 0x3a || (keyEnd[depth] !== 0 && !isAfterLastKey(end))) return false;
    at++;
    keyStart[depth] = stringStart;
    keyEnd[depth] = end;
    keyPlain[depth] = isPlain;
    state = value;
    return true;
  }

  /** By UTF-16 code units, of which ASCII is no special case where it stands as it is. */
  function isAfterLastKey(end: number): boolean {
    const [lastStart, lastEnd] = [keyStart[depth] as number, keyEnd[depth] as number];
    if (isPlain && keyPlain[depth] === true) return bytes.compare(bytes, lastStart, lastEnd, stringStart, end) > 0;
    return textOf(bytes, lastStart, lastEnd) < textOf(bytes, stringStart, end);
  }

  function runNumber(): boolean {
    const start = at;
    while (at - start <= longestNumber && isNumeric(bytes[at])) at++;
    state = afterValue;
    if (at - start > longestNumber) return false;
    const text = bytes.toString('latin1', start, at);
    const number = Number(text);
    // As the writer has it: ECMAScript's form, and no integer whose last digits may be lost.
    return (
      String(number) === text &&
      (Number.isSafeInteger(number) || (Number.isFinite(number) && !Number.isInteger(number)))
    );
  }

  function runLiteral(): boolean {
    const literal = literals.find((each) => each[0] === bytes[at]);
    if (literal === undefined || !isAt(bytes, at, literal)) return false;
    at += literal.length;
    state = afterValue;
    return true;
  }

  function runValue(code: number): boolean {
    if (code === quote) {
      beginString(false);
      return true;
    }
    if (code === 0x7b) return open(inObject);
    if (code === 0x5b) return open(inArray);
    return code === 0x2d || (code >= 0x30 && code <= 0x39) ? runNumber() : runLiteral();
  }

  function close(): true {
    depth--;
    at++;
    state = afterValue;
    return true;
  }

  function step(code: number, stop: number): boolean {
    const isObject = kinds[depth] === inObject;
    switch (state) {
      case string:
        return runString(stop);
      case value:
        return runValue(code);
      case firstElement:
        return code === 0x5d ? close() : runValue(code);
      case afterValue:
        if (code === (isObject ? 0x7d : 0x5d)) return close();
        if (code !== 0x2c) return false;
        at++;
        state = isObject ? key : value;
        return true;
      default:
        if (code === 0x7d && state === firstKey) return close();
        if (code !== quote) return false;
        beginString(true);
        return true;
    }
  }

  return {
    begin(from) {
      at = from;
      state = value;
      depth = 0;
    },
    run(limit) {
      const stop = Math.min(limit, bytes.length);
      while (at < stop) {
        if (!step(bytes[at] as number, stop)) return 'other';
        if (depth === 0 && state === afterValue) return 'canonical';
      }
      return at >= bytes.length ? 'other' : 'more';
    },
    get end() {
      return at;
    },
    get plain() {
      return isPlain;
    },
  };
}

/** The text of a string of valid JSON, between its quotes. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  return text.includes('\\') ? (JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string) : text;
}

/** True where the bytes go on with those. */
export function isAt(bytes: Buffer, at: number, expected: Buffer): boolean {
  const end = at + expected.length;
  return end <= bytes.length && bytes.compare(expected, 0, expected.length, at, end) === 0;
}

/** Of the escape at the backslash; 0 where it is another than canonical JSON has. */
function escapeSize(bytes: Buffer, at: number): number {
  if (shortEscapes.has(bytes[at + 1] ?? 0)) return 2;
  return longEscape.test(bytes.toString('latin1', at + 1, at + 6)) ? 6 : 0;
}

function isNumeric(code: number | undefined): boolean {
  return (
    code !== undefined &&
    ((code >= 0x30 && code <= 0x39) ||
      code === 0x2d ||
      code === 0x2b ||
      code === 0x2e ||
      code === 0x65 ||
      code === 0x45)
  );
}
