import { createHash } from 'node:crypto';
import { sealSnapshot, type Item } from '@kollect/core';
import { median } from '../measure/statistics.ts';
import { collectGarbage, longestStall, timed } from '../measure/time.ts';
import type { Contender } from './contender.ts';
import { contenders } from './contenders.ts';
import type { Probe } from './database.ts';
import { forgetChecksum } from './ours.ts';
import { createFigure, states, type Figure } from './results.ts';
import { nextMoment } from '../measure/moments.ts';
import { benchScope, itemsOf, type Workload } from './workload.ts';

const rounds = 5;

/** What sealing takes, as a multiple of JSON.stringify and one SHA-256 of the same items. */
export async function measureSealing({ items }: Workload): Promise<Figure[]> {
  const plain: number[] = [];
  const sealed: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    collectGarbage();
    const stringify = await timed(() => stringifyAndHash(items));
    collectGarbage();
    const seal = await timed(() => sealSnapshot({ ...benchScope, generation: 1, items }));
    // Round 0 warms up.
    if (round === 0) continue;
    plain.push(stringify.ms);
    sealed.push(seal.ms);
  }
  const n = items.length;
  return [
    createFigure({ n, figure: 'JSON.stringify and SHA-256 of the items', value: median(plain), unit: 'ms' }),
    createFigure({ n, figure: 'sealing the items', value: median(sealed), unit: 'ms' }),
    createFigure({
      n,
      figure: 'sealing ÷ (JSON.stringify and SHA-256)',
      value: median(sealed) / median(plain),
      unit: '×',
      target: 2.5,
    }),
  ];
}

function stringifyAndHash(items: readonly Item[]): string {
  const hash = createHash('sha256');
  for (const item of items) hash.update(JSON.stringify(item));
  return hash.digest('hex');
}

/** The longest time for which sealing and exporting kept the event loop from anything else: the median of the rounds, and the worst of all. */
export async function measureStalls(contender: Contender, probe: Probe, workload: Workload): Promise<Figure[]> {
  const stalls: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await probe.run(`TRUNCATE ${contender.tables.join(', ')}`, 'CHECKPOINT');
    const inRound: number[] = [];
    for (const state of states) {
      // Without it WARM would stop after one statement.
      if (state === 'WARM')
        await probe.run(forgetChecksum(contenders.ours.table), `VACUUM ANALYZE ${contender.tables.join(', ')}`);
      collectGarbage();
      const items = itemsOf(state, workload);
      inRound.push(await longestStall(async () => (await contender.stage(items, nextMoment()))()));
    }
    stalls.push(Math.max(...inRound));
  }
  const n = workload.items.length;
  return [
    createFigure({
      n,
      figure: 'longest event-loop stall while sealing and exporting, median of rounds',
      value: median(stalls),
      unit: 'ms',
    }),
    createFigure({
      n,
      figure: 'longest event-loop stall while sealing and exporting, worst of all',
      value: Math.max(...stalls),
      unit: 'ms',
      target: 100,
    }),
  ];
}
