/** Finds the end of a JSON value by its brackets and quotes alone. */
export interface JsonSkipper {
  /** Goes on with the value at `from`, white space before it included. */
  begin(from: number): void;
  /** Reads up to about `limit`; true once the value has ended. False at the end of the bytes means that it has not. */
  run(limit: number): boolean;
  /** Of the value. */
  readonly start: number;
  readonly end: number;
  /** Elements of the array, where the value is one. */
  readonly count: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

export function isJsonSpace(code: number | undefined): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** What the value holds is not looked at: whether it is JSON must be found out otherwise. */
export function createJsonSkipper(bytes: Uint8Array): JsonSkipper {
  let at = 0;
  let start = 0;
  let depth = 0;
  let commas = 0;
  let inString = false;
  let isEmpty = true;
  let begun = false;

  /** After the value's first bracket or quote. */
  function runInside(stop: number): boolean {
    while (at < stop) {
      const code = bytes[at] as number;
      at++;
      if (inString) {
        if (code === backslash) at++;
        else if (code === quote) {
          inString = false;
          if (depth === 0) return true;
        }
      } else if (code === quote) {
        inString = true;
        isEmpty = false;
      } else if (code === comma) {
        if (depth === 1) commas++;
      } else if (code === 0x5b || code === 0x7b) {
        depth++;
        isEmpty = false;
      } else if (code === 0x5d || code === 0x7d) {
        depth--;
        if (depth === 0) return true;
      } else if (isEmpty && !isJsonSpace(code)) isEmpty = false;
    }
    return false;
  }

  function runScalar(): boolean {
    for (; at < bytes.length; at++) {
      const code = bytes[at] as number;
      if (code === comma || code === 0x5d || code === 0x7d || isJsonSpace(code)) return true;
    }
    return false;
  }

  function runStart(): boolean {
    while (isJsonSpace(bytes[at])) at++;
    start = at;
    const code = bytes[at];
    begun = true;
    if (code === quote) inString = true;
    else if (code === 0x5b || code === 0x7b) depth = 1;
    else return runScalar();
    at++;
    return false;
  }

  return {
    begin(from) {
      at = from;
      [start, depth, commas] = [from, 0, 0];
      [inString, isEmpty, begun] = [false, true, false];
    },
    run(limit) {
      if (!begun && runStart()) return true;
      return (depth > 0 || inString) && runInside(Math.min(limit, bytes.length));
    },
    get start() {
      return start;
    },
    get end() {
      return at;
    },
    get count() {
      return isEmpty ? 0 : commas + 1;
    },
  };
}
