import type { BenchOptions } from '../bench-options.ts';
import { amount } from '../measure/amount.ts';
import { currentLoad, describeMachine } from '../measure/environment.ts';
import { markdownTable } from '../measure/markdown-table.ts';
import { measureChainCost } from './chain-cost.ts';
import { measureFanOut } from './fan-out.ts';
import type { Figure } from './results.ts';

const defaultRounds = 7;

/** Measures what delivery costs around sinks that cost nothing; see docs/benchmarks.md. */
export async function runDeliveryBench({ json, rounds = defaultRounds }: BenchOptions): Promise<void> {
  if (!json) console.log(`${new Date().toISOString()}, ${describeMachine()}, load ${currentLoad().toFixed(2)}`);
  const figures = [...(await measureChainCost(rounds)), ...(await measureFanOut())];
  if (json) for (const figure of figures) console.log(JSON.stringify(figure));
  else console.log(`\n${render(figures)}\n\nLoad at the end ${currentLoad().toFixed(2)}.`);
}

function render(figures: readonly Figure[]): string {
  const rows = figures.map(({ figure, value, unit, target, verdict }) => [
    figure,
    `${amount(value)} ${unit}`,
    target === null ? '' : `≤ ${target} ${unit}`,
    verdict ?? '',
  ]);
  return markdownTable(['figure', 'value', 'target', 'verdict'], rows, 1);
}
