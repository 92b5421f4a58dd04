import type { BenchOptions } from '../bench-options.ts';
import { amount } from '../measure/amount.ts';
import { currentLoad, describeMachine } from '../measure/environment.ts';
import { measureHeldMemory } from './held-memory.ts';
import { measureShare } from './measure-share.ts';
import { renderFigures, renderLines } from './report.ts';
import { shares, type HeldMemory, type Line } from './results.ts';
import { judge } from './targets.ts';

const defaultSizes = [1, 10, 1_000, 10_000, 100_000];
const defaultRounds = 5;

/** Measures an inventory beside sealing anew, and both beside what is written without them; see docs/benchmarks.md. */
export async function runSealBench({
  sizes = defaultSizes,
  json,
  rounds = defaultRounds,
}: BenchOptions): Promise<void> {
  const say = (text: string): void => {
    if (!json) console.log(text);
  };
  const emit = (records: readonly object[]): void => {
    if (json) for (const record of records) console.log(JSON.stringify(record));
  };
  say(`${new Date().toISOString()}, ${describeMachine()}, load ${currentLoad().toFixed(2)}`);
  const lines: Line[] = [];
  const held: HeldMemory[] = [];
  for (const n of sizes) {
    const ofSize: Line[] = [];
    for (const changedPercent of shares) {
      process.stderr.write(`${n.toLocaleString('en')} items, ${changedPercent} % changed\n`);
      ofSize.push(...(await measureShare({ n, changedPercent, rounds })));
    }
    // A page of memory more or less is much where there are few items.
    if (n >= 10_000) held.push(await measureHeldMemory(n));
    lines.push(...ofSize);
    emit(ofSize);
    say(`\n${renderLines(ofSize)}`);
  }
  const figures = judge(lines, held);
  emit(figures);
  say(`\n${renderFigures(figures)}`);
  const misses = figures.filter(({ verdict }) => verdict === 'miss');
  const list = misses.map(
    ({ n, figure, value, target, unit }) =>
      `- ${n.toLocaleString('en')} items, ${figure}: ${amount(value)} ${unit}, target ${amount(target)}`,
  );
  say(`\n${list.length === 0 ? 'Every target was reached.' : `Missed:\n${list.join('\n')}`}`);
  say(`Load at the end ${currentLoad().toFixed(2)}.`);
}
