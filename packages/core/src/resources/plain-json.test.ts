import { expect, test } from '@jest/globals';
import { plainJson } from './plain-json.ts';

class Named {
  readonly name: string;
  readonly since = new Date('2026-01-31T12:00:00Z');
  readonly inner: readonly unknown[] = [new Date(1)];
  constructor(name: string) {
    this.name = name;
  }
  get upper(): string {
    throw new Error('never called');
  }
  toJSON(): never {
    throw new Error('never called');
  }
}

test('instances become their own properties, Dates RFC 3339, and no toJSON is asked', () => {
  const found = plainJson({ list: [new Named('a')] });
  expect(found).toEqual({
    list: [{ name: 'a', since: '2026-01-31T12:00:00Z', inner: ['1970-01-01T00:00:00.001Z'] }],
  });
  expect(Object.getPrototypeOf((found as { list: object[] }).list[0])).toBe(Object.prototype);
});

test('plain data is given back as it is, and never changed', () => {
  const value = { a: [1, { b: null }], c: undefined };
  expect(plainJson(value)).toBe(value);
  const dated = Object.freeze({ at: new Date(0), rest: value });
  expect(plainJson(dated)).toEqual({ at: '1970-01-01T00:00:00Z', rest: value });
  expect((plainJson(dated) as typeof dated).rest).toBe(value);
  expect(dated.at).toBeInstanceOf(Date);
});

test('a key __proto__ stays data', () => {
  const value = JSON.parse('{"__proto__": {"a": 1}, "b": 2}') as Record<string, unknown>;
  const found = plainJson({ ...value, ['__proto__']: value['__proto__'], at: new Date(0) });
  expect(JSON.stringify(found)).toContain('"__proto__":{"a":1}');
});

test.each<[string, unknown]>([
  ['a Map', new Map()],
  ['a Set', new Set()],
  ['bytes', Buffer.from('a')],
  ['an invalid Date', new Date(Number.NaN)],
  ['a promise', Promise.resolve()],
  ['a regular expression', /a/u],
  ['a proxy', new Proxy({}, {})],
])('%s stays, for sealing to refuse it with its path', (_, value) => {
  expect((plainJson({ value }) as { value: unknown }).value).toBe(value);
});

test('a getter is kept and not called', () => {
  const value = Object.defineProperty({ at: new Date(0) }, 'late', {
    enumerable: true,
    get: () => {
      throw new Error('never called');
    },
  });
  expect(Object.getOwnPropertyDescriptor(plainJson(value), 'late')?.get).toBeDefined();
});

test('cycles and shared parts take no time without end, and a cycle stays one', () => {
  const cyclic: Record<string, unknown> = { at: new Date(0) };
  cyclic['left'] = cyclic;
  cyclic['right'] = cyclic;
  expect(plainJson(cyclic)).toEqual({ at: '1970-01-01T00:00:00Z', left: cyclic, right: cyclic });
  let shared: unknown = new Date(0);
  for (let level = 0; level < 200; level++) shared = { left: shared, right: shared };
  const found = plainJson(shared) as { readonly left: unknown; readonly right: unknown };
  expect(found.left).toBe(found.right);
});
