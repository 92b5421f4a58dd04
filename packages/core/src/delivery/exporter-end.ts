import { SinkError } from '../contract/errors/errors.ts';
import { showText } from '../contract/errors/show-value.ts';
import { closeWithin } from './close-within.ts';
import type { ExporterState } from './exporter-state.ts';
import type { InventoryExports } from './inventory/inventory-exports.ts';
import type { SharedSink } from './sink/shared-sink.ts';

/** Closes a sink that was taken out of the table of sinks: exports that run may end, those that wait fail. */
export async function endSink({ exports }: ExporterState, sink: SharedSink): Promise<void> {
  const removed = exports.takeSink(sink.name);
  const error = new SinkError(
    'ABORTED',
    `The sink ${showText(sink.name)} was removed before the snapshot reached it.`,
    { sinkType: sink.type, operation: 'export' },
  );
  for (const one of removed) one.dispose(error);
  await Promise.all(removed.map((one) => one.idle()));
  await sink.close();
}

/** Delivers what is owed and what waits; at the deadline what is left is aborted. Then every sink is closed. */
export async function endExporter(state: ExporterState, deadlineMs: number): Promise<void> {
  const { clock, sinks } = state;
  const all = state.exports.all();
  for (const one of all) one.finish();
  const late = new SinkError('ABORTED', 'The exporter was closed before the snapshot reached the sink.', {
    operation: 'export',
  });
  const disposeAll = (): void => {
    for (const one of all) one.dispose(late);
  };
  await closeWithin({ clock, deadlineMs, idle: idle(state, all) }, () => {
    disposeAll();
    state.end();
  });
  disposeAll();
  await Promise.all([...sinks.values()].map((sink) => sink.close()));
  state.end();
  sinks.clear();
  state.unwatch();
}

/** Waits until nothing runs. An export that ends may close a circuit and so start those that had been skipped: they are waited for, too. */
async function idle(state: ExporterState, all: readonly InventoryExports[]): Promise<void> {
  await Promise.all([...all.map((one) => one.idle()), state.pending()]);
  if (all.some(({ busy }) => busy)) await idle(state, all);
}
