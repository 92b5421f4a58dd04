import { expect, test } from '@jest/globals';
import { nearestName, suggestion } from './nearest-name.ts';

test.each([
  ['tabel', 'table'],
  ['Table', 'table'],
  ['poolsize', 'poolSize'],
  ['statementTimout', 'statementTimeout'],
  ['id', undefined],
  ['quite-something-else', undefined],
])('%s means %s', (written, meant) => {
  expect(nearestName(written, ['table', 'poolSize', 'statementTimeout'])).toBe(meant);
});

test('a name of any length costs little, and has no nearest one', () => {
  expect(nearestName('x'.repeat(70), ['x'.repeat(69)])).toBeUndefined();
});

test('a far name is answered with the known ones', () => {
  expect(suggestion('zzzz', ['table', 'mode'])).toBe('known: table, mode');
  expect(suggestion('zzzz', [])).toBe('none is known here');
});
