import { isDeepStrictEqual } from 'node:util';
import type { SinkError } from '../../contract/errors.ts';
import type { KollectSink, SinkCapabilities } from '../../contract/sink.ts';
import type { DeliveryLogger } from '../../observability/logging.ts';
import type { BreakerState, DeliveryMetrics } from '../../observability/metrics.ts';
import type { DeliveryTracer, SpanAttributes } from '../../observability/tracing.ts';
import type { SinkConfig, SinkConnection, SinkRegistry } from '../../registry/sink-registry.ts';
import type { BreakerChange, Breaker } from '../stations/breaker.ts';
import type { Station } from '../delivery.ts';
import { createSinkChain } from '../stations/chain.ts';
import { sinkAttributes } from '../stations/trace.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import { resolveSinkDelivery, type SinkDelivery } from '../delivery-options.ts';
import type { SinkResource } from '../exporter-types.ts';
import { linkSignals } from '../linked-signal.ts';
import { createManagedSink, type ManagedSink, type SinkBlueprint } from './managed-sink.ts';

/** What an inventory's way into the sink is told. */
export interface SinkSubscriber {
  /** Delivers what the open circuit skipped; false where there is nothing any more. */
  wake(): boolean;
  /** Another sink took the old one's place. */
  forget(): void;
}

export interface SharedSinkOptions {
  readonly registry: SinkRegistry;
  readonly clock: DeliveryClock;
  readonly lifetime: AbortSignal;
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
  /** Throws SPEC_INVALID, and then nothing changed. */
  update(resource: SinkResource): 'unchanged' | 'replaced';
  breaker(): BreakerState;
  openUntil(): number | undefined;
  subscribe(subscriber: SinkSubscriber): void;
  /** Of an inventory that delivers nothing more. Was it to probe the open circuit, another one does. */
  unsubscribe(subscriber: SinkSubscriber): void;
  /** To be woken when the circuit lets one export through. */
  skipped(subscriber: SinkSubscriber): void;
  /** One attempt beside gate, queue, breaker and retry. */
  once<T>(signal: AbortSignal, work: (sink: KollectSink, signal: AbortSignal) => Promise<T>): Promise<T>;
  /** To be called when no inventory delivers any more. */
  close(): Promise<void>;
}

interface Parsed {
  readonly config: SinkConfig;
  readonly type: string;
  readonly capabilities: Required<SinkCapabilities>;
  readonly spanAttributes: SpanAttributes | undefined;
  readonly delivery: SinkDelivery;
  /** Equal for resources that make equal sinks. */
  readonly identity: unknown;
}

export function createSharedSink(first: SinkResource, options: SharedSinkOptions): SharedSink {
  const { registry, clock, lifetime, metrics, tracer, logger } = options;
  const { name } = first;
  /** Functions are asked at every connect: those of the latest resource are. */
  let connection = first.connection;

  const parse = (resource: SinkResource): Parsed => {
    const config = registry.parse(resource.config, name);
    const { type, capabilities, spanAttributes } = registry.definition(config.type);
    const delivery = resolveSinkDelivery(resource.delivery, name);
    return {
      config,
      type,
      capabilities,
      spanAttributes,
      delivery,
      identity: [config, delivery, resource.revision, valuesOf(resource.connection)],
    };
  };

  /** Makes one sink already: what the registry refuses is refused before anything changed. */
  const plan = ({ config, type, delivery }: Parsed, given: SinkConnection | undefined): SinkBlueprint => {
    const create = (): KollectSink =>
      registry.create(
        config,
        follow(name, logger, given, () => connection),
      );
    const made = [create()];
    return {
      sinkType: type,
      create: () => made.pop() ?? create(),
      openTimeoutMs: delivery.attemptTimeoutMs,
      ...delivery,
    };
  };

  let parsed = parse(first);
  const log = (): { readonly sink: string; readonly sinkType: string } => ({ sink: name, sinkType: parsed.type });

  const managed: ManagedSink = createManagedSink({
    ...plan(parsed, first.connection),
    clock,
    onAbandoned: () => logger.warn(log(), 'The sink ignored its signal: it was abandoned and is replaced.'),
    onCloseFailed: (error) => logger.warn({ ...log(), code: error.code }, error.message),
  });

  const subscribers = new Set<SinkSubscriber>();
  const waiting = new Set<SinkSubscriber>();

  const wakeAll = (): void => {
    const woken = [...waiting];
    waiting.clear();
    for (const subscriber of woken) subscriber.wake();
  };
  const wakeOne = (): void => {
    for (const subscriber of waiting) {
      waiting.delete(subscriber);
      if (subscriber.wake()) return;
    }
  };

  const onBreakerChange = (sinkType: string, change: BreakerChange): void => {
    metrics.breakerChanged({ sinkType, from: change.from, to: change.to });
    logBreaker(logger, log(), change);
    if (change.to === 'half-open') wakeOne();
    if (change.to === 'closed') wakeAll();
  };

  const build = ({ type, spanAttributes, delivery }: Parsed): Breaker => {
    metrics.breakerChanged({ sinkType: type, to: 'closed' });
    return createSinkChain({
      name,
      sinkType: type,
      spanAttributes,
      sink: managed,
      delivery,
      clock,
      lifetime,
      metrics,
      tracer,
      onRetry: (error) =>
        logger.debug({ ...log(), code: error.code, reason: error.reason }, 'An attempt failed and is made again.'),
      onBreakerChange: (change) => onBreakerChange(type, change),
    });
  };

  let chain = build(parsed);
  const endChain = (): void => {
    metrics.breakerChanged({ sinkType: parsed.type, from: chain.state() });
    chain.shutdown();
  };

  return {
    name,
    subscribe: (subscriber) => void subscribers.add(subscriber),
    unsubscribe: (subscriber) => {
      subscribers.delete(subscriber);
      waiting.delete(subscriber);
      // Where all of them leave, they do so before this.
      queueMicrotask(() => {
        if (chain.awaitsProbe) wakeOne();
      });
    },
    get type() {
      return parsed.type;
    },
    get capabilities() {
      return parsed.capabilities;
    },
    get attributes() {
      return sinkAttributes(name, parsed.type, parsed.spanAttributes);
    },
    get concurrentExports() {
      return parsed.delivery.concurrentExports;
    },
    deliver: (delivery) => chain.deliver(delivery),
    breaker: () => chain.state(),
    openUntil: () => chain.openUntil(),
    skipped: (subscriber) => {
      // The circuit may have closed while the word was on its way: nothing would wake it any more.
      if (chain.state() === 'closed') subscriber.wake();
      else if (subscribers.has(subscriber)) waiting.add(subscriber);
    },
    update: (resource) => {
      const next = parse(resource);
      const isSame = isDeepStrictEqual(next.identity, parsed.identity);
      const blueprint = isSame ? undefined : plan(next, resource.connection);
      connection = resource.connection;
      if (blueprint === undefined) return 'unchanged';
      endChain();
      parsed = next;
      managed.replace(blueprint);
      chain = build(next);
      logger.info(log(), 'The sink was replaced.');
      for (const subscriber of subscribers) subscriber.forget();
      wakeAll();
      return 'replaced';
    },
    once: async (signal, work) => {
      const limited = linkSignals({ parents: [signal, lifetime], timeoutMs: parsed.delivery.attemptTimeoutMs, clock });
      try {
        return await managed.use(limited.signal, (sink) => work(sink, limited.signal));
      } finally {
        limited.release();
      }
    },
    close: async () => {
      endChain();
      await managed.close();
    },
  };
}

/** The connection as the sink gets it: values as they are, functions as those that the latest resource has. */
function follow(
  name: string,
  logger: DeliveryLogger,
  connection: SinkConnection = {},
  latest: () => SinkConnection | undefined,
): SinkConnection {
  const { credentials, tls } = connection;
  return {
    name,
    logger,
    ...connection,
    ...(typeof credentials === 'function' ? { credentials: () => ask(latest()?.credentials) } : {}),
    ...(typeof tls === 'function' ? { tls: () => ask(latest()?.tls) } : {}),
  };
}

function ask<T extends object>(source: T | (() => T | Promise<T>) | undefined): T | Promise<T> {
  if (typeof source === 'function') return source();
  // Nothing given any more is what the registry has words for.
  return source as T;
}

/** Two functions count as equal: what they return is asked for at the next connect. A secret that rotated is told by `revision`. */
function valuesOf({ name, credentials, tls }: SinkConnection = {}): unknown {
  return [name, ...[credentials, tls].map((source) => (typeof source === 'function' ? 'function' : source))];
}

function logBreaker(
  logger: DeliveryLogger,
  fields: { readonly sink: string; readonly sinkType: string },
  { to, error }: BreakerChange,
): void {
  if (to === 'closed') logger.info(fields, 'The circuit of the sink closed: exports are made again.');
  if (to === 'open')
    logger.warn({ ...fields, ...errorFields(error) }, 'The circuit of the sink opened: exports are skipped.');
  if (to === 'half-open') logger.debug(fields, 'The circuit of the sink lets one export through.');
}

function errorFields(error: SinkError | undefined): {
  readonly code?: string;
  readonly reason?: string;
  readonly error?: string;
} {
  return error === undefined ? {} : { code: error.code, reason: error.reason, error: error.message };
}
