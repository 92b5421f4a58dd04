import assert from 'node:assert/strict';
import type { Check } from '../../check.ts';

type Attributes = { readonly [key: string]: unknown };

function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { inner: value };
  return value;
}

const cases: readonly { readonly what: string; readonly attributes: Attributes }[] = [
  {
    what: 'texts in any script',
    attributes: {
      latin: 'Größe',
      han: '山田',
      arabic: 'مرحبا',
      emoji: '🤖👩‍👩‍👧‍👦',
      astral: '𝒳',
      composed: '\u00e9',
      decomposed: 'e\u0301',
      noncharacter: '\ufffe',
    },
  },
  {
    what: 'texts that mean something to a store',
    attributes: {
      quotes: `'"\`$$`,
      backslashes: '\\N \\. \\n \\\\ \\u0041',
      lines: 'a\nb\r\nc\td',
      separators: '\u2028\u2029',
      controls: '\u0001\u0008\u001f\u007f\u0085',
      words: [
        'NULL',
        'null',
        '\\N',
        '\\.',
        '{}',
        '[]',
        'undefined',
        'NaN',
        "'; DROP TABLE inventory; --",
        '%s',
        '$1',
        '?',
      ],
      spaces: ' leading and trailing ',
    },
  },
  {
    what: 'keys that mean something to JavaScript',
    attributes: JSON.parse(
      `{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "toString": "text", "hasOwnProperty": null,
        "": "empty", "a.b": 1, "10": 1, "9": 2}`,
    ) as Attributes,
  },
  {
    what: 'numbers',
    attributes: {
      integers: [0, -1, 2_147_483_648, -2_147_483_649, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
      floats: [0.1, 0.1 + 0.2, -1e-7, 123_456_789.123_456_79, 2.5e-308, 5e-324],
    },
  },
  {
    what: 'values that are almost nothing',
    attributes: { null: null, false: false, zero: 0, empty: '', list: [], object: {}, lists: [[], [[]], [null], [{}]] },
  },
  { what: 'objects and lists 200 levels deep', attributes: { deep: nested(200) } },
  {
    what: 'a thousand keys',
    attributes: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key-${index}`, index])),
  },
];

/** Attributes are any JSON, and come back as they went in. */
export const attributeChecks: readonly Check[] = cases.map(({ what, attributes }) => ({
  name: `attributes come back as they went in: ${what}`,
  run: async (context) => {
    const items = context.items(3).map((item, index) => (index === 1 ? { ...item, attributes } : item));
    const snapshot = await context.snapshot(context.scope(), { items });
    await context.export(await context.openSink(), snapshot);
    await context.store.expectSnapshot(snapshot);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined, 'A key of an item reached Object.prototype.');
  },
}));
