import { expect, test } from '@jest/globals';
import type { Line } from './results.ts';
import { judge } from './targets.ts';

const line = (given: Partial<Line>): Line => ({
  bench: 'seal',
  n: 100_000,
  changedPercent: 1,
  variant: 'inventory',
  ms: 10,
  cpuMs: 10,
  ...given,
});

const verdicts = (lines: readonly Line[]) => judge(lines, []).map(({ figure, verdict }) => [figure, verdict]);

test.each([
  { n: 1, ms: 20, verdict: 'pass' },
  { n: 1, ms: 21, verdict: 'miss' },
  { n: 1_000_000, ms: 20, verdict: 'pass' },
])('judges sealing anew at any size: $n items in $ms ms, $verdict', ({ n, ms, verdict }) => {
  const lines = [
    line({ n, changedPercent: 100, variant: 'plain' }),
    line({ n, changedPercent: 100, variant: 'anew', ms }),
  ];
  expect(verdicts(lines)).toEqual([['sealing anew ÷ (JSON.stringify and SHA-256)', verdict]]);
});

test.each([
  { ms: 10, anew: 'pass', hash: 'pass' },
  { ms: 11, anew: 'miss', hash: 'pass' },
  { ms: 21, anew: 'miss', hash: 'miss' },
])('judges an inventory of which 1 % changed, in $ms ms', ({ ms, anew, hash }) => {
  const lines = [line({ ms }), line({ variant: 'anew', ms: 100 }), line({ variant: 'hash', ms: 10 })];
  expect(verdicts(lines)).toEqual([
    ['1 % changed: inventory ÷ sealing anew', anew],
    ['1 % changed: inventory ÷ SHA-256 of the same bytes', hash],
  ]);
});

test.each([
  { cpuMs: 5, verdict: 'pass' },
  { cpuMs: 6, verdict: 'miss' },
])('judges $cpuMs ms of CPU of a cycle in which nothing changed: $verdict', ({ cpuMs, verdict }) => {
  const lines = [
    line({ changedPercent: 0, ms: 1_000, cpuMs }),
    line({ changedPercent: 0, variant: 'anew', ms: 1, cpuMs: 100 }),
  ];
  expect(verdicts(lines)).toEqual([['nothing changed: CPU of the inventory ÷ sealing anew', verdict]]);
});

test('asks nothing of small inventories but how long sealing anew takes', () => {
  const n = 1_000;
  expect(verdicts([line({ n, ms: 1_000 }), line({ n, variant: 'anew' }), line({ n, variant: 'hash' })])).toEqual([]);
});

test.each([
  { heldBytes: 155_000_000, verdict: 'pass' },
  { heldBytes: 155_000_001, verdict: 'miss' },
])('judges memory by the bytes of the items and their number: $heldBytes, $verdict', ({ heldBytes, verdict }) => {
  expect(judge([], [{ n: 100_000, heldBytes, jsonBytes: 100_000_000 }])).toMatchObject([{ target: 155, verdict }]);
});
