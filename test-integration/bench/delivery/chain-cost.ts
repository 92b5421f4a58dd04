import { createExporter, createSinkRegistry, sealSnapshot, type InventorySnapshot } from '@kollect/core';
import { prometheusMetrics } from '@kollect/core/prometheus';
import { Registry } from 'prom-client';
import { nextMoment } from '../measure/moments.ts';
import { median } from '../measure/statistics.ts';
import { collectGarbage, timed } from '../measure/time.ts';
import { noOpSink } from './no-op-sink.ts';
import { createFigure, type Figure } from './results.ts';

const exportsPerRound = 5_000;
const targetMicroseconds = 50;
const inventory = { namespace: 'platform', name: 'workloads', sinks: ['nothing'] };

/** What gate, queue, breaker, retry and deadline cost around a sink that does nothing: every export is a change, so that each goes through. */
export async function measureChainCost(rounds: number): Promise<Figure[]> {
  const snapshots = await changingSnapshots(exportsPerRound);
  const definition = noOpSink('nothing');
  const registry = createSinkRegistry([definition]);
  const bare = registry.create({ type: 'nothing' });
  const { signal } = new AbortController();
  const samples = { bare: [] as number[], chain: [] as number[], measured: [] as number[] };
  for (let round = -1; round < rounds; round += 1) {
    const plays = {
      bare: async () => {
        for (const snapshot of snapshots) await bare.export(snapshot, { signal });
      },
      chain: () => exportAll(snapshots, createExporter({ registry })),
      measured: () =>
        exportAll(snapshots, createExporter({ registry, metrics: prometheusMetrics({ register: new Registry() }) })),
    };
    for (const [name, play] of Object.entries(plays)) {
      collectGarbage();
      const { ms } = await timed(play);
      // The first round warms up.
      if (round >= 0) samples[name as keyof typeof samples].push((ms * 1_000) / snapshots.length);
    }
  }
  await bare.close();
  const [awaited, chain, measured] = [median(samples.bare), median(samples.chain), median(samples.measured)];
  return [
    createFigure({ figure: 'a bare await of a sink that does nothing', value: awaited, unit: 'µs' }),
    createFigure({
      figure: 'the whole chain on a sink that does nothing',
      value: chain,
      unit: 'µs',
      target: targetMicroseconds,
    }),
    createFigure({
      figure: 'the same with prom-client metrics',
      value: measured,
      unit: 'µs',
      target: targetMicroseconds,
    }),
    createFigure({ figure: 'the whole chain ÷ a bare await', value: chain / awaited, unit: '×' }),
  ];
}

async function exportAll(
  snapshots: readonly InventorySnapshot[],
  exporter: ReturnType<typeof createExporter>,
): Promise<void> {
  exporter.updateSink({ name: 'nothing', config: { type: 'nothing' } });
  for (const snapshot of snapshots) {
    const report = await exporter.export(inventory, snapshot);
    if (report.sinks[0]?.outcome !== 'applied')
      throw new Error(`An export of the benchmark was ${report.sinks[0]?.outcome}; expected applied.`);
  }
  await exporter.close();
}

async function changingSnapshots(count: number): Promise<InventorySnapshot[]> {
  const snapshots: InventorySnapshot[] = [];
  for (let generation = 1; generation <= count; generation += 1) {
    snapshots.push(
      await sealSnapshot({
        inventoryNamespace: 'platform',
        inventoryName: 'workloads',
        generation,
        exportedAt: nextMoment(),
        items: [],
      }),
    );
  }
  return snapshots;
}
