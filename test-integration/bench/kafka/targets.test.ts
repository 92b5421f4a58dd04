import { expect, test } from '@jest/globals';
import type { Line, Variant } from './results.ts';
import { judge } from './targets.ts';

const line = (name: string, variant: Variant, ms: number, rssMb = 1, stallMs = 1): Line => ({
  bench: 'kafka',
  case: name,
  variant,
  ms,
  minMs: ms,
  maxMs: ms,
  cpuMs: 1,
  rssMb,
  stallMs,
  wireBytes: 1,
});

test('a ratio is judged against its target, and only where both sides were measured', () => {
  const lines = [
    line('1KiB-awaited', 'ours-kafkajs', 110),
    line('1KiB-awaited', 'bare-kafkajs', 100),
    line('1KiB-awaited', 'java', 90),
  ];
  expect(judge(lines)).toEqual([
    expect.objectContaining({
      figure: '1KiB-awaited: ours-kafkajs ÷ bare-kafkajs',
      value: 1.1,
      target: 1.15,
      verdict: 'pass',
    }),
    expect.objectContaining({ figure: '1KiB-awaited: ours-kafkajs ÷ java', target: 1.1, verdict: 'miss' }),
  ]);
});

test.each([
  { ms: 110, verdict: 'pass' },
  { ms: 111, verdict: 'miss' },
])('a small export is judged against what a user would write: $ms ms, $verdict', ({ ms, verdict }) => {
  const lines = [line('1KiB-awaited', 'ours-platformatic', ms), line('1KiB-awaited', 'user-platformatic', 100)];
  expect(judge(lines)).toMatchObject([
    { figure: '1KiB-awaited: ours-platformatic ÷ user-platformatic', target: 1.1, verdict },
  ]);
});

test('memory and stall are those of the worst compression', () => {
  const figures = judge([
    line('20MiB-parts-none', 'ours-platformatic', 1, 90, 10),
    line('20MiB-parts-gzip', 'ours-platformatic', 1, 10, 140),
  ]);
  expect(figures.map(({ value, verdict }) => [value, verdict])).toEqual([
    [90, 'miss'],
    [140, 'miss'],
  ]);
});
