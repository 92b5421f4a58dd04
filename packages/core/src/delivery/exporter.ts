import { SinkError } from '../contract/errors.ts';
import { formatScope } from '../contract/scope.ts';
import type { ConnectionReport, KollectSink } from '../contract/sink.ts';
import type { InventorySnapshot } from '../contract/snapshot.ts';
import type { SinkDefinition } from '../registry/define-sink.ts';
import type { SinkRegistry } from '../registry/sink-registry.ts';
import { containLogger, containMetrics, containTracer, quietly } from './contained-ports.ts';
import { exportDelivery, removalDelivery } from './delivery.ts';
import { systemClock } from './delivery-clock.ts';
import { resolveDeadline, resolveLimits } from './delivery-options.ts';
import {
  sinkReport,
  summariseReports,
  type SinkDeliveryReport,
  type SinkRemovalReport,
  type SinkStatus,
  unsupportedReport,
} from './delivery-report.ts';
import type { ExportInventory, Exporter, ExporterOptions, SinkPlanReport } from './exporter-types.ts';
import { checkRemovedAt, checkScope, leftOut, nameOf, unknownSink } from './exporter-checks.ts';
import { createSlots } from './inventory/slots.ts';
import { inventoryRules, scopeOf } from './inventory/inventory-rules.ts';
import { createInventoryExports, type InventoryExports } from './inventory/inventory-exports.ts';
import { createExportsTable } from './inventory/exports-table.ts';
import { closeWithin } from './close-within.ts';
import { linkSignals } from './linked-signal.ts';
import { createSharedSink, type SharedSink } from './sink/shared-sink.ts';
import { testSinkConnection } from './test-sink-connection.ts';
import { showText } from '../contract/show-value.ts';

/** The front door: one call exports to every sink. Starts no timer and dials nobody until it is asked to export. */
export function createExporter<const Definitions extends readonly SinkDefinition[]>(
  options: ExporterOptions<Definitions>,
): Exporter<Definitions> {
  const { clock = systemClock, onReport } = options;
  // What a registry infers is for its callers; in here every sink is like the next.
  const registry = options.registry as unknown as SinkRegistry;
  const metrics = containMetrics(options.metrics);
  const tracer = containTracer(options.tracer);
  const logger = containLogger(options.logger);
  const end = new AbortController();
  const lifetime = end.signal;
  const shared = { registry, clock, lifetime, metrics, tracer, logger };

  const sinks = new Map<string, SharedSink>();
  const slots = createSlots({ total: resolveLimits(options.limits).concurrentExports, sinks: () => sinks.size });
  const table = createExportsTable();
  /** What `close` waits for, beside the exports in the table. */
  const pending = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  for (const type of registry.types) metrics.declareSinkType(type);

  const track = async <T>(promise: Promise<T>): Promise<T> => {
    pending.add(promise);
    try {
      return await promise;
    } finally {
      pending.delete(promise);
    }
  };

  const exportsTo = (sink: SharedSink, inventory: ExportInventory): InventoryExports => {
    const scope = scopeOf(inventory);
    const known = table.get(scope, sink.name);
    if (known !== undefined) return known;
    const name = nameOf(inventory);
    const exports: InventoryExports = createInventoryExports({
      ...shared,
      scope,
      sink,
      slots,
      onBackground: (report) => quietly(() => onReport?.(name, report)),
      onRemoved: () => {
        table.delete(scope, sink.name, exports);
        exports.dispose({ outcome: 'queued-superseded' });
      },
    });
    table.set(scope, sink.name, exports);
    return exports;
  };

  const find = (name: string, inventory: ExportInventory): SharedSink | SinkError => {
    const what = formatScope(scopeOf(inventory));
    if (closing !== undefined)
      return new SinkError('ABORTED', `Nothing was delivered of ${what}: the exporter is closed.`, {
        operation: 'export',
      });
    return sinks.get(name) ?? unknownSink(name, what, [...sinks.keys()]);
  };

  /** Each sink of the inventory once, or what stands in the way. */
  const fanOut = <T>(
    inventory: ExportInventory,
    each: (sink: SharedSink) => Promise<T>,
    refused: (name: string, error: SinkError) => T,
  ): Promise<T[]> =>
    Promise.all(
      [...new Set(inventory.sinks)].map(async (name) => {
        const found = find(name, inventory);
        return SinkError.isInstance(found) ? refused(name, found) : each(found);
      }),
    );

  /** Of exports that are in the table no longer: what runs goes on, and `close` waits for it. */
  const giveUp = (exports: InventoryExports, outcome: Parameters<InventoryExports['dispose']>[0]): void => {
    exports.dispose(outcome);
    void track(exports.idle());
  };

  /** A signal per call: one that many calls share would hold a listener for each snapshot that waits, and walk through all of them for the next. */
  const withOwnSignal = async <T>(
    given: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const { signal, release } = linkSignals({ parents: given === undefined ? [] : [given], clock });
    try {
      return await call(signal);
    } finally {
      release();
    }
  };

  const leaveOthers = (inventory: ExportInventory): void => {
    for (const exports of table.takeOthers(scopeOf(inventory), new Set(inventory.sinks)))
      giveUp(exports, leftOut(inventory));
  };

  /** No sink type, no metric: a host that reads no reports has the log alone. */
  const refusedBy =
    (inventory: ExportInventory) =>
    (sink: string, result: SinkError): SinkDeliveryReport => {
      const now = clock.now();
      const { code, reason, message } = result;
      logger.warn(
        { inventory: formatScope(scopeOf(inventory)), sink, outcome: 'failed', code, reason, error: message },
        'Nothing was asked of the sink.',
      );
      return sinkReport({
        sink,
        sinkType: sinks.get(sink)?.type,
        result,
        progress: { attempts: 0 },
        calledAt: now,
        endedAt: now,
      });
    };

  return {
    updateSink: (resource) => {
      if (closing !== undefined)
        throw new SinkError('ABORTED', `The sink ${showText(resource.name)} was not taken: the exporter is closed.`);
      const known = sinks.get(resource.name);
      if (known !== undefined) return known.update(resource);
      sinks.set(resource.name, createSharedSink(resource, shared));
      return 'created';
    },

    removeSink: async (name) => {
      const sink = sinks.get(name);
      if (sink === undefined) return;
      sinks.delete(name);
      await track(removeSink(sink));
    },

    export: async (inventory, snapshot, { signal: given, allowDeletes } = {}) => {
      checkScope(inventory, snapshot);
      const rules = inventoryRules(inventory);
      leaveOthers(inventory);
      const reports = await withOwnSignal(given, (signal) => {
        const each = (sink: SharedSink): Promise<SinkDeliveryReport> =>
          exportsTo(sink, inventory).deliver(exportDelivery(snapshot, { signal, allowDeletes }), rules);
        return fanOut(inventory, each, refusedBy(inventory));
      });
      return { ...nameOf(inventory), ...summariseReports(reports), sinks: reports };
    },

    plan: async (inventory, snapshot, { signal = neverAborted } = {}) => {
      checkScope(inventory, snapshot);
      const each = (sink: SharedSink): Promise<SinkPlanReport> => track(planOne(sink, snapshot, signal));
      return { ...nameOf(inventory), sinks: await fanOut(inventory, each, (sink, error) => ({ sink, error })) };
    },

    removeInventory: async (inventory, { removedAt, signal: given }) => {
      checkRemovedAt(removedAt, inventory);
      const scope = scopeOf(inventory);
      const rules = inventoryRules(inventory);
      const each = async (sink: SharedSink, signal: AbortSignal): Promise<SinkRemovalReport> => {
        if (sink.capabilities.removeInventory)
          return exportsTo(sink, inventory).deliver(removalDelivery(scope, { removedAt, signal }), rules);
        const exports = table.get(scope, sink.name);
        if (exports !== undefined) {
          table.delete(scope, sink.name, exports);
          giveUp(exports, { outcome: 'queued-superseded' });
        }
        return unsupportedReport(sink.name, sink.type);
      };
      leaveOthers(inventory);
      const reports = await withOwnSignal(given, (signal) =>
        fanOut<SinkRemovalReport>(inventory, (sink) => each(sink, signal), refusedBy(inventory)),
      );
      return { ...nameOf(inventory), ok: reports.every(({ error }) => error === undefined), sinks: reports };
    },

    testConnection: async (resource, { signal = neverAborted } = {}): Promise<ConnectionReport> => {
      if (closing !== undefined)
        throw new SinkError(
          'ABORTED',
          `The connection of ${showText(resource.name)} was not tried: the exporter is closed.`,
        );
      return track(testSinkConnection(resource, { registry, clock, signals: [signal, lifetime], logger }));
    },

    status: (inventory) =>
      [...new Set(inventory.sinks)].map((sink): SinkStatus => {
        const line = sinks.get(sink);
        const idle = {
          sink,
          ...(line === undefined ? {} : { sinkType: line.type, breaker: line.breaker() }),
          running: false,
          waiting: false,
          owing: false,
        };
        return table.get(scopeOf(inventory), sink)?.status() ?? idle;
      }),

    pressure: () => {
      const all = table.all();
      return {
        running: slots.running,
        waiting: all.filter(({ waiting }) => waiting).length,
        owed: all.filter(({ owing }) => owing).length,
      };
    },

    close: ({ deadline = '20s' } = {}) => {
      const deadlineMs = resolveDeadline(deadline);
      closing ??= closeAll(deadlineMs);
      return closing;
    },
  };

  async function planOne(sink: SharedSink, snapshot: InventorySnapshot, signal: AbortSignal): Promise<SinkPlanReport> {
    const report = { sink: sink.name, sinkType: sink.type };
    if (!sink.capabilities.plan) return { ...report, unsupported: true };
    try {
      const plan = await sink.once(
        signal,
        (one: KollectSink, limited) => one.plan?.(snapshot, { signal: limited }) ?? Promise.resolve(undefined),
      );
      return plan === undefined ? { ...report, unsupported: true } : { ...report, plan };
    } catch (error) {
      return { ...report, error: SinkError.from(error, { sinkType: sink.type, operation: 'plan' }) };
    }
  }

  async function removeSink(sink: SharedSink): Promise<void> {
    const removed = table.takeSink(sink.name);
    const error = new SinkError(
      'ABORTED',
      `The sink ${showText(sink.name)} was removed before the snapshot reached it.`,
      { sinkType: sink.type, operation: 'export' },
    );
    for (const exports of removed) exports.dispose(error);
    await Promise.all(removed.map((exports) => exports.idle()));
    await sink.close();
  }

  async function closeAll(deadlineMs: number): Promise<void> {
    const all = table.all();
    for (const exports of all) exports.flush();
    const idle = Promise.all([
      ...all.map((exports) => exports.idle()),
      ...[...pending].map((promise) => promise.catch(() => undefined)),
    ]);
    const late = new SinkError('ABORTED', 'The exporter was closed before the snapshot reached the sink.', {
      operation: 'export',
    });
    await closeWithin({ clock, deadlineMs, idle }, () => {
      for (const exports of all) exports.dispose(late);
      end.abort();
    });
    await Promise.all([...sinks.values()].map((sink) => sink.close()));
    end.abort();
    sinks.clear();
  }
}

const neverAborted = new AbortController().signal;
