import { randomBytes } from 'node:crypto';

/** A record as it is in the topic. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  /** In order; a name may be there more than once. */
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
  readonly value: Buffer | null;
}

/** Makes records of what Java's console consumer prints, which it has to be started with `properties` for. */
export interface ConsoleParser {
  readonly properties: Readonly<Record<string, string>>;
  /** All so far. */
  readonly records: readonly ReadRecord[];
  push(chunk: Buffer): void;
}

/** Separators that nobody can guess: what is between them are the record's bytes, whatever they are. */
export function createConsoleParser(): ConsoleParser {
  const token = randomBytes(16).toString('hex');
  const marks = {
    field: `<field ${token}>`,
    line: `<line ${token}>`,
    header: `<header ${token}>`,
    none: `<null ${token}>`,
  };
  const records: ReadRecord[] = [];
  let pending: Buffer[] = [];
  let tail = Buffer.alloc(0);

  const orNull = (bytes: Buffer): Buffer | null => (bytes.equals(Buffer.from(marks.none)) ? null : bytes);
  const headersOf = (bytes: Buffer): ReadRecord['headers'] => {
    if (bytes.equals(Buffer.from('NO_HEADERS'))) return [];
    return split(bytes, marks.header).map((header) => {
      const colon = header.indexOf(':');
      return [header.toString('utf8', 0, colon), orNull(header.subarray(colon + 1))];
    });
  };
  const recordOf = (line: Buffer): ReadRecord => {
    const [time, partition, offset, headers, key, value, ...more] = split(line, marks.field);
    if (headers === undefined || key === undefined || value === undefined || more.length > 0) {
      throw new Error(`Java's console consumer printed no record: ${line.toString('utf8', 0, 300)}`);
    }
    return {
      partition: numberIn(partition),
      offset: numberIn(offset),
      timestamp: numberIn(time),
      key: orNull(key),
      headers: headersOf(headers),
      value: orNull(value),
    };
  };

  return {
    properties: {
      ...Object.fromEntries(
        ['timestamp', 'partition', 'offset', 'headers', 'key', 'value'].map((part) => [`print.${part}`, 'true']),
      ),
      'key.separator': marks.field,
      'line.separator': marks.line,
      'headers.separator': marks.header,
      'null.literal': marks.none,
    },
    records,
    push(chunk) {
      pending.push(chunk);
      // A large value comes in many chunks: they are joined when its end is there, not with each of them.
      const seen = Buffer.concat([tail, chunk]);
      tail = seen.subarray(-marks.line.length);
      if (!seen.includes(marks.line)) return;
      const lines = split(Buffer.concat(pending), marks.line);
      pending = [lines.pop() ?? Buffer.alloc(0)];
      records.push(...lines.map(recordOf));
    },
  };
}

function split(bytes: Buffer, mark: string): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, start)) {
    parts.push(bytes.subarray(start, at));
    start = at + mark.length;
  }
  parts.push(bytes.subarray(start));
  return parts;
}

// `CreateTime:1700000000000`, `Partition:0`: a warning of the tool may stand before the first of them.
function numberIn(field: Buffer | undefined): number {
  return Number(/:(\d+)$/u.exec(field?.toString() ?? '')?.[1]);
}
