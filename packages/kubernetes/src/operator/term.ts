import {
  createExporter,
  createSinkRegistry,
  SinkError,
  type DeliveryClock,
  type DeliveryLogger,
  type DeliveryMetrics,
  type DeliveryTracer,
  type Egress,
  type Exporter,
  type ExporterLimits,
  type HostIdentityGrant,
  type SinkDefinition,
} from '@kollect/core';
import { ApiError } from '../api/api-error.ts';
import type { KubernetesApi, ObjectName, ResourceType } from '../api/kubernetes-api.ts';
import { createTestController } from '../connection-tests/test-controller.ts';
import type { Term } from '../leader/run-elections.ts';
import { connectionTestType, inventoryType, profileType, sinkType, targetType } from '../resources/resource-types.ts';
import { apiSecretReader } from '../secrets/api-secret-reader.ts';
import { createSecretResolver } from '../secrets/secret-resolver.ts';
import { createEventRecorder } from '../status/event-recorder.ts';
import { createStatusWriter } from '../status/status-writer.ts';
import type { CollectInventory } from './inventories/collect-by-host.ts';
import { createInventoryController } from './inventories/inventory-controller.ts';
import { createTargetPlans } from './inventories/target-plans.ts';
import { watchKollect, type KollectWatch } from './kollect-watches.ts';
import { limitCalls } from './limited-api.ts';
import { createLeavingSinks } from './sinks/leaving-sinks.ts';
import { createSinkBook, nameOfSink, sinkName } from './sinks/sink-book.ts';
import { createSinkController } from './sinks/sink-controller.ts';
import { createSharedWatches } from './watches/shared-watches.ts';
import { createWorkQueue } from './work-queue.ts';

export interface TermOptions {
  readonly api: KubernetesApi;
  readonly definitions: readonly SinkDefinition[];
  readonly cluster: string | undefined;
  readonly egress: Egress;
  readonly hostIdentity: readonly HostIdentityGrant[] | undefined;
  readonly otherNamespaces: 'deny' | 'allow';
  readonly collect: CollectInventory | undefined;
  readonly secretRefresh: string | undefined;
  readonly resyncMs: number;
  readonly closeDeadline: string;
  readonly metrics: DeliveryMetrics | undefined;
  readonly tracer: DeliveryTracer | undefined;
  readonly limits: ExporterLimits | undefined;
  readonly logger: DeliveryLogger;
  readonly clock: DeliveryClock;
  /** Milliseconds since the epoch, as other machines have it. */
  readonly timeOfDay: () => number;
}

/** One time of leading: from the first list to the last export. */
export interface OperatorTerm extends Term {
  /** It is known which resources there are. */
  readonly synced: boolean;
}

/** Deliveries end in groups. */
const statusMs = 200;

export function startTerm(options: TermOptions): OperatorTerm {
  const { clock, timeOfDay, logger, collect, cluster, otherNamespaces } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const api = limitCalls(options.api, clock);
  const { registry, exporter, leavingExporter } = createExporters(options, (inventory, report) =>
    inventories.noteReport(inventory, report),
  );

  const onFailure = (key: string, error: unknown, waitMs: number): void => {
    if (signal.aborted) return;
    const isOurs = SinkError.isInstance(error) || error instanceof ApiError;
    logger.warn({ key, waitMs: Math.round(waitMs) }, isOurs ? error.message : 'An internal error.');
  };
  const queue = createWorkQueue({ clock, run: (key) => visit(key), onFailure });
  const wakeSink = (of: ObjectName, delayMs?: number): void => queue.add(`sink/${sinkName(of)}`, delayMs);
  const wakeInventory = (of: ObjectName, delayMs?: number): void => queue.add(`inventory/${sinkName(of)}`, delayMs);
  const wakeTarget = (of: ObjectName): void => queue.add(`target/${sinkName(of)}`);
  const each = (
    watch: KollectWatch | undefined,
    namespace: string | undefined,
    call: (of: ObjectName) => void,
  ): void => {
    for (const { metadata } of watch?.all() ?? [])
      if (namespace === undefined || metadata.namespace === namespace) call(metadata);
  };
  const wakeInventories = (namespace?: string): void => each(inventoryWatch, namespace, wakeInventory);

  const watchOf = (type: ResourceType, onObject: (of: ObjectName) => void): KollectWatch => {
    const onSynced = (): void => {
      wakeInventories();
      each(sinkWatch, undefined, wakeSink);
      each(targetWatch, undefined, wakeTarget);
    };
    return watchKollect({ api: options.api, type, clock, logger, signal, onObject, onSynced });
  };
  const inventoryWatch = watchOf(inventoryType, (of) => {
    wakeInventory(of);
    each(sinkWatch, of.namespace, (sink) => wakeSink(sink, statusMs));
  });
  const sinkWatch = watchOf(sinkType, (of) => {
    wakeSink(of);
    wakeInventories(of.namespace);
  });
  const targetWatch =
    collect === undefined
      ? watchOf(targetType, (of) => {
          wakeTarget(of);
          wakeInventories(of.namespace);
        })
      : undefined;
  const profileWatch =
    collect === undefined
      ? watchOf(profileType, (of) => {
          each(targetWatch, of.namespace, wakeTarget);
          wakeInventories(of.namespace);
        })
      : undefined;

  const watches = createSharedWatches({ api: options.api, clock, logger });
  const events = createEventRecorder({ api, clock, timeOfDay, logger, signal });
  const status = createStatusWriter({ api, timeOfDay, signal, onFlip: (flip) => events.record(flip) });
  const secrets = createSecretResolver(apiSecretReader(api), {
    registry,
    logger,
    clock,
    onChange: (names) => {
      for (const name of names) wakeSink(nameOfSink(name));
    },
    ...(options.secretRefresh === undefined ? {} : { refresh: options.secretRefresh }),
  });
  const book = createSinkBook({ exporter, registry, secrets, logger, signal });
  const sinks = createSinkController({
    book,
    exporter,
    cluster,
    sinks: sinkWatch,
    inventories: inventoryWatch,
    status,
    onChanged: ({ namespace }) => wakeInventories(namespace),
  });
  const targets =
    targetWatch === undefined || profileWatch === undefined
      ? undefined
      : createTargetPlans({ targets: targetWatch, profiles: profileWatch, status, logger, otherNamespaces });
  const inventories = createInventoryController({
    api,
    exporter,
    leaving: createLeavingSinks({ exporter: leavingExporter, sinks: book }),
    cluster,
    sinks: book,
    hasSink: (of) => sinkWatch.has(of),
    watches,
    collect,
    planOf: (inventory) => targets?.planOf(inventory),
    status,
    resyncMs: options.resyncMs,
    timeOfDay,
    logger,
    signal,
    wake: wakeInventory,
    onDelivered: (inventory, names) => {
      wakeInventory(inventory);
      for (const name of names) wakeSink(nameOfSink(name), statusMs);
    },
  });
  const tests = createTestController({
    api,
    exporter,
    sinkOf: (of) => (sinkWatch.synced ? sinkWatch.get(of) : 'unknown'),
    resourceOf: (sink) => book.resource(sink),
    status,
    timeOfDay,
    logger,
    signal,
  });
  // Tests have a queue of their own: whoever makes many of them holds up no inventory.
  const testQueue = createWorkQueue({
    clock,
    concurrency: 4,
    run: (key) => tests.visit(nameOfSink(key), testWatch.get(nameOfSink(key))),
    onFailure,
  });
  const testWatch = watchOf(connectionTestType, (of) => testQueue.add(sinkName(of)));

  const visit = async (key: string): Promise<number | undefined> => {
    const at = key.indexOf('/');
    const of = nameOfSink(key.slice(at + 1));
    if (!key.startsWith('inventory/')) {
      await (key.startsWith('sink/') ? sinks.visit(of) : targets?.visit(of));
      return (key.startsWith('sink/') ? sinkWatch : targetWatch)?.get(of) === undefined ? undefined : options.resyncMs;
    }
    return inventoryWatch.synced ? inventories.visit(of, inventoryWatch.get(of)) : undefined;
  };

  const kollectWatches = [inventoryWatch, sinkWatch, targetWatch, profileWatch, testWatch];
  const endAll = async (deadline: string): Promise<void> => {
    const exporters = [exporter.close({ deadline }), leavingExporter.close({ deadline: '0s' })];
    if (deadline !== '0s') await Promise.all(exporters);
    stop.abort();
    inventories.close();
    const closing = kollectWatches.map((watch) => watch?.close());
    await Promise.all([...exporters, queue.close(), testQueue.close(), watches.close(), secrets.close(), ...closing]);
  };
  let ending: Promise<void> | undefined;

  return {
    get synced() {
      return kollectWatches.every((watch) => watch?.synced !== false);
    },
    end: async (why) => {
      // Whoever holds the lease now exports by itself: nothing of ours may be under way.
      if (why === 'lost') {
        stop.abort();
        void exporter.close({ deadline: '0s' });
      }
      ending ??= endAll(why === 'lost' ? '0s' : options.closeDeadline);
      await ending.catch((error: unknown) => logger.error({}, SinkError.from(error).message));
    },
  };
}

type OnReport = NonNullable<Parameters<typeof createExporter>[0]['onReport']>;

function createExporters(options: TermOptions, onReport: OnReport) {
  const { definitions, egress, hostIdentity, metrics, tracer, limits, logger, clock } = options;
  const registry = createSinkRegistry(definitions, { egress, ...(hostIdentity === undefined ? {} : { hostIdentity }) });
  const given = {
    registry,
    logger,
    clock,
    ...(metrics === undefined ? {} : { metrics }),
    ...(tracer === undefined ? {} : { tracer }),
    ...(limits === undefined ? {} : { limits }),
  };
  const exporter: Exporter = createExporter({ ...given, onReport });
  const leavingExporter: Exporter = createExporter(given);
  return { registry, exporter, leavingExporter };
}
