import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isWellFormed } from '../../contract/json/text.ts';
import { keySegment, partedDocumentLayout, scopePath, singleDocumentLayout } from './document-layout.ts';

const scope = { cluster: 'east', inventoryNamespace: 'team', inventoryName: 'apps' };

test('says where documents are', () => {
  expect(singleDocumentLayout().headKey(scope)).toBe('inventory/east/team/apps.json');
  const { headKey, parts } = partedDocumentLayout({ prefix: 'a/' });
  expect(headKey({ inventoryNamespace: 'team', inventoryName: 'apps' })).toBe('a/_/team/apps/head.json');
  const place = { partIndex: 2, partTotal: 3, exportedAt: '2026-01-31T12:00:00.000Z', attempt: 'abc' };
  const key = parts?.key(scope, place) ?? '';
  expect(key).toBe(`a/east/team/apps/parts/${Date.parse(place.exportedAt)}-abc-2.json`);
  expect(parts?.timeOf?.(scope, key)).toBe(Date.parse(place.exportedAt));
});

test.each(['notes.txt', 'x-abc-2.json', '5-abc-2.json.bak', '5-abc.json', '5-a/c-2.json'])(
  'takes %s for no part of its own',
  (name) => {
    const { parts } = partedDocumentLayout();
    expect(parts?.timeOf?.(scope, `${parts.prefix?.(scope)}${name}`)).toBeUndefined();
    expect(parts?.timeOf?.(scope, '5-abc-2.json')).toBeUndefined();
  },
);

test.each([
  ['web', 'web'],
  ['', '%'],
  ['.', '%2E'],
  ['..', '%2E%2E'],
  ['.git', '%2Egit'],
  ['a.', 'a%2E'],
  ['_', '%5F'],
  ['Web', '%57eb'],
  ['a/b', 'a%2Fb'],
  ['con', '%63on'],
  ['nul.json', '%6Eul.json'],
  ['%41', '%2541'],
  ['ä', '%C3%A4'],
])('%j becomes %j', (name, segment) => {
  expect(keySegment(name)).toBe(segment);
});

test('different names have different segments, also where case does not count, and every one fits any file system', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom('a', 'A', '%', '4', '1', '.', '_', '~', '/'), maxLength: 250 }),
  );
  fc.assert(
    fc.property(name, name, (a, b) => {
      fc.pre(isWellFormed(a) && isWellFormed(b));
      const [one, other] = [keySegment(a), keySegment(b)];
      expect(one).toMatch(/^[a-z0-9%~][a-zA-F0-9._~%-]*$/);
      expect(one).not.toMatch(/\.$/);
      expect(one.length).toBeLessThanOrEqual(200);
      if (a !== b) expect(one.toLowerCase()).not.toBe(other.toLowerCase());
    }),
  );
});

test('a cluster is never taken for none', () => {
  const { cluster: _, ...none } = scope;
  expect(scopePath({ ...none, cluster: '_' })).not.toBe(scopePath(none));
});
