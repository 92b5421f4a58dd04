import { createExporter, createSinkRegistry, memorySink, sealSnapshot, type InventorySnapshot } from '@kollect/core';
import { makeItems } from '@kollect/sink-testkit';
import { peakMemoryAbove } from '../measure/memory.ts';
import { nextMoment } from '../measure/moments.ts';
import { timed } from '../measure/time.ts';
import { noOpSink } from './no-op-sink.ts';
import { createFigure, type Figure } from './results.ts';

const inventories = 500;
const itemsEach = 1_000;
const sinks = ['one', 'two', 'three'];
/** Different content that the inventories share, so that the benchmark measures delivery and not its own memory. */
const contents = 10;

/** 500 inventories of 1 000 items to three sinks at once: how fast items pass, and what memory it takes above the sealed snapshots. */
export async function measureFanOut(): Promise<Figure[]> {
  const snapshots = await sealAll();
  const registry = createSinkRegistry([noOpSink('nothing'), memorySink()]);
  const exporter = createExporter({ registry });
  exporter.updateSink({ name: 'one', config: { type: 'nothing' } });
  exporter.updateSink({ name: 'two', config: { type: 'nothing' } });
  exporter.updateSink({ name: 'three', config: { type: 'memory' } });
  let ms = 0;
  const peakBytes = await peakMemoryAbove(async () => {
    ({ ms } = await timed(() => Promise.all(snapshots.map((snapshot) => exportOne(exporter, snapshot)))));
  });
  await exporter.close();
  const items = inventories * itemsEach * sinks.length;
  return [
    createFigure({
      figure: `${inventories} inventories × ${sinks.length} sinks × ${itemsEach} items`,
      value: items / (ms / 1_000),
      unit: 'items/s',
    }),
    createFigure({ figure: 'memory above the sealed snapshots meanwhile', value: peakBytes / 1e6, unit: 'MB' }),
  ];
}

async function exportOne(exporter: ReturnType<typeof createExporter>, snapshot: InventorySnapshot): Promise<void> {
  const { inventoryNamespace: namespace, inventoryName: name } = snapshot;
  const report = await exporter.export({ namespace, name, sinks }, snapshot);
  const failed = report.sinks.find(({ outcome }) => outcome !== 'applied');
  if (failed !== undefined) throw new Error(`An export of the benchmark was ${failed.outcome}; expected applied.`);
}

async function sealAll(): Promise<InventorySnapshot[]> {
  const content = Array.from({ length: contents }, (_, seed) =>
    makeItems({ count: itemsEach, seed: seed + 1, bytes: 200 }),
  );
  const snapshots: InventorySnapshot[] = [];
  for (let index = 0; index < inventories; index += 1) {
    const items = content[index % contents] ?? [];
    snapshots.push(
      await sealSnapshot({
        inventoryNamespace: 'platform',
        inventoryName: `inventory-${index}`,
        generation: 1,
        exportedAt: nextMoment(),
        items,
      }),
    );
  }
  return snapshots;
}
