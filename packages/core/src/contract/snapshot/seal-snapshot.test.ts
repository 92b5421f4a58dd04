import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { exportedAt, item, items, naiveJson, naiveSeal, refusal, seal } from '../contract.fixture.ts';
import { sealSnapshot, type SealOptions, type SnapshotInput } from './seal-snapshot.ts';
import type { Item } from './snapshot.ts';

const valid: SnapshotInput = { inventoryNamespace: 'team', inventoryName: 'all', generation: 1, exportedAt, items: [] };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

describe('sealSnapshot', () => {
  test('gives the snapshot that the naive way gives', async () => {
    const input = [
      item({ uid: 'u2', namespace: '' }),
      item({ group: 'apps', kind: 'Deployment', attributes: { b: [1, { z: 'ä', a: null }], a: undefined } }),
    ];
    const snapshot = await seal({ cluster: 'eu-1', items: input, incompleteTargets: ['b', 'a', 'b'] });
    const naive = naiveSeal(input);
    expect(snapshot).toMatchObject({
      cluster: 'eu-1',
      inventoryNamespace: 'team',
      inventoryName: 'all',
      generation: 1,
      exportedAt,
      incompleteTargets: ['a', 'b'],
    });
    expect(snapshot.checksum).toBe(naive.checksum);
    expect(snapshot.itemsByteLength).toBe(Buffer.byteLength(naive.text));
    expect(`[${snapshot.items.map(({ json }) => text(json)).join(',')}]`).toBe(naive.text);
    expect(snapshot.items[1]?.attributes).toEqual({ b: [1, { z: 'ä', a: null }] });
    expect({ ...snapshot.items[1] }).toEqual({
      targetNamespace: 'team',
      targetName: 'pods',
      namespace: 'shop',
      name: 'web',
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      uid: 'u1',
      attributes: { b: [1, { z: 'ä', a: null }] },
    });
  });

  test('an empty inventory has the checksum of []', async () => {
    expect(await seal({ items: [] })).toMatchObject({
      items: [],
      itemsByteLength: 2,
      checksum: naiveSeal([]).checksum,
    });
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['an empty cluster means none', { cluster: '' }, { cluster: undefined }],
    ['a Date', { exportedAt: new Date(0) }, { exportedAt: '1970-01-01T00:00:00.000Z' }],
    ['an offset', { exportedAt: '2026-01-01T01:30:00.5+02:00' }, { exportedAt: '2025-12-31T23:30:00.500Z' }],
    ['a negative offset', { exportedAt: '2024-02-29T23:59:59-00:30' }, { exportedAt: '2024-03-01T00:29:59.000Z' }],
    [
      'digits beyond milliseconds',
      { exportedAt: '2026-01-31T12:00:00.123999z' },
      { exportedAt: '2026-01-31T12:00:00.123Z' },
    ],
    ['the largest generation', { generation: Number.MAX_SAFE_INTEGER }, { generation: Number.MAX_SAFE_INTEGER }],
  ])('takes %s', async (_, input, expected) => {
    expect({ cluster: undefined, ...(await seal(input)) }).toMatchObject(expected);
  });

  test('is exported now where nothing else is said', async () => {
    const before = Date.now();
    const { exportedAt } = await seal({ exportedAt: undefined });
    expect(Date.parse(exportedAt)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(exportedAt)).toBeLessThanOrEqual(Date.now());
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'an unknown field',
      { incompleteTarget: [] },
      '"incompleteTarget" is not known; did you mean "incompleteTargets"?',
    ],
    ['a namespace with a slash', { inventoryNamespace: 'a/b' }, 'inventoryNamespace is'],
    ['a name with a colon', { inventoryName: 'a:b' }, 'inventoryName is'],
    ['an empty name', { inventoryName: '' }, 'inventoryName is'],
    ['a missing namespace', { inventoryNamespace: undefined }, 'inventoryNamespace is missing'],
    ['a name with half a surrogate pair', { inventoryName: '\ud800' }, 'inventoryName is'],
    ['a cluster with a control character', { cluster: 'a\nb' }, 'cluster is'],
    ['a cluster that is a number', { cluster: 7 }, 'cluster is a number; expected a string'],
    ['a negative generation', { generation: -1 }, 'generation is -1; expected a safe integer'],
    ['a fractional generation', { generation: 1.5 }, 'generation is 1.5; expected a safe integer'],
    ['an unsafe generation', { generation: 2 ** 53 }, 'expected a safe integer'],
    ['a generation that is text', { generation: '1' }, 'generation is a string'],
    ['a local time', { exportedAt: '2026-01-31T12:00:00' }, 'exportedAt is'],
    ['a day that is not', { exportedAt: '2026-02-30T12:00:00Z' }, 'exportedAt is'],
    ['an hour that is not', { exportedAt: '2026-02-03T24:00:00Z' }, 'exportedAt is'],
    ['a month that is not', { exportedAt: '2026-13-03T00:00:00Z' }, 'exportedAt is'],
    ['an offset that is not', { exportedAt: '2026-01-03T00:00:00+24:00' }, 'exportedAt is'],
    ['a time before the year 0', { exportedAt: '0000-01-01T00:00:00+01:00' }, 'exportedAt is'],
    ['an invalid Date', { exportedAt: new Date(Number.NaN) }, 'exportedAt is a Date'],
    ['a time that is a number', { exportedAt: 1 }, 'exportedAt is a number'],
    ['items that are missing', { items: undefined }, 'items is missing; expected an iterable'],
    ['items that are text', { items: 'abc' }, 'items is a string'],
    ['incompleteTargets that are text', { incompleteTargets: 'pods' }, 'incompleteTargets is a string'],
    ['an empty incomplete target', { incompleteTargets: ['a', ''] }, 'incompleteTargets[1] is an empty string'],
    ['an incomplete target with U+0000', { incompleteTargets: ['\0'] }, 'incompleteTargets[0] is'],
  ])('refuses %s', async (_, input, message) => {
    expect(await refusal(() => seal(input))).toContain(message);
  });

  test.each<[string, unknown, string]>([
    ['an item that is null', null, 'item 0 of the list: it is null'],
    ['an item of a class', new Map(), 'item 0 of the list: it is an object'],
    ['an unknown field', item({ labels: {} } as object), 'labels is not a field of an item'],
    ['attributes that are missing', item({ attributes: undefined }), 'attributes is missing'],
    ['attributes that are an array', item({ attributes: [] }), 'attributes is an array'],
    ['attributes of a class', item({ attributes: new Map() }), 'attributes is an instance of Map'],
    [
      'a computed field',
      Object.defineProperty({ ...item() }, 'uid', { get: () => 'u', enumerable: true }),
      'uid is computed',
    ],
    ...(['targetName', 'name', 'version', 'kind', 'uid'] as const).map((field): [string, unknown, string] => [
      `an empty ${field}`,
      item({ [field]: '' }),
      `${field} is empty`,
    ]),
    ...(['targetNamespace', 'targetName', 'namespace', 'name', 'group', 'version', 'kind', 'uid'] as const).map(
      (field): [string, unknown, string] => [
        `a ${field} that is a number`,
        item({ [field]: 1 }),
        `${field} is a number: give a string`,
      ],
    ),
    ['a name with U+0000', item({ name: 'a\0' }), 'name holds the character U+0000'],
    [
      'a value in attributes',
      item({ attributes: { spec: [{ a: Number.NaN }] } }),
      'Inventory team/all, Pod shop/web (uid u1): attributes.spec[0].a is NaN',
    ],
  ])('refuses %s', async (_, bad, message) => {
    expect(await refusal(() => seal({ items: [bad] }))).toContain(message);
  });

  test('refuses two items of one uid in one target, naming both, and takes them from two targets', async () => {
    const twins = [item({ name: 'a' }), item({ name: 'b', uid: 'u2' }), item({ name: 'c' })];
    const message = await refusal(() => seal({ items: twins }));
    expect(message).toContain('Pod shop/a (uid u1) and Pod shop/c (uid u1) both have uid "u1" in target "pods"');
    expect((await seal({ items: [item(), item({ targetName: 'others' })] })).items).toHaveLength(2);
  });

  test('an empty group and an absent one are the same inventory', async () => {
    expect((await seal({ items: [item({ group: '' })] })).checksum).toBe((await seal()).checksum);
  });

  test('nothing that a caller does later reaches the snapshot', async () => {
    const input = items(2, () => ({ list: [1] }));
    const frozenCopy = structuredClone(input);
    const incompleteTargets = ['pods'];
    const snapshot = await seal({ items: input, incompleteTargets });
    expect(input).toEqual(frozenCopy);
    incompleteTargets.push('others');
    const [first, second] = input as [Item & { name: string }, Item];
    (first.attributes as { list: number[] }).list.push(2);
    first.name = 'other';
    input.push(second);
    expect(`[${snapshot.items.map(({ json }) => text(json)).join(',')}]`).toBe(naiveSeal(frozenCopy).text);
    expect(snapshot.incompleteTargets).toEqual(['pods']);
    Object.assign(snapshot.items[0]?.attributes ?? {}, { list: [3] });
    expect(snapshot.items[0]?.attributes).toEqual({ list: [1] });
    expect(snapshot.items[0]?.name).toBe('web-0');
  });

  test('the snapshot, its lists and its items cannot be changed', async () => {
    const snapshot = await seal({ incompleteTargets: ['a'] });
    const [first] = snapshot.items;
    for (const frozen of [snapshot, snapshot.items, snapshot.incompleteTargets, first])
      expect(Object.isFrozen(frozen)).toBe(true);
    expect(() => Object.assign(first ?? {}, { json: new Uint8Array() })).toThrow();
  });

  test('a caller that changes items while sealing gives way to others cannot part checksum and bytes', async () => {
    const input = items(6000, (index) => ({ index, filler: 'x'.repeat(400) }));
    const sealing = seal({ items: input });
    let turns = 0;
    let running = true;
    const meddle = () => {
      turns += 1;
      for (const one of input) Object.assign(one, { name: `changed-${turns}-${one.uid}`, attributes: { turns } });
      input.pop();
      if (running) setImmediate(meddle);
    };
    setImmediate(meddle);
    const snapshot = await sealing;
    running = false;
    expect(turns).toBeGreaterThan(0);
    const copies = snapshot.items.map(({ json }) => JSON.parse(text(json)) as Item);
    expect(copies).toHaveLength(6000);
    expect(naiveSeal(copies).checksum).toBe(snapshot.checksum);
    expect(copies.map(({ name }) => name)).toEqual(snapshot.items.map(({ name }) => name));
  });

  test('takes any iterable, and closes it where an item is refused', async () => {
    let closed = false;
    function* source(bad: boolean) {
      try {
        yield item();
        yield item(bad ? { uid: '' } : { uid: 'u2' });
        yield item({ uid: 'u3' });
      } finally {
        closed = true;
      }
    }
    expect((await seal({ items: source(false) })).items).toHaveLength(3);
    closed = false;
    await refusal(() => seal({ items: source(true) }));
    expect(closed).toBe(true);
  });

  test('an aborted signal ends sealing, before it starts and between two slices', async () => {
    await refusal(() => seal({}, { signal: AbortSignal.abort() }), 'ABORTED');
    const controller = new AbortController();
    const sealing = seal({ items: items(20_000, () => ({ filler: 'x'.repeat(300) })) }, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await refusal(() => sealing, 'ABORTED');
  });

  test('others get many turns while many items are sealed', async () => {
    const input = items(20_000, () => ({ filler: 'x'.repeat(300) })).reverse();
    let turns = 0;
    let running = true;
    const count = () => {
      turns += 1;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const snapshot = await seal({ items: input });
    running = false;
    expect(turns).toBeGreaterThan(3);
    expect(snapshot.checksum).toBe(naiveSeal(input).checksum);
  });

  test('keeps an item of more than a pool whole', async () => {
    const input = items(4, (index) => ({ filler: 'x'.repeat(index * 900_000) }));
    expect((await seal({ items: input })).checksum).toBe(naiveSeal(input).checksum);
  });

  const identity = fc.constantFrom('a', 'b', 'B', 'é', '😀', '\ufb33', 'a-b');
  const anyItems = fc.uniqueArray(
    fc.record({
      targetNamespace: fc.constantFrom('', 'x', 'y'),
      targetName: identity,
      namespace: fc.constantFrom('', 'n', '\ufb33', '😀'),
      name: identity,
      group: fc.constantFrom('apps', 'batch'),
      version: fc.constantFrom('v1', 'v2'),
      kind: identity,
      uid: fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme' }),
      attributes: fc.dictionary(
        fc.string({ unit: 'grapheme' }),
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null)),
      ),
    }),
    { selector: ({ targetName, uid }) => `${targetName}:${uid}`, maxLength: 40 },
  );

  test('property: equal inventories have equal checksums in whatever order they come, and the naive one', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyItems,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        async (some, random) => {
          const shuffled = some
            .map((one) => ({ one, at: random.next().value }))
            .sort((a, b) => a.at - b.at)
            .map(({ one }) => one);
          const [left, right] = [await seal({ items: some }), await seal({ items: shuffled })];
          expect(left.checksum).toBe(right.checksum);
          expect(left.checksum).toBe(naiveSeal(some).checksum);
          for (const sealed of left.items) expect(text(sealed.json)).toBe(naiveJson(JSON.parse(text(sealed.json))));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('sealSnapshot with sanitize', () => {
  const sanitized = async (attributes: unknown) =>
    (await seal({ items: [item({ attributes })] }, { sanitize: true })).items[0]?.attributes;

  test.each<[string, unknown, unknown]>([
    [
      'U+0000 and lone surrogates in text',
      { a: ['x\0y', { b: '\ud800😀\udc00' }] },
      { a: ['x\ufffdy', { b: '\ufffd😀\ufffd' }] },
    ],
    ['the same in keys', { 'a\0': { '\udfff': 1 } }, { 'a\ufffd': { '\ufffd': 1 } }],
    [
      'numbers that JSON cannot carry',
      { a: [Number.NaN, Infinity, -Infinity, 2 ** 60, 1.5] },
      { a: [null, null, null, null, 1.5] },
    ],
    [
      'a key named __proto__ beside them',
      JSON.parse(String.raw`{"__proto__":{"a":"\u0000"}}`),
      JSON.parse('{"__proto__":{"a":"\ufffd"}}'),
    ],
    ['nothing where nothing is wrong', { a: ['\ufffd', 'ä'] }, { a: ['\ufffd', 'ä'] }],
  ])('replaces %s', async (_, attributes, expected) => {
    expect(await sanitized(attributes)).toEqual(expected);
  });

  test('keeps keys sorted after a replacement changed one', async () => {
    const snapshot = await seal(
      { items: [item({ attributes: { 'a\0': 1, 'a\u0001': 2, '\ud800': 3 } })] },
      { sanitize: true },
    );
    expect(text(snapshot.items[0]?.json ?? new Uint8Array())).toContain('{"a\\u0001":2,"a\ufffd":1,"\ufffd":3}');
  });

  test('replaces in identities and in incompleteTargets alike', async () => {
    const snapshot = await seal(
      { items: [item({ name: 'a\0', targetName: 't\udc00' })], incompleteTargets: ['t\udc00'] },
      { sanitize: true },
    );
    expect(snapshot.items[0]).toMatchObject({ name: 'a\ufffd', targetName: 't\ufffd' });
    expect(snapshot.incompleteTargets).toEqual(['t\ufffd']);
  });

  test.each<[string, unknown, string]>([
    [
      'keys that become one',
      { 'a\0': 1, 'a\ufffd': 2 },
      'attributes["a�"] stands for two keys that sanitize makes equal',
    ],
    ['a bigint', { b: '\0', a: 1n }, 'attributes.a is a bigint'],
    ['a hole', { b: '\0', a: Object.assign([1], { length: 2 }) }, 'attributes.a[1] is a hole'],
    [
      'a getter',
      Object.defineProperty({ b: '\0' }, 'a', { get: () => 1, enumerable: true }),
      'attributes.a is computed',
    ],
    ['a Date', { b: '\0', a: new Date() }, 'attributes.a is an instance of Date'],
  ])('refuses %s all the same', async (_, attributes, message) => {
    expect(await refusal(() => sanitized(attributes))).toContain(message);
  });

  test('refuses a cycle beside something to replace', async () => {
    const cycle: Record<string, unknown> = { a: '\0' };
    cycle['b'] = cycle;
    expect(await refusal(() => sanitized(cycle))).toContain('attributes.b leads back');
  });

  test('copies an object that is found often once', async () => {
    let doubled: unknown = '\0';
    for (let level = 0; level < 14; level++) doubled = [doubled, doubled];
    expect(JSON.stringify(await sanitized({ doubled })).match(/\ufffd/g)).toHaveLength(2 ** 14);
  });

  test('does not touch the input', async () => {
    const attributes = { a: ['\0'] };
    await sanitized(attributes);
    expect(attributes).toEqual({ a: ['\0'] });
  });
});

describe('what a hostile host gives', () => {
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();
  const { proxy: revokedList, revoke: revokeList } = Proxy.revocable([], {});
  revokeList();
  const throwing = (): never => {
    throw new Error('geheim');
  };
  const withGetter = (object: object, field: string) =>
    Object.defineProperty(object, field, { get: throwing, enumerable: true });
  const hostile = new Proxy({}, { ownKeys: throwing, get: throwing, getPrototypeOf: throwing });

  test.each<[string, unknown, string]>([
    ['a getter of the input', withGetter({}, 'inventoryName'), 'inventoryName cannot be read'],
    ['an input that is a revoked proxy', revoked, 'The snapshot input cannot be read'],
    ['items that are a revoked proxy', { items: revokedList }, 'items is'],
    [
      'items of which one is a getter',
      { items: withGetter([], '0') },
      'items is an array of which an element cannot be read',
    ],
    [
      'an item that is a revoked proxy',
      { items: [revoked] },
      'it cannot be read, since a getter or a proxy in it throws',
    ],
    [
      'an item that is a hostile proxy',
      { items: [hostile] },
      'it cannot be read, since a getter or a proxy in it throws',
    ],
    ['a getter for a name', { items: [withGetter(item(), 'name')] }, 'name is computed by a getter or setter'],
    ['attributes that are hostile', { items: [item({ attributes: hostile })] }, 'it cannot be read'],
    [
      'a getter among the elements of an array',
      { items: [item({ attributes: { list: withGetter([], '0') } })] },
      'it cannot be read, since a getter or a proxy in it throws',
    ],
    ['incompleteTargets that are a revoked proxy', { incompleteTargets: revokedList }, 'incompleteTargets is'],
    [
      'an iterable that throws',
      {
        items: (function* () {
          yield item();
          throwing();
        })(),
      },
      'items could be read up to item 1 alone: going on threw Error',
    ],
    ['a promise of items', { items: Promise.resolve([]) }, 'items is a promise, which must be awaited first'],
  ])('%s is SNAPSHOT_INVALID without its words', async (_, input, message) => {
    const given =
      input === revoked
        ? revoked
        : Object.defineProperties({ ...valid }, Object.getOwnPropertyDescriptors(Object(input)));
    const found = await refusal(() => sealSnapshot(given as SnapshotInput));
    expect(found).toContain(message);
    expect(found).not.toContain('geheim');
  });

  test('a getter among the elements of an array is called once, and one of an object never', async () => {
    let calls = 0;
    const count = { get: () => (calls += 1), enumerable: true };
    const { items: sealed } = await seal({
      items: [item({ attributes: { list: Object.defineProperty([], '0', count) } })],
    });
    expect([calls, sealed[0]?.attributes]).toEqual([1, { list: [1] }]);
    await refusal(() => seal({ items: [item({ attributes: { object: Object.defineProperty({}, 'a', count) } })] }));
    expect(calls).toBe(1);
  });

  test.each([
    ['escaped, longer than a string can be', '\u0001'.repeat(1e8)],
    ['longer than 64 MiB', 'x'.repeat(65 * 1024 * 1024)],
    ['longer than 64 MiB once escaped', '\u0001'.repeat(12 * 1024 * 1024)],
  ])('a text %s is refused with its path', async (_, text) => {
    expect(await refusal(() => seal({ items: [item({ attributes: { spec: { log: text } } })] }))).toContain(
      'attributes.spec.log has more than 64 MiB as JSON',
    );
  });

  test.each<[unknown, string]>([
    [null, 'The options of sealSnapshot must be an object with sanitize, signal, found null.'],
    [{ sanitise: true }, 'The options of sealSnapshot: "sanitise" is not known; did you mean "sanitize"?'],
    [{ sanitize: 'yes' }, 'sanitize must be true or false'],
    [{ signal: {} }, 'signal must be an AbortSignal'],
  ])('the options %j are refused', async (options, message) => {
    const given = options as SealOptions;
    expect(await refusal(() => sealSnapshot(valid, given), 'SPEC_INVALID')).toContain(message);
  });
});
