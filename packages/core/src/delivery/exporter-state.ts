import type { InventorySnapshot } from '../contract/snapshot/snapshot.ts';
import type { SinkBacklog } from '../observability/metrics.ts';
import { containLogger, containMetrics, containTracer, quietly } from './contained-ports.ts';
import { systemClock } from './delivery-clock.ts';
import { resolveLimits } from './delivery-options.ts';
import type { DerivedSignal } from './derived-signal.ts';
import { nameOf } from './exporter-checks.ts';
import type { ExportInventory, ExporterOptions } from './exporter-types.ts';
import { createExportsTable, type ExportsTable } from './inventory/exports-table.ts';
import { createInventoryExports, type InventoryExports } from './inventory/inventory-exports.ts';
import { scopeOf } from './inventory/inventory-rules.ts';
import { createSlots, type Slots } from './inventory/slots.ts';
import type { SharedSink, SharedSinkOptions } from './sink/shared-sink.ts';
import { createTargetWarnings } from './unlisted-targets.ts';

/** What all calls of one exporter share. */
export interface ExporterState extends SharedSinkOptions {
  /** Aborts what no caller waits for. */
  readonly lifetime: AbortSignal;
  /** The calls that have not returned. */
  readonly calls: Set<Pick<DerivedSignal, 'abort'>>;
  readonly sinks: Map<string, SharedSink>;
  readonly slots: Slots;
  readonly exports: ExportsTable;
  /** The exports of this inventory to this sink; created at the first call. */
  exportsTo(sink: SharedSink, inventory: ExportInventory): InventoryExports;
  /** `close` waits for the promise. */
  track<T>(promise: Promise<T>): Promise<T>;
  /** What `close` waits for, beside the exports in the table. Never rejects. */
  pending(): Promise<unknown>;
  /** Inventories, and what waits and is owed, for each registered sink type. */
  backlog(): readonly SinkBacklog[];
  /** Takes the exporter out of the metrics' gauges. */
  unwatch(): void;
  /** Aborts whatever runs. */
  end(): void;
  closed: boolean;
  /** Tells of incomplete targets whose name no item has. */
  readonly warnOfTargets: (snapshot: InventorySnapshot) => void;
}

export function createExporterState(options: ExporterOptions): ExporterState {
  const ending = new AbortController();
  const calls: ExporterState['calls'] = new Set();
  const sinks = new Map<string, SharedSink>();
  const exports = createExportsTable();
  const tracked = new Set<Promise<unknown>>();
  const shared: SharedSinkOptions = {
    registry: options.registry,
    clock: options.clock ?? systemClock,
    metrics: containMetrics(options.metrics),
    tracer: containTracer(options.tracer),
    logger: containLogger(options.logger),
  };
  const slots = createSlots({ total: resolveLimits(options.limits).concurrentExports, sinks: () => sinks.size });

  const create = (sink: SharedSink, inventory: ExportInventory): InventoryExports => {
    const scope = scopeOf(inventory);
    const name = nameOf(inventory);
    const created: InventoryExports = createInventoryExports({
      ...shared,
      lifetime: ending.signal,
      scope,
      sink,
      slots,
      ending: () => exports.ending(scope, sink.name),
      onBackground: (report) => quietly(() => options.onReport?.(name, report)),
      onDone: () => {
        exports.delete(scope, sink.name, created);
        created.dispose({ outcome: 'queued-superseded' });
      },
    });
    exports.set(scope, sink.name, created);
    return created;
  };

  const track = async <T>(promise: Promise<T>): Promise<T> => {
    tracked.add(promise);
    try {
      return await promise;
    } finally {
      tracked.delete(promise);
    }
  };

  const backlog = (): readonly SinkBacklog[] => {
    const byType = new Map(shared.registry.types.map((type) => [type, { inventories: 0, waiting: 0, owed: 0 }]));
    for (const { sinkType, waiting, owing } of exports.all()) {
      const numbers = byType.get(sinkType);
      if (numbers === undefined) continue;
      numbers.inventories += 1;
      if (waiting) numbers.waiting += 1;
      if (owing) numbers.owed += 1;
    }
    return [...byType].map(([sinkType, numbers]) => ({ sinkType, ...numbers }));
  };

  for (const type of shared.registry.types) shared.metrics.declareSinkType(type);

  return {
    ...shared,
    lifetime: ending.signal,
    calls,
    sinks,
    slots,
    exports,
    exportsTo: (sink, inventory) => exports.get(scopeOf(inventory), sink.name) ?? create(sink, inventory),
    track,
    pending: () => Promise.allSettled(tracked),
    backlog,
    unwatch: shared.metrics.watchBacklog(backlog),
    end: () => {
      ending.abort();
      for (const call of calls) call.abort();
    },
    closed: false,
    warnOfTargets: createTargetWarnings(shared.logger),
  };
}
