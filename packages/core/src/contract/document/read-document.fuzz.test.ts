import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createCanonicalWriter } from '../json/canonical-json.ts';
import { createCanonicalScanner } from '../json/canonical-scanner.ts';
import { wholeDocument, splitDocument } from './document.ts';
import { SinkError } from '../errors/errors.ts';
import { damage, fuzz, fuzzProperty, fuzzTimeoutMs, type Random } from '../fuzz.fixture.ts';
import { joinParts, joinPartsInSlices, parseDocument, parseDocumentInSlices } from './read-document.ts';
import type { InventoryDocument } from './read-document.ts';
import { sealSnapshot } from '../snapshot/seal-snapshot.ts';
import type { Item } from '../snapshot/snapshot.ts';

const canonical = (value: unknown): string => {
  const writer = createCanonicalWriter();
  writer.value(value, 'value');
  return writer.written().toString('utf8');
};

const scanned = (text: string, step = 1): boolean => {
  const bytes = Buffer.from(text);
  const scanner = createCanonicalScanner(bytes);
  scanner.begin(0);
  for (;;) {
    const state = scanner.run(scanner.end + step);
    // What follows a number may be the rest of it.
    if (state !== 'more') return state === 'canonical' && scanner.end === bytes.length;
  }
};

/** What the scanner must say: that the writer writes the same. */
const isCanonical = (text: string): boolean => {
  try {
    return canonical(JSON.parse(text)) === text;
  } catch {
    return false;
  }
};

describe('canonical JSON is told from any other', () => {
  const values = fc.jsonValue({ maxDepth: 5 }).map((value) => value as object);
  const strings = fc.string({
    unit: fc.constantFrom('a', 'é', '\u2028', '😀', '\uffff', '"', '\\', '\n', '\u0001', '\u001f', '\u007f', '/'),
    maxLength: 12,
  });

  test(
    'property: what the writer wrote is canonical, however it is read',
    async () => {
      const value = fc.oneof(
        values,
        strings,
        fc.dictionary(strings, strings),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      );
      await fuzzProperty(
        fc.property(value, fc.integer({ min: 1, max: 40 }), (given, step) => {
          let text: string;
          try {
            text = canonical(given);
          } catch {
            return;
          }
          expect(scanned(text, step)).toBe(true);
        }),
        1_000,
      );
    },
    fuzzTimeoutMs,
  );

  test.each([
    '{"a":1,"a":2}',
    '{"b":1,"a":2}',
    '{"\uffff":1,"😀":2}',
    '{"a" :1}',
    '[1, 2]',
    '[1,]',
    '{"a":1,}',
    '[01]',
    '-0',
    '1.0',
    '1E2',
    '1e999',
    '9007199254740993',
    '1e21',
    String.raw`"\u0000"`,
    String.raw`"\u001F"`,
    String.raw`"\u000a"`,
    String.raw`"\u0061"`,
    String.raw`"\ud800"`,
    String.raw`"\/"`,
    '"a',
    '"\n"',
    'tru',
    'nulll',
    '{"a"1}',
    '{1:1}',
    '[}',
    '',
  ])('%s is not', (text) => {
    expect([scanned(text), isCanonical(text)]).toEqual([false, false]);
  });

  test('by depth, too', () => {
    expect(scanned('['.repeat(500) + ']'.repeat(500))).toBe(true);
    expect(scanned('['.repeat(501) + ']'.repeat(501))).toBe(false);
  });

  test(
    'fuzz: the scanner agrees with the writer on damaged text',
    () =>
      fuzz(3_000, (random) => {
        const text = damage(Buffer.from(canonical(someAttributes(random))), random).toString('utf8');
        expect([scanned(text, 1 + random(30)), text]).toEqual([isCanonical(text), text]);
      }),
    fuzzTimeoutMs,
  );
});

describe('documents', () => {
  let whole: Buffer;
  let parts: Buffer[];

  beforeAll(async () => {
    const items = Array.from({ length: 12 }, (_, index) => ({ ...item(index), attributes: { index, text: 'ü"\n' } }));
    const snapshot = await sealSnapshot({
      cluster: 'c',
      inventoryNamespace: 'team',
      inventoryName: 'all',
      generation: 1,
      items,
      incompleteTargets: ['pods'],
    });
    whole = Buffer.from(wholeDocument(snapshot).bytes());
    parts = splitDocument(snapshot, { maxBytes: 900 }).map((part) => Buffer.from(part.bytes()));
  });

  test(
    'fuzz: a damaged one is refused, or says what JSON.parse says; in slices as at once',
    () =>
      fuzz(3_000, async (random) => {
        const bytes = damage(random(2) === 0 ? whole : (parts[random(parts.length)] ?? whole), random);
        const [atOnce, inSlices] = [
          await outcome(() => parseDocument(bytes)),
          await outcome(() => parseDocumentInSlices(bytes)),
        ];
        expect(inSlices).toEqual(atOnce);
        if (typeof atOnce === 'string') return;
        const plain = JSON.parse(bytes.toString('utf8')) as InventoryDocument;
        // An empty group is the core group, which an item does not name.
        expect(atOnce.items).toEqual(
          plain.items.map(({ group, ...item }) => (group === '' || group === undefined ? item : { ...item, group })),
        );
        expect(atOnce.itemCount).toBe(plain.items.length);
        expect(atOnce.exportedAt).toBe(new Date(plain.exportedAt).toISOString());
      }),
    fuzzTimeoutMs,
  );

  test(
    'fuzz: one that is written otherwise says the same',
    () =>
      fuzz(300, (random) => {
        const loose = otherwise(JSON.parse(whole.toString('utf8')), random);
        expect([loose, parseDocument(loose)]).toEqual([loose, parseDocument(whole)]);
      }),
    fuzzTimeoutMs,
  );

  test(
    'fuzz: parts of which some are damaged join to the whole or not at all; in slices as at once',
    () =>
      fuzz(500, async (random) => {
        const read = parts.flatMap((part) => {
          const bytes = random(6) === 0 ? damage(part, random) : part;
          try {
            return random(12) === 0 ? [] : [parseDocument(bytes)];
          } catch {
            return [];
          }
        });
        const [atOnce, inSlices] = [await outcome(() => joinParts(read)), await outcome(() => joinPartsInSlices(read))];
        expect(inSlices).toEqual(atOnce);
        if (typeof atOnce !== 'string') expect(atOnce.items).toEqual(parseDocument(whole).items);
      }),
    fuzzTimeoutMs,
  );
});

/** The document, or the message of the only refusal that there may be. */
async function outcome(
  read: () => InventoryDocument | Promise<InventoryDocument>,
): Promise<InventoryDocument | string> {
  try {
    return await read();
  } catch (error) {
    if (SinkError.isInstance(error) && error.code === 'SNAPSHOT_INVALID' && error.operation === 'read')
      return error.message;
    throw error;
  }
}

function item(index: number): Item {
  return {
    targetNamespace: 'team',
    targetName: 'pods',
    namespace: '',
    name: `web-${index}`,
    version: 'v1',
    kind: 'Pod',
    uid: `u${index}`,
    attributes: {},
    ...(index % 2 === 0 ? { group: 'apps' } : {}),
  };
}

const texts = ['', 'a', 'ü', '😀', '\uffff', '"\\\n\u0001', 'x'.repeat(40)];

function someAttributes(random: Random, depth = 0): unknown {
  const some = <T>(make: () => T): T[] => Array.from({ length: random(4) }, make);
  switch (random(depth < 3 ? 6 : 4)) {
    case 0:
      return texts[random(texts.length)];
    case 1:
      return [0, -1.5, 1e-7, 123456789012, 0.1, 1e-300][random(6)];
    case 2:
      return [true, false, null][random(3)];
    case 3:
      return random(1000);
    case 4:
      return some(() => someAttributes(random, depth + 1));
    default:
      return Object.fromEntries(some(() => [texts[random(texts.length)], someAttributes(random, depth + 1)]));
  }
}

/** The same value with other white space, escapes and order of keys. */
function otherwise(value: unknown, random: Random): string {
  const space = (): string => ['', '', '', ' ', '\n\t'][random(5)] ?? '';
  if (typeof value === 'string') {
    const text = JSON.stringify(value);
    return random(4) === 0
      ? text.replace(/[a-z](?![^"]*\\)/, (letter) =>
          text.includes('\\') ? letter : `\\u00${letter.charCodeAt(0).toString(16)}`,
        )
      : text;
  }
  if (Array.isArray(value))
    return `[${space()}${value.map((each) => otherwise(each, random)).join(`${space()},${space()}`)}${space()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (random(3) === 0) entries.reverse();
  return `{${space()}${entries.map(([name, each]) => `${otherwise(name, random)}${space()}:${space()}${otherwise(each, random)}`).join(`,${space()}`)}${space()}}`;
}
