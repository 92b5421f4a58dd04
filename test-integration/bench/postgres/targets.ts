import type { Line, State, Verdict } from './results.ts';

/** Items from which on the targets are meant to be reached. */
export const targetsFrom = 10_000;

/** Most that an export may take, as a multiple of the limit of its state; EMPTIED is judged by its growth alone. */
export const limitTargets: Partial<Record<State, number>> = { COLD: 1.6, WARM: 0.6, DELTA: 0.7 };

/** The same where an inventory is kept: what its informers told is set, sealed and exported. */
export const inventoryTarget = { state: 'DELTA', ratio: 0.1, from: 100_000 } as const;

/** Most CPU of a cycle in which nothing changed, as a multiple of one that seals anew and compares. */
export const unchangedCpuTarget = 0.05;

/** Most bytes that a cycle sends, as a multiple of the JSON of the items that changed. */
export const sentTarget = 3;

/** Least that a row at a time must take, as a multiple of an export. */
export const rowTargets: Partial<Record<State, number>> = { COLD: 6, WARM: 12 };

/** Most WAL that an export of unchanged content may write. */
export const warmWalBytes = 100_000;

export interface Judgement {
  readonly ratio: number;
  readonly target: number | null;
  readonly verdict: Verdict | null;
}

/** Milliseconds that the database alone needs for a state: L1 for COLD, L2 for EMPTIED, otherwise L0 + L2. */
export function limitOf(lines: readonly Line[], n: number, state: State): number {
  const ms = (variant: string): number => find(lines, n, state, variant)?.ms ?? Number.NaN;
  if (state === 'EMPTIED') return ms('L2');
  return state === 'COLD' ? ms('L1') : ms('L0') + ms('L2');
}

/** How a line compares with its limit; judged where it is one of ours. */
export function judgeAgainstLimit(lines: readonly Line[], line: Line): Judgement {
  const ratio = line.ms / limitOf(lines, line.n, line.state);
  const target = limitTargetOf(line);
  return judge(line, ratio, target, target !== undefined && ratio <= target);
}

function limitTargetOf({ variant, state, n }: Line): number | undefined {
  const ofInventory = variant === 'ours-inventory' && state === inventoryTarget.state && n >= inventoryTarget.from;
  return ofInventory ? inventoryTarget.ratio : limitTargets[state];
}

/** How many times as long a row at a time takes; judged where the line is one of ours. */
export function judgeAgainstRows(lines: readonly Line[], line: Line): Judgement {
  const ratio = (find(lines, line.n, line.state, 'row-at-a-time')?.ms ?? Number.NaN) / line.ms;
  const target = rowTargets[line.state];
  return judge(line, ratio, target, target !== undefined && ratio >= target);
}

/** The WAL of a line in MB; judged where it is ours and nothing changed. */
export function judgeWal(line: Line): Judgement {
  return judge(
    line,
    line.walBytes / 1e6,
    line.state === 'WARM' ? warmWalBytes / 1e6 : undefined,
    line.walBytes < warmWalBytes,
  );
}

/** How time grows with items, as the exponent between the smallest and the largest size that targets are meant for: 1 is in proportion. */
export function growthOf(lines: readonly Line[], state: State): number {
  const ours = lines
    .filter((line) => line.state === state && line.variant === 'ours' && line.n >= targetsFrom)
    .toSorted((a, b) => a.n - b.n);
  const [first, last] = [ours[0], ours.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return Math.log(last.ms / first.ms) / Math.log(last.n / first.n);
}

function judge(line: Line, ratio: number, target: number | undefined, reached: boolean): Judgement {
  const judged =
    target !== undefined && line.n >= targetsFrom && line.variant.startsWith('ours') && !Number.isNaN(ratio);
  if (!judged) return { ratio, target: null, verdict: null };
  return { ratio, target, verdict: reached ? 'pass' : 'miss' };
}

function find(lines: readonly Line[], n: number, state: State, variant: string): Line | undefined {
  return lines.find((line) => line.n === n && line.state === state && line.variant === variant);
}
