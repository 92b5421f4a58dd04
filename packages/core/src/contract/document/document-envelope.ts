import { isUtf8 } from 'node:buffer';
import { SinkError } from '../errors/errors.ts';
import { describeType } from '../snapshot/item-encoder.ts';
import { createJsonSkipper, isJsonSpace } from '../json/json-skipper.ts';
import type { Steps } from '../steps.ts';

/** So much is read between two places where others may run. */
export const stepBytes = 256 * 1024;
/** Fields other than the items are parsed as a whole, up to this. */
const maxFieldBytes = 1024 * 1024;
/** V8 holds no longer text. */
const maxDocumentBytes = 512 * 1024 * 1024 - 24;
const utf8StepBytes = 8 * 1024 * 1024;

const [quote, colon, comma, openObject, closeObject, openArray] = [0x22, 0x3a, 0x2c, 0x7b, 0x7d, 0x5b] as const;

/** A document whose fields were read, and whose items were not. */
export interface DocumentEnvelope {
  /** All that the format knows, but the items. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where the array of items stands, and how many there seem to be; a description of what is there instead. */
  readonly items: { readonly start: number; readonly end: number; readonly count: number } | string;
}

const fieldNames: ReadonlySet<string> = new Set([
  'schemaVersion',
  'cluster',
  'inventoryNamespace',
  'inventoryName',
  'generation',
  'checksum',
  'partIndex',
  'partTotal',
  'itemCount',
  'exportedAt',
  'incompleteTargets',
]);

/** Reads the document's fields and passes over its items, of which nothing is allocated. */
export function* readEnvelope(bytes: Buffer): Steps<DocumentEnvelope> {
  if (bytes.length > maxDocumentBytes)
    return refuse(`The document has ${bytes.length} bytes; expected at most ${maxDocumentBytes}: export it in parts.`);
  yield* checkUtf8(bytes);
  const skipper = createJsonSkipper(bytes);
  const invalid = (): never => refuseJson(bytes);

  function* skip(from: number): Steps<number> {
    skipper.begin(from);
    while (!skipper.run(skipper.end + stepBytes)) {
      if (skipper.end >= bytes.length) invalid();
      yield;
    }
    return skipper.end;
  }
  const parsed = (start: number, end: number): unknown => {
    try {
      return JSON.parse(bytes.toString('utf8', start, end)) as unknown;
    } catch {
      return invalid();
    }
  };
  const afterSpace = (from: number): number => {
    let at = from;
    while (isJsonSpace(bytes[at])) at++;
    return at;
  };

  let at = afterSpace(0);
  if (bytes[at] !== openObject) {
    const value = bytes.length <= maxFieldBytes ? parsed(0, bytes.length) : undefined;
    return value === undefined ? invalid() : refuse(`The document is ${describeType(value)}; expected a JSON object.`);
  }
  const fields: Record<string, unknown> = {};
  const seen = new Set<string>();
  let items: DocumentEnvelope['items'] = 'missing';
  at = afterSpace(at + 1);
  if (bytes[at] !== closeObject) {
    for (;;) {
      if (bytes[at] !== quote) invalid();
      const nameEnd = yield* skip(at);
      // A long name is none of ours.
      const name = nameEnd - at > 64 ? '' : String(parsed(at, nameEnd));
      at = afterSpace(nameEnd);
      if (bytes[at] !== colon) invalid();
      const end = yield* skip(at + 1);
      const { start, count } = skipper;
      if (name === 'items' || fieldNames.has(name)) {
        if (seen.has(name)) refuse(`The document names ${name} twice; expected every field once.`);
        seen.add(name);
      }
      if (name === 'items') items = bytes[start] === openArray ? { start, end, count } : describeStart(bytes[start]);
      else if (end - start <= maxFieldBytes) {
        const value = parsed(start, end);
        if (fieldNames.has(name)) fields[name] = value;
      } else if (fieldNames.has(name))
        refuse(`The document's ${name} has ${end - start} bytes; expected at most ${maxFieldBytes}.`);
      at = afterSpace(end);
      if (bytes[at] === closeObject) break;
      if (bytes[at] !== comma) invalid();
      at = afterSpace(at + 1);
    }
  }
  if (afterSpace(at + 1) < bytes.length) invalid();
  return { fields, items };
}

/** In steps that end between two characters. */
function* checkUtf8(bytes: Buffer): Steps<void> {
  for (let start = 0; start < bytes.length;) {
    let end = Math.min(start + utf8StepBytes, bytes.length);
    for (let back = 0; end < bytes.length && back < 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80; back++) end--;
    if (!isUtf8(bytes.subarray(start, end)))
      refuse('The document is not valid UTF-8; expected the bytes as they were written.');
    start = end;
    if (start < bytes.length) yield;
  }
}

function describeStart(code: number | undefined): string {
  if (code === openObject) return describeType({});
  if (code === quote) return describeType('');
  if (code === 0x74 || code === 0x66) return describeType(true);
  return code === 0x6e ? describeType(null) : describeType(0);
}

/** The parser's own message quotes the text, which is row data. */
export function refuseJson(bytes: Uint8Array): never {
  return refuse(`The document is not valid JSON (${bytes.length} bytes); expected it whole and as it was written.`);
}

function refuse(message: string): never {
  throw new SinkError('SNAPSHOT_INVALID', message, { operation: 'read' });
}
