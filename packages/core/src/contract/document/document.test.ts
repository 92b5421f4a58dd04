import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { exportedAt, item, items, naiveJson, naiveSeal, refusal, seal } from '../contract.fixture.ts';
import { documentSchemaVersion, splitDocument, wholeDocument } from './document.ts';
import {
  joinParts,
  parseDocument,
  parseDocumentInSlices,
  snapshotFromDocument,
  type InventoryDocument,
} from './read-document.ts';

const parse = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;

describe('documents', () => {
  test('a whole document is canonical JSON with the fields of the data contract', async () => {
    const input = items(3, () => ({ ü: '€' }));
    const document = wholeDocument(await seal({ cluster: 'eü-1', items: input, incompleteTargets: ['b', 'a'] }));
    const expected = {
      schemaVersion: documentSchemaVersion,
      cluster: 'eü-1',
      inventoryNamespace: 'team',
      inventoryName: 'all',
      generation: 1,
      checksum: naiveSeal(input).checksum,
      itemCount: 3,
      exportedAt,
      incompleteTargets: ['a', 'b'],
      items: input,
    };
    expect(Buffer.from(document.bytes()).toString('utf8')).toBe(naiveJson(expected));
    expect(document).toMatchObject({
      partIndex: 0,
      partTotal: 1,
      itemCount: 3,
      byteLength: document.bytes().byteLength,
    });
  });

  test('an empty snapshot is one document with no items and no optional field', async () => {
    const document = wholeDocument(await seal({ items: [] }));
    expect(Object.keys(parse(document.bytes())).sort()).toEqual([
      'checksum',
      'exportedAt',
      'generation',
      'inventoryName',
      'inventoryNamespace',
      'itemCount',
      'items',
      'schemaVersion',
    ]);
    expect(document.byteLength).toBe(document.bytes().byteLength);
  });

  test('chunks are bounded, and are copies that may be kept', async () => {
    const snapshot = await seal({ items: items(5, (index) => ({ filler: 'x'.repeat(index * 300_000) })) });
    const document = wholeDocument(snapshot);
    const chunks = [...document.chunks()];
    expect(Math.max(...chunks.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.concat(chunks).equals(document.bytes())).toBe(true);
    chunks[0]?.fill(0);
    expect(parseDocument(document.bytes()).checksum).toBe(snapshot.checksum);
  });

  test('what fits is not split', async () => {
    const snapshot = await seal({ items: items(3) });
    const whole = wholeDocument(snapshot);
    const [only, ...others] = splitDocument(snapshot, { maxBytes: whole.byteLength });
    expect(others).toEqual([]);
    expect(only?.bytes()).toEqual(whole.bytes());
    expect(splitDocument(snapshot, { maxBytes: whole.byteLength - 1 })).toHaveLength(2);
  });

  test('parts carry the checksum of the whole, their own count, and keep the order', async () => {
    const snapshot = await seal({ items: items(9) });
    const parts = splitDocument(snapshot, { maxBytes: 700 });
    const texts = parts.map((part) => parse(part.bytes()));
    expect(parts.length).toBeGreaterThan(2);
    expect(texts.map(({ checksum }) => checksum)).toEqual(parts.map(() => snapshot.checksum));
    expect(texts.map(({ partIndex, partTotal }) => [partIndex, partTotal])).toEqual(
      parts.map((_, index) => [index, parts.length]),
    );
    expect(texts.flatMap((part) => part['items'] as { name: string }[]).map(({ name }) => name)).toEqual(
      snapshot.items.map(({ name }) => name),
    );
    for (const [index, part] of parts.entries())
      expect(naiveJson(texts[index])).toBe(Buffer.from(part.bytes()).toString('utf8'));
  });

  test('an item that fits nowhere is refused with its name and both sizes', async () => {
    const snapshot = await seal({
      items: [...items(3), item({ name: 'big', uid: 'u9', attributes: { filler: 'x'.repeat(5000) } })],
    });
    const size = snapshot.items.find(({ name }) => name === 'big')?.json.byteLength;
    const message = await refusal(() => splitDocument(snapshot, { maxBytes: 2000 }), 'PAYLOAD_TOO_LARGE', null);
    expect(message).toContain(`Pod shop/big (uid u9) has ${size} bytes`);
    expect(message).toContain('2000 bytes');
    expect(message).not.toContain('xxx');
  });

  test('an envelope that does not fit by itself, and a limit that is none, are refused', async () => {
    const snapshot = await seal({ items: [] });
    expect(await refusal(() => splitDocument(snapshot, { maxBytes: 100 }), 'PAYLOAD_TOO_LARGE', null)).toContain(
      'without items',
    );
    await refusal(() => splitDocument(snapshot, { maxBytes: 0 }), 'CONTRACT_VIOLATION', null);
  });

  test('no limit is passed by a byte where itemCount or partTotal gains a digit', async () => {
    const snapshot = await seal({
      items: Array.from({ length: 120 }, (_, index) => item({ name: 'web', uid: `u${index + 100}` })),
    });
    const itemBytes = (snapshot.items[0]?.json.byteLength ?? 0) + 1;
    // Of equal items, one limit in every `itemBytes` fills a part to the last byte, so the sweep meets 9 and 10 items, and 9, 10 and 100 parts.
    for (let maxBytes = 320 + itemBytes; maxBytes < 320 + 15 * itemBytes; maxBytes++) {
      const parts = splitDocument(snapshot, { maxBytes });
      const largest = parts.reduce((a, b) => (b.byteLength > a.byteLength ? b : a));
      if (largest.byteLength > maxBytes)
        throw new Error(`${maxBytes} bytes allowed, ${largest.byteLength} taken by one of ${parts.length} parts`);
    }
  });

  test('property: any split keeps its limit and joins again to the same snapshot', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(400), { maxLength: 80 }),
        fc.integer({ min: 1050, max: 4000 }),
        fc.boolean(),
        async (sizes, maxBytes, reverse) => {
          const snapshot = await seal({
            items: sizes.map((size, index) =>
              item({ name: `n${index}`, uid: `u${index}`, attributes: { filler: 'ü'.repeat(size / 2) } }),
            ),
            incompleteTargets: ['x'],
          });
          const parts = splitDocument(snapshot, { maxBytes });
          for (const part of parts) {
            expect(part.bytes().byteLength).toBe(part.byteLength);
            expect(part.byteLength).toBeLessThanOrEqual(maxBytes);
          }
          const documents = parts.map((part) => parseDocument(part.bytes()));
          const joined = joinParts(reverse ? documents.reverse() : documents);
          expect(joined.partTotal).toBeUndefined();
          expect(await snapshotFromDocument(joined)).toEqual(snapshot);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('reading documents', () => {
  const whole = async (changes: Record<string, unknown> = {}) => ({
    ...parse(wholeDocument(await seal({ items: items(3) })).bytes()),
    ...changes,
  });
  const read = (document: unknown) => () => parseDocument(JSON.stringify(document));
  const readRefusal = (run: () => unknown) => refusal(run, 'SNAPSHOT_INVALID', 'read');

  test('a document comes back as it was written', async () => {
    const snapshot = await seal({ cluster: 'c', items: items(3), incompleteTargets: ['a'] });
    const document = parseDocument(wholeDocument(snapshot).bytes());
    expect(document).toEqual(parse(wholeDocument(snapshot).bytes()));
    expect(await snapshotFromDocument(document)).toEqual(snapshot);
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'another schemaVersion',
      { schemaVersion: 'kollect.dev/v2' },
      'schemaVersion is "kollect.dev/v2"; expected "kollect.dev/v1alpha1"',
    ],
    ['no schemaVersion', { schemaVersion: undefined }, 'schemaVersion is missing'],
    ['no inventoryName', { inventoryName: undefined }, 'inventoryName is missing'],
    ['a cluster that is a number', { cluster: 1 }, 'cluster is a number'],
    ['a generation that is text', { generation: '1' }, 'generation is a string'],
    ['an exportedAt that is no time', { exportedAt: 'today' }, 'exportedAt is the text "today"'],
    ['a short checksum', { checksum: 'abc' }, 'checksum is another text; expected 64'],
    ['another checksum', { checksum: 'a'.repeat(64) }, `is ${'a'.repeat(64)}, and its items have`],
    ['items that are missing', { items: undefined }, 'items is missing; expected an array'],
    ['no items but a count of 50', { items: [], itemCount: 50 }, 'itemCount is 50; expected 0'],
    ['a count that is text', { itemCount: '3' }, 'itemCount is a string'],
    ['a partIndex alone', { partIndex: 0 }, 'partTotal is missing'],
    [
      'a partIndex beyond the total',
      { partIndex: 2, partTotal: 2 },
      'partIndex is 2; expected less than its partTotal, 2',
    ],
    ['a total of one', { partIndex: 0, partTotal: 1 }, 'partTotal is 1'],
    ['incompleteTargets that are text', { incompleteTargets: 'a' }, 'incompleteTargets is a string'],
    ['an item without uid', { items: [{ ...item(), uid: undefined }], itemCount: 1 }, 'uid is missing'],
    [
      'an item with another field',
      { items: [{ ...item(), extra: 1 }], itemCount: 1 },
      'extra is not a field of an item',
    ],
  ])('refuses %s', async (_, changes, message) => {
    expect(await readRefusal(read(await whole(changes)))).toContain(message);
  });

  test.each<[string, (text: string) => Uint8Array | string, string]>([
    ['text that is no JSON', (text) => text.slice(0, -1), 'not valid JSON'],
    ['an array', () => '[]', 'is an array; expected a JSON object'],
    ['a byte order mark', (text) => Buffer.from(`\ufeff${text}`), 'not valid JSON'],
    ['invalid UTF-8', (text) => Buffer.from(text.replace('web-0', 'web-\u00e9'), 'latin1'), 'not valid UTF-8'],
    [
      'an integer beyond 2^53',
      (text) => text.replace('"index":0', '"index":9007199254740993'),
      'attributes.index is an integer beyond 2^53',
    ],
    [
      'a number beyond all',
      (text) => text.replace('"index":0', '"index":1e999'),
      'attributes.index is NaN or infinite',
    ],
    [
      'U+0000',
      (text) => text.replace('"index":0', String.raw`"index":"\u0000"`),
      'attributes.index holds the character U+0000',
    ],
    [
      'half a surrogate pair',
      (text) => text.replace('"index":0', String.raw`"index":"\ud800"`),
      'attributes.index holds half of a surrogate pair',
    ],
    ['a changed item', (text) => text.replace('"index":0', '"index":7'), 'expected both to be equal'],
    ['items in another order', (text) => text.replaceAll('web-0', 'web-9'), 'expected both to be equal'],
  ])('refuses %s', async (_, change, message) => {
    expect(await readRefusal(async () => parseDocument(change(JSON.stringify(await whole()))))).toContain(message);
  });

  test('a refusal never quotes the text', async () => {
    expect(await readRefusal(() => parseDocument('secret'))).not.toContain('secret');
  });

  test('an item can be copied and written as JSON, and its attributes belong to whoever asks', async () => {
    const document = parseDocument(JSON.stringify(await whole()));
    const [first] = document.items;
    expect(JSON.parse(JSON.stringify(document.items))).toEqual(items(3));
    expect({ ...first }).toEqual(items(1)[0]);
    expect(structuredClone(first)).toEqual(items(1)[0]);
    expect(first?.attributes).not.toBe(first?.attributes);
    // And it can be sealed again.
    expect((await seal({ items: document.items })).checksum).toBe(document.checksum);
  });

  test('in slices others get their turn, and the signal ends it', async () => {
    const filler = 'x'.repeat(4_000_000);
    const snapshot = await seal({ items: [item({ attributes: { filler } })] });
    const bytes = wholeDocument(snapshot).bytes();
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    for (let reads = 0; turns < 3 && reads < 100; reads++) await parseDocumentInSlices(bytes);
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(3);
    const aborted = parseDocumentInSlices(bytes, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', operation: 'read' });
  });

  test.each([
    [
      'a field twice',
      (text: string) => text.replace('"generation":1', '"generation":1,"generation":2'),
      'generation twice',
    ],
    [
      'a field without end',
      (text: string) => text.replace('"generation":1', `"generation":1${' '.repeat(2_000_000)}x`),
      'not valid JSON',
    ],
    [
      'incomplete targets of a megabyte',
      (text: string) => text.replace('{', `{"incompleteTargets":["${'x'.repeat(2 ** 20)}"],`),
      'incompleteTargets has 1048580 bytes',
    ],
  ])('refuses %s', async (_, change, message) => {
    expect(await readRefusal(async () => parseDocument(change(JSON.stringify(await whole()))))).toContain(message);
  });

  test('a large item that is no canonical JSON is read of a row, and refused where it would hold up the event loop', async () => {
    const text = JSON.stringify(await whole()).replace('"index":0', `"index": "${'x'.repeat(2 ** 20)}"`);
    await expect(parseDocumentInSlices(text)).rejects.toThrow('is not canonical JSON');
    expect(() => parseDocument(text)).toThrow('checksum');
  });

  test('fields of a later format are dropped', async () => {
    expect(parseDocument(JSON.stringify(await whole({ later: 1 })))).not.toHaveProperty('later');
  });

  describe('parts', () => {
    const parts = async (changes: Record<string, unknown> = {}) =>
      splitDocument(await seal({ items: items(9), ...changes }), { maxBytes: 700 }).map((part) =>
        parseDocument(part.bytes()),
      );
    const without = (documents: InventoryDocument[], index: number) =>
      documents.filter(({ partIndex }) => partIndex !== index);

    test('join in any order, an identical part counting once', async () => {
      const documents = await parts();
      const joined = joinParts([...documents.toReversed(), ...documents]);
      expect(joined.items).toEqual(items(9));
      expect(joined).not.toHaveProperty('partIndex');
    });

    test('a whole document joins to itself', async () => {
      const document = parseDocument(JSON.stringify(await whole()));
      expect(joinParts([document])).toEqual(document);
    });

    test.each<[string, (documents: InventoryDocument[], others: InventoryDocument[]) => InventoryDocument[], string]>([
      ['none', () => [], 'no document to join'],
      ['a missing part', (documents) => without(documents, 1), 'lacks 1 of'],
      ['the missing index', (documents) => without(documents, 1), 'partIndex 1)'],
      [
        'a part of another snapshot',
        (documents, others) => [...without(documents, 1), ...others.slice(1, 2)],
        'is of another snapshot: its exportedAt is',
      ],
      [
        'the same part with other items',
        (documents) => [...documents, { ...documents[0], items: [item()], itemCount: 1 } as InventoryDocument],
        'came twice with different items',
      ],
      [
        'a changed item',
        ([first, ...rest]) => [{ ...first, items: [item()], itemCount: 1 } as InventoryDocument, ...rest],
        'expected both to be equal',
      ],
      [
        'other incomplete targets',
        ([first, ...rest]) => [{ ...first, incompleteTargets: ['a'] } as InventoryDocument, ...rest],
        'its incompleteTargets differ',
      ],
    ])('refuses %s', async (_, pick, message) => {
      const [documents, others] = [await parts(), await parts({ exportedAt: new Date(0) })];
      expect(await readRefusal(() => joinParts(pick(documents, others)))).toContain(message);
    });

    test.each([1e8, Number.MAX_SAFE_INTEGER])('one that says it is of %d is believed in nothing', async (partTotal) => {
      const [first] = await parts();
      const lying = parseDocument(JSON.stringify({ ...first, partTotal }));
      const message = await readRefusal(() => joinParts([lying]));
      expect(message).toContain(
        `lacks ${partTotal - 1} of ${partTotal} parts (partIndex 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)`,
      );
    });

    test('are no snapshot by themselves', async () => {
      const [first] = await parts();
      expect(await readRefusal(() => snapshotFromDocument(first as InventoryDocument))).toContain(
        'join all parts first',
      );
    });

    test('a document changed after it was read is no snapshot', async () => {
      const document = parseDocument(JSON.stringify(await whole()));
      expect(await readRefusal(() => snapshotFromDocument({ ...document, items: items(2) }))).toContain(
        'expected both to be equal',
      );
    });
  });
});
