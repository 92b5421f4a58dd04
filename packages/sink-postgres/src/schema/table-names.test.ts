import { expect, test } from '@jest/globals';
import { derivedNames, quoteIdentifier, quoteLiteral, tableNames } from './table-names.ts';

test.each([
  ['items', '"items"'],
  ['Items', '"Items"'],
  ['select', '"select"'],
  ['a"b', '"a""b"'],
  ['"; DROP TABLE x; --', '"""; DROP TABLE x; --"'],
  ['größe 😀', '"größe 😀"'],
])('identifier %s', (name, quoted) => {
  expect(quoteIdentifier(name)).toBe(quoted);
});

test.each([
  ['plain', "'plain'"],
  ["it's", "'it''s'"],
  ['back\\slash', " E'back\\\\slash'"],
])('literal %s', (text, quoted) => {
  expect(quoteLiteral(text)).toBe(quoted);
});

test('the relations of a spec are qualified by its schema', () => {
  expect(tableNames({ schema: 'inv', table: "it's" })).toEqual({
    table: `"inv"."it's"`,
    exports: `"inv"."it's_exports"`,
    current: `"inv"."it's_current"`,
    tableLiteral: `'"inv"."it''s"'`,
  });
});

test('every name that the DDL spells out is among the derived ones', () => {
  expect(derivedNames({ table: 't', mode: 'upsert', partitions: 1024, indexes: ['gvk', 'payload'] })).toEqual([
    't',
    't_pkey',
    't_exports',
    't_exports_pkey',
    't_current',
    't_p1023',
    't_gvk_idx',
    't_payload_idx',
  ]);
});
