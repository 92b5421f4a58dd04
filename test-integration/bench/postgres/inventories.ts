import { sealSnapshot, type Inventory, type Scope } from '@kollect/core';
import { evolve } from '@kollect/sink-testkit';
import { cpuSeconds } from '../measure/cpu.ts';
import { nextMoment } from '../measure/moments.ts';
import { median } from '../measure/statistics.ts';
import { collectGarbage, timed } from '../measure/time.ts';
import { contenders } from './contenders.ts';
import type { Probe } from './database.ts';
import { keepItems, tell, toldBetween } from './kept-inventory.ts';
import { openOurs } from './ours.ts';
import { createFigure, type Figure } from './results.ts';
import { benchScope, createItems } from './workload.ts';

const rounds = 3;
const itemsEach = 1_000;
const atOnce = 4;
/** So many inventories where many items are measured, few where a quick look is wanted. */
const countFor = (n: number): number => (n >= 100_000 ? 500 : 20);

/** A cycle of many inventories of a thousand items, of each of which 1 % changed: kept, and sealed anew. */
export async function measureInventories(dsn: string, probe: Probe, n: number): Promise<Figure[]> {
  const items = createItems(itemsEach);
  const nextItems = evolve(items, { changed: itemsEach / 100 });
  const [forth, back] = [toldBetween(items, nextItems), toldBetween(nextItems, items)];
  const scopes = Array.from({ length: countFor(n) }, (_, index): Scope => ({
    ...benchScope,
    inventoryName: `inventory-${index}`,
  }));
  const sink = await openOurs({ dsn, table: contenders.ours.table, poolSize: atOnce });
  const samples = { kept: [] as Sample[], anew: [] as Sample[] };
  try {
    await probe.run(`TRUNCATE ${sink.tables.join(', ')}`);
    const kept = scopes.map((scope) => keepItems(items, scope));
    const deliverKept = async (inventory: Inventory): Promise<void> =>
      sink.deliver(await inventory.seal({ generation: 1, exportedAt: nextMoment() }));
    await eachOf(kept, deliverKept);
    await probe.run(`VACUUM ANALYZE ${sink.tables.join(', ')}`);
    for (let round = 0; round < rounds; round += 1) {
      const told = round % 2 === 0 ? forth : back;
      const each = (inventory: Inventory): Promise<void> => {
        tell(inventory, told);
        return deliverKept(inventory);
      };
      samples.kept.push(await measured(() => eachOf(kept, each)));
    }
    for (let round = 0; round < rounds; round += 1) {
      // The rounds before were odd in number, so that the table holds the next items.
      const now = round % 2 === 0 ? items : nextItems;
      const each = async (scope: Scope): Promise<void> =>
        sink.deliver(await sealSnapshot({ ...scope, generation: 1, exportedAt: nextMoment(), items: now }));
      samples.anew.push(await measured(() => eachOf(scopes, each)));
    }
  } finally {
    await sink.close();
  }
  const name = `${scopes.length} inventories × ${itemsEach} items, 1 % of each changed`;
  return (['anew', 'kept'] as const).flatMap((way) => [
    createFigure({ n, figure: `${name}, ${way}`, value: median(samples[way].map(({ ms }) => ms)), unit: 'ms' }),
    createFigure({ n, figure: `${name}, ${way}: CPU`, value: median(samples[way].map(({ cpu }) => cpu)), unit: 's' }),
  ]);
}

interface Sample {
  readonly ms: number;
  readonly cpu: number;
}

async function measured(work: () => Promise<void>): Promise<Sample> {
  collectGarbage();
  let cpu = 0;
  const { ms } = await timed(async () => {
    cpu = await cpuSeconds(work);
  });
  return { ms, cpu };
}

/** Calls for each, a few of them at once. */
async function eachOf<T>(values: readonly T[], call: (value: T) => Promise<void>): Promise<void> {
  const waiting = values.values();
  const work = async (): Promise<void> => {
    for (const value of waiting) await call(value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
