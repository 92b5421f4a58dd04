import type { BenchOptions } from '../bench-options.ts';
import { currentLoad, describeMachine } from '../measure/environment.ts';
import { median } from '../measure/statistics.ts';
import { startPostgres } from '../../servers/index.ts';
import { contenders } from './contenders.ts';
import { benchSchema, createProbe, serverSettings, type Probe } from './database.ts';
import { measureFootprints } from './footprint.ts';
import { measureCycles } from './cycles.ts';
import { measureInventories } from './inventories.ts';
import { createOurs } from './ours.ts';
import { listMisses, renderFigures, renderLines } from './report.ts';
import { createFigure, states, type Figure, type Line } from './results.ts';
import { playRounds } from './rounds.ts';
import { measureScopes } from './scopes.ts';
import { measureSealing, measureStalls } from './sealing.ts';
import { measureStatisticsAge } from './statistics-age.ts';
import { growthOf } from './targets.ts';
import { createWorkload } from './workload.ts';

const defaultSizes = [2_000, 10_000, 100_000];

/** Items of each of the inventories that are exported at once. */
const itemsPerScope = 10_000;

/** Measures the PostgreSQL sink beside its limits and beside what is written without it; see docs/benchmarks.md. */
export async function runPostgresBench({ sizes = defaultSizes, json, rounds }: BenchOptions): Promise<void> {
  const server = await startPostgres({ tls: false, settings: serverSettings });
  const probe = await createProbe(server.dsn());
  const say = (text: string): void => {
    if (!json) console.log(text);
  };
  const emit = (records: readonly object[]): void => {
    if (json) for (const record of records) console.log(JSON.stringify(record));
  };
  try {
    say(
      `${new Date().toISOString()}, ${describeMachine()}, PostgreSQL ${server.version} (${server.kind}), load ${currentLoad().toFixed(2)}`,
    );
    const lines: Line[] = [];
    for (const n of sizes) {
      const ofSize = await measureSize({ dsn: server.dsn(), probe, n, rounds: rounds ?? defaultRounds(n) });
      lines.push(...ofSize);
      emit(ofSize);
      say(`\n${n.toLocaleString('en')} items\n\n${renderLines(ofSize)}`);
    }
    const figures = await measureFigures({ dsn: server.dsn(), probe, n: sizes.at(-1) ?? 0, lines });
    emit(figures);
    say(`\n${renderFigures(figures)}`);
    const misses = listMisses(lines, figures);
    say(
      `\n${misses.length === 0 ? 'Every target was reached.' : `Missed:\n${misses.map((miss) => `- ${miss}`).join('\n')}`}\nLoad at the end ${currentLoad().toFixed(2)}.`,
    );
  } finally {
    await probe.close();
    await server.stop();
  }
}

function defaultRounds(n: number): number {
  if (n <= 2_000) return 15;
  if (n <= 20_000) return 9;
  return n < 500_000 ? 5 : 1;
}

interface SizeOptions {
  readonly dsn: string;
  readonly probe: Probe;
  readonly n: number;
}

async function measureSize({ dsn, probe, n, rounds }: SizeOptions & { readonly rounds: number }): Promise<Line[]> {
  const progress = createProgress(n);
  await freshSchema(probe);
  const { recorder, copyBytes } = await playRounds({ dsn, probe, workload: createWorkload(n), rounds, progress });
  const footprints = await measureFootprints({ dsn, probe, n, progress });
  progress('done');
  const lines = recorder.keys().map(({ state, variant }): Line => {
    const samples = recorder.samples(state, variant);
    const alike = variant === 'ours-with-seal' && state === 'WARM' ? 'ours-compare' : variant.replace('-with-seal', '');
    const footprint = footprints.find((candidate) => candidate.state === state && candidate.variant === alike);
    return {
      bench: 'postgres',
      n,
      state,
      variant,
      ms: round(median(samples.map(({ ms }) => ms)), 2),
      walBytes: Math.round(median(samples.map(({ walBytes }) => walBytes))),
      sentBytes: footprint?.sentBytes ?? (/^L[01]$/.test(variant) ? copyBytes[state] : null),
      rssMb: footprint === undefined ? null : round(footprint.rssMb, 1),
    };
  });
  return lines.sort(
    (a, b) => states.indexOf(a.state) - states.indexOf(b.state) || a.variant.localeCompare(b.variant, 'en'),
  );
}

async function measureFigures({
  dsn,
  probe,
  n,
  lines,
}: SizeOptions & { readonly lines: readonly Line[] }): Promise<Figure[]> {
  const progress = createProgress(n);
  await freshSchema(probe);
  const workload = createWorkload(n);
  const ours = lines.filter((line) => line.n === n && line.variant.startsWith('ours'));
  const peak = Math.max(...ours.map((line) => line.rssMb ?? 0));
  const figures = [
    createFigure({
      n,
      figure: 'memory above the loaded items while sealing and exporting, worst state',
      value: peak,
      unit: 'MB',
      target: 120,
    }),
  ];
  for (const state of states) {
    const value = growthOf(lines, state);
    if (Number.isFinite(value))
      figures.push(
        createFigure({ n, figure: `growth of ${state} with the items`, value, unit: 'exponent', target: 1.1 }),
      );
  }
  progress('sealing');
  figures.push(...(await measureSealing(workload)));
  progress('event loop');
  const contender = await createOurs({ dsn, table: contenders.ours.table });
  try {
    figures.push(...(await measureStalls(contender, probe, workload)));
  } finally {
    await contender.close();
  }
  progress('statistics');
  figures.push(...(await measureStatisticsAge(dsn, probe, workload)));
  progress('inventories at once');
  figures.push(...(await measureScopes(dsn, probe, createWorkload(Math.min(n, itemsPerScope)))));
  progress('cycles of one inventory');
  figures.push(...(await measureCycles(dsn, probe, workload)));
  progress('cycles of many inventories');
  figures.push(...(await measureInventories(dsn, probe, n)));
  progress('done');
  return figures.map((figure) => ({ ...figure, value: round(figure.value, 3) }));
}

async function freshSchema(probe: Probe): Promise<void> {
  await probe.run(`DROP SCHEMA IF EXISTS ${benchSchema} CASCADE`, `CREATE SCHEMA ${benchSchema}`);
}

/** Says on stderr what is going on: one line that changes on a terminal, a line each elsewhere. */
function createProgress(n: number): (text: string) => void {
  const before = process.stderr.isTTY ? '\r\u001B[K' : '';
  const after = process.stderr.isTTY ? '' : '\n';
  return (text) => {
    process.stderr.write(text === 'done' ? before : `${before}${n.toLocaleString('en')} items: ${text}${after}`);
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
