import { median, rotate } from '../measure/statistics.ts';
import type { Contender } from './contender.ts';
import { contenders } from './contenders.ts';
import type { Probe } from './database.ts';
import { createOurs, forgetChecksum } from './ours.ts';
import { createFigure, type Figure } from './results.ts';
import { nextMoment } from '../measure/moments.ts';
import { benchScope, type Workload } from './workload.ts';

const rounds = 5;
const measuredStates = ['WARM', 'DELTA'] as const;

/** When the table was analysed: a planner that knows nothing, or knows of another inventory only, must not cost more. */
const cases = {
  'never analysed': { beside: false, analyse: 'never' },
  'the same, analysed': { beside: false, analyse: 'last' },
  'new inventory in an analysed table': { beside: true, analyse: 'before' },
  'the same, analysed again': { beside: true, analyse: 'last' },
} as const;
type Case = keyof typeof cases;
const names = Object.keys(cases) as readonly Case[];
const comparisons: readonly (readonly [Case, Case])[] = [
  ['never analysed', 'the same, analysed'],
  ['new inventory in an analysed table', 'the same, analysed again'],
];

/** What WARM (all digests compared) and DELTA cost without statistics, as a multiple of what they cost with them. */
export async function measureStatisticsAge(dsn: string, probe: Probe, workload: Workload): Promise<Figure[]> {
  const samples = new Map<string, number[]>();
  const table = contenders.ours.table;
  const ours = await createOurs({ dsn, table });
  const neighbour = await createOurs({
    dsn,
    table,
    scope: { ...benchScope, inventoryName: 'neighbour', cluster: 'beside' },
  });
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const name of rotate(names, round)) {
        const { beside, analyse } = cases[name];
        // TRUNCATE forgets nothing of what ANALYZE found about columns.
        await probe.run(
          `TRUNCATE ${ours.tables.join(', ')}`,
          ...ours.tables.map((qualified) => `DELETE FROM pg_statistic WHERE starelid = '${qualified}'::regclass`),
          'CHECKPOINT',
        );
        if (beside) await exportOnce(neighbour, workload.items);
        if (analyse === 'before') await probe.run(`ANALYZE ${ours.tables.join(', ')}`);
        await exportOnce(ours, workload.items);
        if (analyse === 'last') await probe.run(`ANALYZE ${ours.tables.join(', ')}`);
        await probe.run(forgetChecksum(table));
        for (const state of measuredStates) {
          const deliver = await ours.stage(state === 'WARM' ? workload.items : workload.nextItems, nextMoment());
          const { ms } = await probe.measure(deliver);
          samples.set(`${name} ${state}`, [...(samples.get(`${name} ${state}`) ?? []), ms]);
        }
      }
    }
  } finally {
    await Promise.all([ours.close(), neighbour.close()]);
  }
  const ms = (name: Case, state: string): number => median(samples.get(`${name} ${state}`) ?? []);
  return comparisons.flatMap(([name, analysed]) =>
    measuredStates.map((state) =>
      createFigure({
        n: workload.items.length,
        figure: `${name}, ${state} ÷ ${analysed}`,
        value: ms(name, state) / ms(analysed, state),
        unit: '×',
        target: 1.5,
      }),
    ),
  );
}

async function exportOnce(contender: Contender, items: Workload['items']): Promise<void> {
  const deliver = await contender.stage(items, nextMoment());
  await deliver();
}
