import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { durationMs, durationPattern, parseDuration } from './duration.ts';
import { sinkErrorOf } from './registry.fixture.ts';

test.each([
  ['0', 0],
  ['0s', 0],
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5s', 1500],
  ['5m', 300_000],
  ['5m1ms', 300_001],
  ['1h30m', 5_400_000],
  ['1h2m3s4ms', 3_723_004],
  ['720h', 2_592_000_000],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text, '$.a')).toBe(milliseconds);
});

test.each([
  '',
  ' ',
  '5',
  '-5s',
  '5 m',
  '5min',
  '30S',
  '1m1h',
  's',
  '1d',
  '5ms3s',
  '1e3s',
  '٣s',
  '999999999999999h',
  '5s\n',
])('%j is refused with examples', (text) => {
  const error = sinkErrorOf(() => parseDuration(text, '$.table.timeout'));
  expect(error.code).toBe('SPEC_INVALID');
  expect(error.operation).toBe('create');
  expect(error.message).toContain(
    '$.table.timeout: expected a duration such as "250ms", "30s", "5m" or "1h30m", found ',
  );
});

test('the pattern for other validators takes what parseDuration takes', () => {
  const pattern = new RegExp(durationPattern);
  const piece = fc.constantFrom('0', '5', '1.5', '.', 'h', 'm', 's', 'ms', ' ', '-', '1h', '2m', '3s', '4ms');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      (text) => {
        expect([text, pattern.test(text)]).toEqual([text, durationMs(text) !== undefined]);
      },
    ),
    { numRuns: 5_000 },
  );
});
