import { expect, test } from '@jest/globals';
import { boundedDuration } from './duration-bounds.ts';

test.each([
  ['1ms', 1],
  ['24h', 86_400_000],
])('%s is within', (text, ms) => {
  expect(boundedDuration(text, { above: '0s', most: '24h' })).toEqual({ value: ms });
});

test.each([
  ['0s', { above: '0s', most: '24h' }, 'must be above zero and at most 24h, found "0s"'],
  ['25h', { above: '0s', most: '24h' }, 'must be above zero and at most 24h, found "25h"'],
  ['5s', { above: '10s' }, 'must be above 10s, found "5s"'],
  ['5s', { least: '10s' }, 'must be at least 10s, found "5s"'],
  ['soon', {}, 'expected a duration such as "250ms", "30s", "5m" or "1h30m", found "soon"'],
])('%s: %j', (text, bounds, problem) => {
  expect(boundedDuration(text, bounds)).toEqual({ problem });
});
