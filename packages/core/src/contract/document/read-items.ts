import { createCanonicalScanner, isAt, textOf, type ScanState } from '../json/canonical-scanner.ts';
import { refuseJson, stepBytes } from './document-envelope.ts';
import { SinkError } from '../errors/errors.ts';
import { createItemEncoder, type ItemEncoder } from '../snapshot/item-encoder.ts';
import { createJsonSkipper, isJsonSpace } from '../json/json-skipper.ts';
import { formatScope } from '../snapshot/scope.ts';
import { createBytePools, PooledItem } from '../snapshot/sealed-item.ts';
import type { ItemIdentity, Scope } from '../snapshot/snapshot.ts';
import type { Steps } from '../steps.ts';

const [quote, comma, openArray, closeArray, openObject, closeObject] = [0x22, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d] as const;
const itemStart = Buffer.from('{"attributes":');

/** Fields after the attributes, as they are sorted; only those of `mayBeEmpty` and the group may say nothing. */
const textFields = ['group', 'kind', 'name', 'namespace', 'targetName', 'targetNamespace', 'uid', 'version'] as const;
const prefixes = textFields.map((field) => ({ field, prefix: Buffer.from(`,"${field}":`) }));
const mayBeEmpty: ReadonlySet<string> = new Set(['namespace', 'targetNamespace']);

export interface ReadItems {
  readonly items: readonly PooledItem[];
  /** After the array. */
  readonly end: number;
  /** True where the array itself is canonical: its bytes are those that the checksum is of. */
  readonly canonical: boolean;
}

export interface ReadItemsOptions {
  readonly start: number;
  readonly end: number;
  /** An item that is not canonical is parsed as a whole, up to this. */
  readonly maxLooseBytes: number;
}

/**
 * Reads the array of items at `start`. What is canonical is copied as it is and never parsed, whatever its size; anything else is encoded
 * anew. SNAPSHOT_INVALID names the first item that cannot be one.
 */
export function* readItems(
  bytes: Buffer,
  { start, end: expectedEnd, maxLooseBytes }: ReadItemsOptions,
  scope: Scope,
): Steps<ReadItems> {
  const scanner = createCanonicalScanner(bytes);
  const skipper = createJsonSkipper(bytes);
  const keep = createBytePools({ expectedBytes: expectedEnd - start });
  let encoder: ItemEncoder | undefined;
  const shared = new Map<string, string>();
  const items: PooledItem[] = [];
  let canonical = true;
  let at = start;

  /** One string for equal ones, as most fields of most items are. */
  const share = (text: string): string => {
    const known = shared.get(text);
    if (known === undefined) shared.set(text, text);
    return known ?? text;
  };
  const begin = (from: number): ScanState => {
    scanner.begin(from);
    return scanner.run(from + stepBytes);
  };
  function* goOn(): Steps<ScanState> {
    for (;;) {
      yield;
      const state = scanner.run(scanner.end + stepBytes);
      if (state !== 'more') return state;
    }
  }
  /** The item at `at`, which then is after it; undefined where it is not canonical. */
  function* canonicalItem(): Steps<PooledItem | undefined> {
    const first = at;
    if (!isAt(bytes, at, itemStart) || bytes[at + itemStart.length] !== openObject) return undefined;
    let state = begin(at + itemStart.length);
    if (state === 'more') state = yield* goOn();
    if (state === 'other') return undefined;
    let next = scanner.end;
    const identity: Partial<Record<keyof ItemIdentity, string>> = {};
    for (const { field, prefix } of prefixes) {
      if (!isAt(bytes, next, prefix)) {
        if (field === 'group') continue;
        return undefined;
      }
      const textStart = next + prefix.length;
      if (bytes[textStart] !== quote) return undefined;
      state = begin(textStart);
      if (state === 'more') state = yield* goOn();
      if (state === 'other') return undefined;
      const { end, plain } = scanner;
      const text = plain ? bytes.toString('latin1', textStart + 1, end - 1) : textOf(bytes, textStart + 1, end - 1);
      if (text === '' && !mayBeEmpty.has(field)) return undefined;
      identity[field] = field === 'uid' || field === 'name' ? text : share(text);
      next = end;
    }
    if (bytes[next] !== closeObject) return undefined;
    at = next + 1;
    return new PooledItem(identity as ItemIdentity, keep(bytes.subarray(first, at)));
  }
  function* looseItem(): Steps<PooledItem> {
    canonical = false;
    skipper.begin(at);
    while (!skipper.run(skipper.end + stepBytes)) {
      if (skipper.end >= bytes.length) refuseJson(bytes);
      yield;
    }
    const [first, end] = [skipper.start, skipper.end];
    if (end - first > maxLooseBytes) {
      throw new SinkError(
        'SNAPSHOT_INVALID',
        `Inventory ${formatScope(scope)}, item ${items.length} of the list: it has ${end - first} bytes and is not canonical JSON (RFC 8785), as which a document is written; expected at most ${maxLooseBytes} bytes of anything else.`,
        { operation: 'read' },
      );
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(bytes.toString('utf8', first, end)) as unknown;
    } catch {
      refuseJson(bytes);
    }
    encoder ??= createItemEncoder({ scope, operation: 'read' });
    const { identity, json } = encoder.encode(parsed, items.length);
    at = end;
    return new PooledItem(identity, keep(json));
  }
  const skipSpace = (): void => {
    const before = at;
    while (isJsonSpace(bytes[at])) at++;
    if (at > before) canonical = false;
  };

  if (bytes[at] !== openArray) refuseJson(bytes);
  at++;
  skipSpace();
  if (bytes[at] !== closeArray) {
    for (;;) {
      items.push((yield* canonicalItem()) ?? (yield* looseItem()));
      skipSpace();
      if (bytes[at] === closeArray) break;
      if (bytes[at] !== comma) refuseJson(bytes);
      at++;
      skipSpace();
      yield;
    }
  }
  return { items, end: at + 1, canonical };
}
