import { expect, test } from '@jest/globals';
import { createFigure, type Line } from './results.ts';
import { growthOf, judgeAgainstLimit, judgeAgainstRows, judgeWal } from './targets.ts';

const line = (given: Partial<Line>): Line => ({
  bench: 'postgres',
  n: 10_000,
  state: 'COLD',
  variant: 'ours',
  ms: 100,
  walBytes: 0,
  sentBytes: null,
  rssMb: null,
  ...given,
});

const cold = [
  line({ variant: 'L0', ms: 40 }),
  line({ variant: 'L1', ms: 50 }),
  line({ variant: 'row-at-a-time', ms: 500 }),
];
const warm = [
  line({ state: 'WARM', variant: 'L0', ms: 40 }),
  line({ state: 'WARM', variant: 'L2', ms: 60 }),
  line({ state: 'WARM', variant: 'row-at-a-time', ms: 500 }),
];

test.each([
  { what: 'COLD at its target of L1', lines: cold, given: { ms: 80 }, ratio: 1.6, verdict: 'pass' },
  { what: 'COLD above it', lines: cold, given: { ms: 90 }, ratio: 1.8, verdict: 'miss' },
  {
    what: 'WARM against L0 and L2 together',
    lines: warm,
    given: { state: 'WARM', ms: 60 },
    ratio: 0.6,
    verdict: 'pass',
  },
  { what: 'WARM above it', lines: warm, given: { state: 'WARM', ms: 61 }, ratio: 0.61, verdict: 'miss' },
  {
    what: 'every way that is ours',
    lines: cold,
    given: { variant: 'ours-with-seal', ms: 90 },
    ratio: 1.8,
    verdict: 'miss',
  },
  { what: 'nobody else', lines: cold, given: { variant: 'unnest', ms: 90 }, ratio: 1.8, verdict: null },
  {
    what: 'a size below the targets',
    lines: cold.map((each) => ({ ...each, n: 2_000 })),
    given: { n: 2_000, ms: 90 },
    ratio: 1.8,
    verdict: null,
  },
] as const)('judges against the limit: $what', ({ lines, given, ratio, verdict }) => {
  const judgement = judgeAgainstLimit(lines, line(given));
  expect(judgement.ratio).toBeCloseTo(ratio);
  expect(judgement.verdict).toBe(verdict);
});

test.each([
  { n: 100_000, ms: 10, target: 0.1, verdict: 'pass' },
  { n: 100_000, ms: 11, target: 0.1, verdict: 'miss' },
  { n: 10_000, ms: 11, target: 0.7, verdict: 'pass' },
] as const)('judges an inventory that is kept: $n items in $ms ms, $verdict', ({ n, ms, target, verdict }) => {
  const of = (given: Partial<Line>) => line({ n, state: 'DELTA', ...given });
  const limits = [of({ variant: 'L0', ms: 40 }), of({ variant: 'L2', ms: 60 })];
  expect(judgeAgainstLimit(limits, of({ variant: 'ours-inventory', ms }))).toMatchObject({ target, verdict });
  expect(judgeAgainstLimit(limits, of({ variant: 'ours', ms: 70 })).target).toBe(0.7);
});

test.each([
  { state: 'COLD', ms: 83, verdict: 'pass' },
  { state: 'COLD', ms: 84, verdict: 'miss' },
  { state: 'WARM', ms: 41, verdict: 'pass' },
  { state: 'WARM', ms: 42, verdict: 'miss' },
  { state: 'DELTA', ms: 1, verdict: null },
] as const)('judges $ms ms against a row at a time in $state: $verdict', ({ state, ms, verdict }) => {
  expect(
    judgeAgainstRows(
      [...cold, ...warm, line({ state: 'DELTA', variant: 'row-at-a-time', ms: 500 })],
      line({ state, ms }),
    ).verdict,
  ).toBe(verdict);
});

test('says nothing where a row at a time was not measured', () => {
  expect(judgeAgainstRows([], line({})).verdict).toBeNull();
});

test.each([
  { state: 'WARM', walBytes: 99_999, verdict: 'pass' },
  { state: 'WARM', walBytes: 100_000, verdict: 'miss' },
  { state: 'DELTA', walBytes: 100_000, verdict: null },
] as const)('judges $walBytes bytes of WAL in $state: $verdict', ({ state, walBytes, verdict }) => {
  expect(judgeWal(line({ state, walBytes })).verdict).toBe(verdict);
});

test.each([
  { value: 2.5, target: 2.5, verdict: 'pass' },
  { value: 2.51, target: 2.5, verdict: 'miss' },
  { value: 3, target: null, verdict: null },
])('judges a figure of $value against $target: $verdict', ({ value, target, verdict }) => {
  expect(createFigure({ n: 1, figure: 'x', unit: '×', value, target }).verdict).toBe(verdict);
});

test('growth is the exponent between the smallest and the largest size', () => {
  const of = (n: number, ms: number) => line({ n, ms, state: 'EMPTIED' });
  expect(growthOf([of(2_000, 1), of(10_000, 5), of(100_000, 9), of(1_000_000, 500)], 'EMPTIED')).toBeCloseTo(1);
  expect(growthOf([of(10_000, 5), of(100_000, 500)], 'EMPTIED')).toBeCloseTo(2);
  expect(growthOf([of(10_000, 5)], 'EMPTIED')).toBeNaN();
});
