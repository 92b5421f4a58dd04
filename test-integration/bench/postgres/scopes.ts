import { median } from '../measure/statistics.ts';
import { collectGarbage, timed } from '../measure/time.ts';
import { contenders } from './contenders.ts';
import type { Probe } from './database.ts';
import { createOurs } from './ours.ts';
import { createFigure, type Figure } from './results.ts';
import { nextMoment } from '../measure/moments.ts';
import { benchScope, type Workload } from './workload.ts';
import type { Contender } from './contender.ts';
import type { Item } from '@kollect/core';

const rounds = 3;
const scopeCount = 8;

/** Items a second of a DELTA of eight inventories in one process, 1, 2 and 8 of them at once; sealing not included. */
export async function measureScopes(dsn: string, probe: Probe, { items, nextItems }: Workload): Promise<Figure[]> {
  const scopes = await Promise.all(
    Array.from({ length: scopeCount }, (_, index) =>
      createOurs({ dsn, table: contenders.ours.table, scope: { ...benchScope, inventoryName: `scope-${index}` } }),
    ),
  );
  const [first] = scopes;
  const tables = first?.tables.join(', ') ?? '';
  const figures: Figure[] = [];
  try {
    for (const atOnce of [1, 2, scopeCount]) {
      const rates: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await probe.run(`TRUNCATE ${tables}`, 'CHECKPOINT');
        for (const deliver of await stageAll(scopes, items)) await deliver();
        await probe.run(`VACUUM ANALYZE ${tables}`);
        const deliveries = await stageAll(scopes, nextItems);
        collectGarbage();
        const { ms } = await timed(() => runAtOnce(deliveries, atOnce));
        rates.push((scopeCount * nextItems.length) / (ms / 1000));
      }
      figures.push(
        createFigure({
          n: items.length,
          figure: `${scopeCount} inventories, DELTA, ${atOnce} at once`,
          value: median(rates),
          unit: 'items/s',
        }),
      );
    }
  } finally {
    await Promise.all(scopes.map((scope) => scope.close()));
  }
  return figures;
}

/** A uid belongs to one inventory in the table's key, so that all of them may hold the same items. */
async function stageAll(scopes: readonly Contender[], items: readonly Item[]): Promise<(() => Promise<void>)[]> {
  const deliveries: (() => Promise<void>)[] = [];
  for (const scope of scopes) deliveries.push(await scope.stage(items, nextMoment()));
  return deliveries;
}

async function runAtOnce(deliveries: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const waiting = [...deliveries];
  const work = async (): Promise<void> => {
    for (let deliver = waiting.shift(); deliver !== undefined; deliver = waiting.shift()) await deliver();
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
