import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ByteRange } from './byte-range.ts';
import { createCanonicalWriter, maxDepth } from './canonical-json.ts';
import { formatPath } from './refusal.ts';
import { naiveJson } from '../contract.fixture.ts';

const writer = createCanonicalWriter();

function canonical(value: unknown): string {
  writer.reset();
  writer.value(value, 'value');
  return writer.written().toString('utf8');
}

/** An object or array around a value, `depth` times. */
function nest(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

describe('canonical JSON', () => {
  // RFC 8785, appendix B, as far as its numbers are not integers beyond 2^53.
  test.each<[string, string]>([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['433fffffffffffff', '9007199254740991'],
    ['c33fffffffffffff', '-9007199254740991'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ])('writes the double %s as %s', (hex, expected) => {
    expect(canonical(Buffer.from(hex, 'hex').readDoubleBE())).toBe(expected);
  });

  test('writes the example of RFC 8785, section 3.2.2', () => {
    const text = String.raw`{"numbers":[333333333.33333329,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    expect(canonical(JSON.parse(text))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('sorts keys by UTF-16 code units, so that a surrogate pair comes before U+FB33 (RFC 8785, section 3.2.3)', () => {
    const unsorted = {
      '\u20ac': 'Euro',
      '\r': 'CR',
      '\ufb33': 'Dalet',
      '1': 'One',
      '\ud83d\ude00': 'Emoji',
      '\u0080': 'Control',
      '\u00f6': 'O',
    };
    expect(canonical(unsorted)).toBe(
      '{"\\r":"CR","1":"One","\u0080":"Control","ö":"O","€":"Euro","😀":"Emoji","\ufb33":"Dalet"}',
    );
  });

  test.each([1, 4097])('escapes every character as JSON.stringify does, in a string of %i times all', (times) => {
    const all =
      Array.from({ length: 0x2100 }, (_, code) => String.fromCodePoint(code + 1)).join('') +
      '\uffff\u{10000}\u{10ffff}';
    const text = all.slice(0, times === 1 ? 4000 : undefined).repeat(times === 1 ? 1 : 3);
    expect(canonical(text)).toBe(JSON.stringify(text));
    for (const character of all)
      if (canonical(character) !== JSON.stringify(character)) throw new Error(`U+${character.codePointAt(0)}`);
  });

  test('keeps a key named __proto__ as data', () => {
    expect(canonical(JSON.parse('{"b":1,"__proto__":{"a":[]}}'))).toBe('{"__proto__":{"a":[]},"b":1}');
  });

  test('leaves out what JSON.stringify leaves out of objects', () => {
    const value = Object.defineProperty({ a: undefined, [Symbol('s')]: 1, c: 3 }, 'hidden', {
      value: 1,
      enumerable: false,
    });
    expect(canonical(value)).toBe('{"c":3}');
    expect(canonical({ a: undefined })).toBe('{}');
  });

  test.each<[string, unknown, string]>([
    ['NaN', { a: Number.NaN }, 'value.a is NaN or infinite'],
    ['infinity', [-Infinity], 'value[0] is NaN or infinite'],
    ['an integer beyond 2^53', { a: 2 ** 53 }, 'value.a is an integer beyond 2^53'],
    ['a negative integer beyond 2^53', { a: -(2 ** 60) }, 'value.a is an integer beyond 2^53'],
    ['a bigint', { a: 1n }, 'value.a is a bigint'],
    ['a Date', { a: new Date(0) }, 'value.a is an instance of Date, not a plain object: give date.toISOString(), or'],
    ['a Map', { a: new Map() }, 'value.a is an instance of Map, not a plain object: give Object.fromEntries(map).'],
    ['a Set', { a: new Set() }, 'value.a is an instance of Set, not a plain object: give [...set].'],
    ['a promise', { a: Promise.resolve() }, 'value.a is an instance of Promise, not a plain object: await it first.'],
    [
      'a typed array',
      { a: new Uint8Array(1) },
      'value.a is an instance of Uint8Array, not a plain object: give a string',
    ],
    ['a boxed string', { a: Object('x') as unknown }, 'value.a is an instance of String'],
    [
      'an object with a prototype of its own',
      { a: Object.create({ b: 1 }) as unknown },
      'value.a is an object with a prototype',
    ],
    ['a function', { a: () => 1 }, 'value.a is a function'],
    ['a toJSON method', { a: { toJSON: () => 1 } }, 'value.a.toJSON is a function'],
    ['a symbol', { a: Symbol('x') }, 'value.a is a symbol'],
    ['undefined in an array', { a: [1, undefined] }, 'value.a[1] is undefined inside an array'],
    ['a hole', { a: Object.assign([1], { length: 2 }) }, 'value.a[1] is a hole in an array'],
    ['a getter', Object.defineProperty({}, 'a', { get: () => 1, enumerable: true }), 'value.a is computed by a getter'],
    [
      'a setter',
      Object.defineProperty({}, 'a', { set: () => {}, enumerable: true }),
      'value.a is computed by a getter or setter',
    ],
    ['U+0000', { a: { 'b.c': ['x\0y'] } }, 'value.a["b.c"][0] holds the character U+0000'],
    ['U+0000 in a long text', { a: `${'x'.repeat(5000)}\0` }, 'value.a holds the character U+0000'],
    ['U+0000 in a key', { 'a\0': 1 }, String.raw`value["a\u0000"] is a key that holds the character U+0000`],
    ['a high surrogate alone', ['\ud800x'], 'value[0] holds half of a surrogate pair'],
    ['a high surrogate at the end', ['x\udbff'], 'value[0] holds half of a surrogate pair'],
    ['a low surrogate alone', ['\udc00'], 'value[0] holds half of a surrogate pair'],
    ['two high surrogates', ['\ud83d\ud83d'], 'value[0] holds half of a surrogate pair'],
    ['a surrogate alone in a long text', [`${'x'.repeat(5000)}\udfff`], 'value[0] holds half of a surrogate pair'],
    [
      'a surrogate alone in a key',
      { '\udfff': 1 },
      String.raw`value["\udfff"] is a key that holds half of a surrogate pair`,
    ],
  ])('refuses %s', (_, value, message) => {
    expect(() => canonical(value)).toThrow(message);
  });

  test('refuses a cycle, naming where it closes', () => {
    const cycle: Record<string, unknown> = { a: { b: [{}] } };
    ((cycle['a'] as { b: Record<string, unknown>[] }).b[0] ?? {})['c'] = cycle['a'];
    expect(() => canonical(cycle)).toThrow('value.a.b[0].c leads back to an object that holds it: break the cycle');
  });

  test('writes one object that is found twice', () => {
    const shared = { a: 1 };
    expect(canonical([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });

  test.each<[string, (inner: unknown) => unknown]>([
    ['objects', (inner) => ({ a: inner })],
    ['arrays', (inner) => [inner]],
  ])('takes %s 500 deep and refuses one more', (_, wrap) => {
    expect(JSON.parse(canonical(nest(maxDepth, wrap)))).toEqual(nest(maxDepth, wrap));
    expect(() => canonical(nest(maxDepth + 1, wrap))).toThrow('leads to more than 500 nested objects and arrays');
    expect(() => canonical(nest(20_000, wrap))).toThrow('leads to more than 500 nested objects and arrays');
  });

  test('refuses what is small in memory and endless as text', () => {
    const filler = 'x'.repeat(100_000);
    const doubled = nest(40, (inner) => ({ a: inner, b: inner, filler }));
    expect(() => canonical(doubled)).toThrow('value has more than 64 MiB as JSON');
  });

  test('no refusal shows the value', () => {
    expect(() => canonical({ a: 'secret\0' })).toThrow(/^((?!secret).)*$/);
    expect(() => canonical({ a: 2 ** 53 })).toThrow(/^((?!9007).)*$/);
  });

  test('property: the bytes are those of the naive form, and parse back equal', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), (value) => {
        fc.pre(!naiveJson(value).includes(String.raw`\u0000`) && !/[\d.]e\+|\d{16}/.test(naiveJson(value)));
        expect(canonical(value)).toBe(naiveJson(value));
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 300 },
    );
  });

  test('grows for a large value and is good for the next one', () => {
    const large = { long: 'ä'.repeat(1_000_000), many: Array.from({ length: 10_000 }, (_, index) => `entry-${index}`) };
    expect(canonical(large)).toBe(naiveJson(large));
    expect(canonical([1])).toBe('[1]');
  });

  test('paths quote what cannot be read and cut what is long', () => {
    expect(formatPath(['a', `ghp_${'a1'.repeat(18)}`])).toBe('a[text that is not shown because it may hold a secret]');
    expect(formatPath(['a', 'b-c', 'd.e/f', 3, 'x'.repeat(200)])).toBe(`a.b-c["d.e/f"][3]["${'x'.repeat(80)}…"]`);
  });
});

describe('what is kept', () => {
  const textOfRange = ({ pool, start, end }: ByteRange): string => pool.toString('utf8', start, end);

  test('stays as it is, whatever is written after it or given up', () => {
    const sizes = fc.array(fc.tuple(fc.nat({ max: 3_000 }), fc.boolean()), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(sizes, (values) => {
        const own = createCanonicalWriter();
        const kept: { readonly range: ByteRange; readonly text: string }[] = [];
        for (const [size, keep] of values) {
          own.reset();
          own.value('ü'.repeat(size), 'value');
          const text = `"${'ü'.repeat(size)}"`;
          expect(own.written().toString('utf8')).toBe(text);
          if (keep) kept.push({ range: own.keep(), text });
        }
        for (const { range, text } of kept) expect(textOfRange(range)).toBe(text);
      }),
    );
  });

  test('shares pools that grow, and one large value takes no more than itself', () => {
    const own = createCanonicalWriter();
    const pools = new Set<Buffer>();
    const keep = (value: unknown): ByteRange => {
      own.reset();
      own.value(value, 'value');
      return own.keep();
    };
    for (let index = 0; index < 4_000; index++) pools.add(keep('x'.repeat(1_000)).pool);
    const sizes = [...pools].map(({ length }) => length);
    expect(Math.max(...sizes)).toBe(1024 * 1024);
    expect(sizes[0]).toBeLessThanOrEqual(16 * 1024);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(4_008_000 + 2 * 1024 * 1024);
    const large = keep('y'.repeat(5_000_000));
    expect(large.pool.length).toBe(5_000_002);
    // A value that is given up after it needs no such memory again.
    expect(keep('z').pool.length).toBeLessThan(1024 * 1024);
  });

  test('bytes that are canonical already are taken as they are', () => {
    const own = createCanonicalWriter();
    own.bytes(Buffer.from('{"a":1}'));
    const first = own.keep();
    own.reset();
    own.bytes(Buffer.alloc(100_000, 0x20));
    expect([textOfRange(first), own.written().length]).toEqual(['{"a":1}', 100_000]);
  });
});
