import { describe, expect, test } from '@jest/globals';
import { SinkError } from '../../contract/errors/errors.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import fc from 'fast-check';
import { formatMessageKey, parseMessageKey } from './message-key.ts';

const printable = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[\p{Control}\p{Surrogate}]/u.test(text));
const name = printable.filter((text) => !/[/:]/.test(text));
/** Often full of what could end a cluster too early. */
const cluster = fc.oneof(
  printable,
  fc.string({ unit: fc.constantFrom(':', '/', 'a', '\u2028'), minLength: 1, maxLength: 8 }),
);
const scopes: fc.Arbitrary<Scope> = fc.record(
  { cluster, inventoryNamespace: name, inventoryName: name },
  { requiredKeys: ['inventoryNamespace', 'inventoryName'] },
);

const refused = (run: () => unknown): SinkError => {
  try {
    run();
  } catch (error) {
    if (SinkError.isInstance(error) && error.code === 'SNAPSHOT_INVALID') return error;
    throw error;
  }
  throw new Error('Expected SNAPSHOT_INVALID, and nothing was thrown.');
};

describe('message keys', () => {
  test('are cluster:namespace/name, or namespace/name', () => {
    expect(formatMessageKey({ cluster: 'prod-eu-1', inventoryNamespace: 'team', inventoryName: 'all' })).toBe(
      'prod-eu-1:team/all',
    );
    expect(formatMessageKey({ inventoryNamespace: 'team', inventoryName: 'all' })).toBe('team/all');
    expect(formatMessageKey({ cluster: '', inventoryNamespace: 'team', inventoryName: 'all' })).toBe('team/all');
  });

  test('property: parsing is the inverse of formatting', () => {
    fc.assert(
      fc.property(scopes, (scope) => expect(parseMessageKey(formatMessageKey(scope))).toEqual(scope)),
      { numRuns: 500 },
    );
  });

  test('property: formatting is the inverse of parsing, and what cannot be formatted is not parsed', () => {
    const texts = fc.oneof(
      fc.string({ unit: fc.constantFrom(':', '/', 'a', 'ü', '\n', '\u2028', '\ud800'), maxLength: 10 }),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let scope: Scope;
        try {
          scope = parseMessageKey(text);
        } catch {
          return;
        }
        expect(formatMessageKey(scope)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    '',
    'x',
    '/',
    'a/',
    '/a',
    ':a/b',
    'c:a',
    'c:/a',
    'c:a/',
    'c:a/b:c',
    'a/b/c',
    'c:a/b/c',
    'a/b\n',
    'c\0:a/b',
    'c\ud800:a/b',
  ])('%j is nobody’s key', (text) => {
    const error = refused(() => parseMessageKey(text));
    expect(error.operation).toBe('read');
    if (text.length > 1) expect(error.message).not.toContain(text);
  });

  test.each<Scope>([
    { inventoryNamespace: 'a/b', inventoryName: 'c' },
    { inventoryNamespace: 'a', inventoryName: 'b/c' },
    { inventoryNamespace: 'a:b', inventoryName: 'c' },
    { cluster: 'x', inventoryNamespace: 'a:b', inventoryName: 'c' },
    { inventoryNamespace: '', inventoryName: 'c' },
    { inventoryNamespace: 'a', inventoryName: '' },
    { cluster: 'a\n', inventoryNamespace: 'a', inventoryName: 'b' },
  ])('%j has no key, since it would be that of another scope', (scope) => {
    refused(() => formatMessageKey(scope));
  });
});
