import { amount } from '../measure/amount.ts';
import { markdownTable } from '../measure/markdown-table.ts';
import type { Figure, Line } from './results.ts';

/** The lines of one case as a Markdown table; the last column compares with Java's producer. */
export function renderLines(lines: readonly Line[]): string {
  const java = lines.find(({ variant }) => variant === 'java')?.ms;
  const optional = (value: number | null): string => (value === null ? '' : amount(value));
  const rows = lines.map((line) => [
    line.case,
    line.variant,
    amount(line.ms),
    `${amount(line.minMs)}–${amount(line.maxMs)}`,
    java === undefined ? '' : amount(line.ms / java),
    optional(line.cpuMs),
    optional(line.rssMb),
    optional(line.stallMs),
    line.wireBytes === null ? '' : amount(line.wireBytes / 1e6),
  ]);
  return markdownTable(
    ['case', 'variant', 'ms', 'from–to', '÷ java', 'CPU ms', 'memory MB', 'stall ms', 'wire MB'],
    rows,
    2,
  );
}

export function renderFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ figure, value, unit, target, verdict }) => [
    figure,
    `${amount(value)} ${unit}`,
    `≤ ${amount(target)} ${unit}`,
    verdict,
  ]);
  return markdownTable(['figure', 'value', 'target', 'verdict'], rows, 1);
}
