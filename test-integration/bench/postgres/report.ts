import { amount } from '../measure/amount.ts';
import { markdownTable } from '../measure/markdown-table.ts';
import type { Figure, Line } from './results.ts';
import { judgeAgainstLimit, judgeAgainstRows, judgeWal, limitOf, type Judgement } from './targets.ts';

const thousands = new Intl.NumberFormat('en', { useGrouping: true, maximumFractionDigits: 0 });
const missing = '';

/** The lines of one size as a Markdown table, each ratio with its target and verdict. */
export function renderLines(lines: readonly Line[]): string {
  const head = ['state', 'variant', 'ms', '÷ limit', 'a row at a time ÷ it', 'WAL MB', 'sent MB', 'memory MB'];
  const rows = lines.map((line) => [
    line.state,
    line.variant,
    amount(line.ms),
    Number.isNaN(limitOf(lines, line.n, line.state)) || isLimit(line)
      ? missing
      : judged(judgeAgainstLimit(lines, line), '≤'),
    line.variant === 'row-at-a-time' || isLimit(line) ? missing : judged(judgeAgainstRows(lines, line), '≥'),
    judged(judgeWal(line), '<'),
    line.sentBytes === null ? missing : amount(line.sentBytes / 1e6),
    line.rssMb === null ? missing : amount(line.rssMb),
  ]);
  return markdownTable(head, rows, 2);
}

/** The further figures as a Markdown table. */
export function renderFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ n, figure, value, unit, target, verdict }) => [
    figure,
    thousands.format(n),
    `${amount(value)} ${unit}`,
    target === null ? missing : `≤ ${target} ${unit}`,
    verdict ?? missing,
  ]);
  return markdownTable(['figure', 'items', 'value', 'target', 'verdict'], rows, 1);
}

/** What missed its target, a sentence each. */
export function listMisses(lines: readonly Line[], figures: readonly Figure[]): string[] {
  const ofLines = lines.flatMap((line) => {
    const of = {
      'limit ratio': judgeAgainstLimit(lines, line),
      'row-at-a-time ratio': judgeAgainstRows(lines, line),
      'WAL in MB': judgeWal(line),
    };
    return Object.entries(of).flatMap(([what, { ratio, target, verdict }]) =>
      verdict === 'miss'
        ? [
            `${thousands.format(line.n)} items, ${line.state}, ${line.variant}: ${what} ${amount(ratio)}, target ${target}`,
          ]
        : [],
    );
  });
  const ofFigures = figures.flatMap(({ n, figure, value, unit, target, verdict }) =>
    verdict === 'miss' ? [`${thousands.format(n)} items, ${figure}: ${amount(value)} ${unit}, target ${target}`] : [],
  );
  return [...ofLines, ...ofFigures];
}

function isLimit(line: Line): boolean {
  return /^L\d$/.test(line.variant);
}

function judged({ ratio, target, verdict }: Judgement, relation: string): string {
  if (Number.isNaN(ratio)) return missing;
  return target === null ? amount(ratio) : `${amount(ratio)} (${relation} ${target}: ${verdict})`;
}
