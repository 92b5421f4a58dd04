import { SinkError } from '../contract/errors/errors.ts';
import type { SinkDefinition } from '../registry/define-sink.ts';
import { resolveDeadline } from './delivery-options.ts';
import type { SinkStatus } from './delivery-report.ts';
import { checkCalls, checkExporterOptions } from './exporter-arguments.ts';
import { exportInventory, planInventory, removeInventory } from './exporter-calls.ts';
import { endExporter, endSink } from './exporter-end.ts';
import { withOwnSignal } from './exporter-fan-out.ts';
import { createExporterState } from './exporter-state.ts';
import type { Exporter, ExporterOptions } from './exporter-types.ts';
import { scopeOf } from './inventory/inventory-rules.ts';
import { createSharedSink } from './sink/shared-sink.ts';
import { testSinkConnection } from './test-sink-connection.ts';
import { showText } from '../contract/errors/show-value.ts';

/** The front door: one call exports to every sink. Starts no timer and dials nobody until it is asked to export. */
export function createExporter<const Definitions extends readonly SinkDefinition[]>(
  options: ExporterOptions<Definitions>,
): Exporter<Definitions> {
  // What a registry infers is for its callers; in here every sink is like the next.
  const state = createExporterState(checkExporterOptions(options));
  const { sinks, exports } = state;
  let closing: Promise<void> | undefined;

  const refuseClosed = (what: string, sink: string): void => {
    if (state.closed) throw new SinkError('ABORTED', `${what} ${showText(sink)}: the exporter is closed.`);
  };

  return checkCalls({
    updateSink: (resource) => {
      refuseClosed('Took no sink', resource.name);
      const known = sinks.get(resource.name);
      if (known !== undefined) return known.update(resource);
      sinks.set(resource.name, createSharedSink(resource, state));
      return 'created';
    },
    removeSink: async (name) => {
      const sink = sinks.get(name);
      if (sink === undefined) return;
      sinks.delete(name);
      await state.track(endSink(state, sink));
    },
    export: (inventory, snapshot, given = {}) => exportInventory(state, inventory, snapshot, given),
    plan: (inventory, snapshot, given = {}) => planInventory(state, inventory, snapshot, given),
    removeInventory: (inventory, given) => removeInventory(state, inventory, given),
    testConnection: async (resource, { signal: given } = {}) => {
      refuseClosed('Tried no connection of', resource.name);
      return state.track(withOwnSignal(state, given, (signal) => testSinkConnection(resource, { ...state, signal })));
    },
    status: (inventory) =>
      [...new Set(inventory.sinks)].map((name): SinkStatus => {
        const known = exports.get(scopeOf(inventory), name);
        if (known !== undefined) return known.status();
        const sink = sinks.get(name);
        const about = sink === undefined ? {} : { sinkType: sink.type, breaker: sink.breaker() };
        return { sink: name, ...about, running: false, waiting: false, owing: false };
      }),
    pressure: () => {
      const sum = (what: 'waiting' | 'owed'): number => state.backlog().reduce((total, one) => total + one[what], 0);
      return { running: state.slots.running, waiting: sum('waiting'), owed: sum('owed') };
    },
    close: ({ deadline = '20s' } = {}) => {
      const deadlineMs = resolveDeadline(deadline);
      state.closed = true;
      closing ??= endExporter(state, deadlineMs);
      return closing;
    },
  });
}
