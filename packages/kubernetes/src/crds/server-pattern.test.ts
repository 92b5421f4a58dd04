import { expect, test } from '@jest/globals';
import { isServerPattern } from './server-pattern.ts';
import { notReadByServer, readByServer } from './server-patterns.fixture.ts';

test.each(readByServer)('%s is read by the API server', (pattern) => {
  expect(() => new RegExp(pattern, 'u')).not.toThrow();
  expect(isServerPattern(pattern)).toBe(true);
});

test.each(notReadByServer)('%s is not', (pattern) => {
  expect(() => new RegExp(pattern, 'u')).not.toThrow();
  expect(isServerPattern(pattern)).toBe(false);
});
