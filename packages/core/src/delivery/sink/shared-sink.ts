import { isDeepStrictEqual } from 'node:util';
import type { KollectSink, SinkCapabilities } from '../../contract/sink.ts';
import type { DeliveryLogger } from '../../observability/logging.ts';
import type { BreakerState, DeliveryMetrics } from '../../observability/metrics.ts';
import type { DeliveryTracer, SpanAttributes } from '../../observability/tracing.ts';
import type { SinkConnection, SinkRegistry } from '../../registry/sink-registry.ts';
import type { Station } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import type { SinkResource } from '../exporter-types.ts';
import type { Breaker, BreakerChange } from '../stations/breaker.ts';
import { attemptLimit, withinLimit } from '../stations/attempt.ts';
import { createSinkChain } from '../stations/chain.ts';
import { sinkAttributes } from '../stations/trace.ts';
import { createManagedSink, type SinkBlueprint } from './managed-sink.ts';
import { followConnection } from './sink-connection.ts';
import { createSinkInventories, type SinkInventories } from './sink-inventories.ts';
import { createSinkLog } from './sink-log.ts';
import { readSinkSettings, type SinkSettings } from './sink-settings.ts';

export interface SharedSinkOptions {
  readonly registry: SinkRegistry;
  readonly clock: DeliveryClock;
  readonly metrics: DeliveryMetrics;
  readonly tracer: DeliveryTracer | undefined;
  readonly logger: DeliveryLogger;
}

/** What all inventories of one KollectSink resource share: the sink, its circuit and its limits. */
export interface SharedSink extends Station {
  readonly name: string;
  readonly type: string;
  readonly capabilities: Required<SinkCapabilities>;
  /** What spans say of the sink. */
  readonly attributes: SpanAttributes;
  readonly concurrentExports: number;
  readonly inventories: Pick<SinkInventories, 'add' | 'delete' | 'skipped'>;
  /** Throws SPEC_INVALID, and then nothing changed. */
  update(resource: SinkResource): 'unchanged' | 'replaced';
  breaker(): BreakerState;
  openUntil(): number | undefined;
  /** Runs the work on the sink once, without gate, queue, breaker and retries. */
  once<T>(signal: AbortSignal, work: (sink: KollectSink, signal: AbortSignal) => Promise<T>): Promise<T>;
  /** To be called when no inventory delivers any more. */
  close(): Promise<void>;
}

export function createSharedSink(first: SinkResource, options: SharedSinkOptions): SharedSink {
  const { registry, clock, metrics, tracer, logger } = options;
  const { name } = first;
  let settings = readSinkSettings(registry, first);
  let { connection } = first;
  const log = createSinkLog(logger, () => ({ sink: name, sinkType: settings.type }));

  /** How sinks are made from the settings. The first one is made here, so that what the registry refuses is refused before anything changed. */
  const prepare = ({ config, type, delivery }: SinkSettings, given: SinkConnection | undefined): SinkBlueprint => {
    const followed = followConnection({ name, logger, connection: given, latest: () => connection });
    const create = (): KollectSink => registry.create(config, followed);
    const made = [create()];
    return {
      sinkType: type,
      create: () => made.pop() ?? create(),
      openTimeoutMs: delivery.attemptTimeoutMs,
      ...delivery,
    };
  };

  const managed = createManagedSink({
    ...prepare(settings, connection),
    clock,
    onAbandoned: () => log.abandoned(),
    onCloseFailed: (error) => log.closeFailed(error),
  });

  const inventories = createSinkInventories(() => ({
    closed: chain.state() === 'closed',
    awaitsProbe: chain.awaitsProbe,
  }));

  const onBreakerChange = (sinkType: string, change: BreakerChange): void => {
    metrics.breakerChanged({ sinkType, from: change.from, to: change.to });
    log.breakerChanged(change);
    if (change.to === 'half-open') inventories.wakeOne();
    if (change.to === 'closed') inventories.wakeAll();
  };

  const buildChain = ({ type, spanAttributes, delivery }: SinkSettings): Breaker => {
    metrics.breakerChanged({ sinkType: type, to: 'closed' });
    return createSinkChain({
      name,
      sinkType: type,
      spanAttributes,
      sink: managed,
      delivery,
      clock,
      metrics,
      tracer,
      onRetry: (error) => log.retried(error),
      onBreakerChange: (change) => onBreakerChange(type, change),
    });
  };

  const endChain = (): void => {
    metrics.breakerChanged({ sinkType: settings.type, from: chain.state() });
    chain.shutdown();
  };

  let chain = buildChain(settings);

  return {
    name,
    inventories,
    get type() {
      return settings.type;
    },
    get capabilities() {
      return settings.capabilities;
    },
    get attributes() {
      return sinkAttributes(name, settings.type, settings.spanAttributes);
    },
    get concurrentExports() {
      return settings.delivery.concurrentExports;
    },
    deliver: (delivery) => chain.deliver(delivery),
    breaker: () => chain.state(),
    openUntil: () => chain.openUntil(),
    update: (resource) => {
      const next = readSinkSettings(registry, resource);
      const isSame = isDeepStrictEqual(next.identity, settings.identity);
      const blueprint = isSame ? undefined : prepare(next, resource.connection);
      ({ connection } = resource);
      if (blueprint === undefined) return 'unchanged';
      endChain();
      settings = next;
      managed.replace(blueprint);
      chain = buildChain(next);
      log.replaced();
      inventories.forgetAll();
      inventories.wakeAll();
      return 'replaced';
    },
    once: (signal, work) =>
      withinLimit(signal, attemptLimit({ timeoutMs: settings.delivery.attemptTimeoutMs, clock }), (limited) =>
        managed.use(limited, (sink) => work(sink, limited)),
      ),
    close: async () => {
      endChain();
      await managed.close();
    },
  };
}
