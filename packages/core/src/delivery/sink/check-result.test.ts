import { expect, test } from '@jest/globals';
import { applied } from '../delivery.fixture.ts';
import { checkResult } from './check-result.ts';

test('a result without a reference has none', () => {
  expect(checkResult(applied)).toEqual(applied);
  expect(checkResult({ ...applied, reference: undefined })).not.toHaveProperty('reference');
});

test.each([
  ['a commit', '9f3c1e', '9f3c1e'],
  ['what breaks a line', 'a\nb\u001b[31m', 'a\ufffdb\ufffd[31m'],
  ['what has no end', 'x'.repeat(1e6), 'x'.repeat(200)],
  ['half a pair', 'a'.repeat(199) + '\u{1f600}', 'a'.repeat(199) + '\ufffd'],
])('a reference becomes one short line: %s', (_, reference, shown) => {
  expect(checkResult({ ...applied, reference })?.reference).toBe(shown);
});

test('a reference that is no text is no result', () => {
  expect(checkResult({ ...applied, reference: 7 })).toBeUndefined();
});
