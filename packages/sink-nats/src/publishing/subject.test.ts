import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fuzzProperty, fuzzTimeoutMs } from '../../../core/src/contract/fuzz.fixture.ts';
import { formatSubject, parseSubject } from './subject.ts';

test.each([
  [{ inventoryNamespace: 'team-a', inventoryName: 'web' }, 'p._.team-a.web'],
  [{ cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'web.v1' }, 'p.prod.team-a.web%2Ev1'],
  [{ cluster: '_', inventoryNamespace: 'a', inventoryName: 'b' }, 'p.%5F.a.b'],
  [{ cluster: 'eu.*.>', inventoryNamespace: 'a b', inventoryName: 'ü%' }, 'p.eu%2E%2A%2E%3E.a%20b.%C3%BC%25'],
])('%j is %s', (scope, subject) => {
  expect(formatSubject(scope, 'p')).toBe(subject);
  expect(parseSubject(subject)).toEqual(scope);
});

test.each(['', 'a.b.c', 'p._.a.', 'p._.a.%', 'p._.a.%2e', 'p._.a.b%41', 'p.*.a.b', 'p._.a.>', 'p._.a/b.c'])(
  '%j is none of ours',
  (subject) => {
    expect(parseSubject(subject)).toBeUndefined();
  },
);

test('a scope that no message can have is refused', () => {
  expect(() => formatSubject({ inventoryNamespace: 'a/b', inventoryName: 'c' }, 'p')).toThrow(
    /cannot be a message key/,
  );
  expect(() => formatSubject({ cluster: 'é'.repeat(400), inventoryNamespace: 'a', inventoryName: 'c' }, 'p')).toThrow(
    /would have 2\d{3} characters/,
  );
});

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => !/[\p{C}/:]/u.test(text));

test(
  'what is formatted is parsed again, and no two scopes share a subject',
  async () => {
    const scope = fc.record({ cluster: fc.option(name, { nil: '' }), inventoryNamespace: name, inventoryName: name });
    await fuzzProperty(
      fc.property(scope, scope, ({ cluster, ...names }, other) => {
        const one = cluster === '' ? names : { cluster, ...names };
        const subject = formatSubject(one, 'some.prefix');
        expect(parseSubject(subject)).toEqual(one);
        expect(subject).toMatch(/^some\.prefix\.[\w%-]+\.[\w%-]+\.[\w%-]+$/);
        expect(formatSubject(other, 'some.prefix') === subject).toBe(
          JSON.stringify([other.cluster, other.inventoryNamespace, other.inventoryName]) ===
            JSON.stringify([cluster, names.inventoryNamespace, names.inventoryName]),
        );
      }),
      300,
    );
  },
  fuzzTimeoutMs,
);
