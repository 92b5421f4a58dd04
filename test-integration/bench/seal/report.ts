import { amount } from '../measure/amount.ts';
import { markdownTable } from '../measure/markdown-table.ts';
import type { Figure, Line, Variant } from './results.ts';

const thousands = new Intl.NumberFormat('en', { useGrouping: true, maximumFractionDigits: 0 });

/** The lines as a Markdown table; the last columns compare within the same size and share. */
export function renderLines(lines: readonly Line[]): string {
  const rows = lines.map((line) => {
    const ratioTo = (variant: Variant): string => {
      const other = lines.find(
        (each) => each.n === line.n && each.changedPercent === line.changedPercent && each.variant === variant,
      );
      return other === undefined || other === line ? '' : amount(line.ms / other.ms);
    };
    return [
      line.variant,
      thousands.format(line.n),
      `${line.changedPercent} %`,
      amount(line.ms * 1_000),
      amount(line.cpuMs * 1_000),
      ratioTo('plain'),
      ratioTo('hash'),
      ratioTo('anew'),
    ];
  });
  return markdownTable(['variant', 'items', 'changed', 'µs', 'CPU µs', '÷ plain', '÷ hash', '÷ anew'], rows, 1);
}

export function renderFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ figure, n, value, unit, target, verdict }) => [
    figure,
    thousands.format(n),
    `${amount(value)} ${unit}`,
    `≤ ${amount(target)} ${unit}`,
    verdict,
  ]);
  return markdownTable(['figure', 'items', 'value', 'target', 'verdict'], rows, 1);
}
