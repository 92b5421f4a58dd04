import { SinkError } from '../../contract/errors.ts';
import { formatScope } from '../../contract/scope.ts';
import type { Scope } from '../../contract/snapshot.ts';
import type { DeliveryLogger } from '../../observability/logging.ts';
import type { DeliveryMetrics } from '../../observability/metrics.ts';
import type { DeliveryTracer } from '../../observability/tracing.ts';
import { describeDelivery, type Delivery, type DeliveryResult } from '../delivery.ts';
import { createInventoryChain } from '../stations/chain.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import { isoTime, sinkReport, type SinkDeliveryReport, type SinkStatus } from '../delivery-report.ts';
import type { Slots } from './slots.ts';
import type { GateRules } from './gate-decision.ts';
import type { SharedSink, SinkSubscriber } from '../sink/shared-sink.ts';

export interface InventoryExportsOptions {
  readonly scope: Scope;
  readonly sink: SharedSink;
  readonly slots: Slots;
  readonly clock: DeliveryClock;
  readonly lifetime: AbortSignal;
  readonly metrics: DeliveryMetrics;
  readonly tracer: DeliveryTracer | undefined;
  readonly logger: DeliveryLogger;
  readonly onBackground: (report: SinkDeliveryReport) => void;
  /** The inventory was removed from the sink, and nothing is left to do: these exports can be given up. */
  readonly onRemoved: () => void;
}

/** The way of one inventory into one sink, and what is known of it. */
export interface InventoryExports {
  deliver(delivery: Delivery, rules: GateRules): Promise<SinkDeliveryReport>;
  status(): SinkStatus;
  readonly waiting: boolean;
  readonly owing: boolean;
  /** Delivers what is owed, now, and owes nothing any more. */
  flush(): void;
  /** Ends what waits in this way, what is owed without a word, and owes nothing any more; what runs goes on. */
  dispose(outcome: DeliveryResult | SinkError): void;
  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void>;
}

type Fate = Pick<SinkStatus, 'lastOutcome' | 'lastSuccessAt' | 'lastError'>;

export function createInventoryExports(options: InventoryExportsOptions): InventoryExports {
  const { scope, sink, slots, clock, lifetime, metrics, tracer, logger, onBackground, onRemoved } = options;
  let rules: GateRules = { exportMinIntervalMs: 0, minChangeIntervalMs: 0 };
  let fate: Fate = {};
  /** What the host asked for last. */
  let latest: Delivery['operation'] | undefined;

  const subscriber: SinkSubscriber = { wake: () => gate.wake(), forget: () => gate.forget() };
  sink.subscribe(subscriber);

  const { gate, queue } = createInventoryChain({
    attributes: () => sink.attributes,
    sink,
    request: (work) => slots.request(sink.name, sink.concurrentExports, work),
    tracer,
    clock,
    lifetime,
    rules: () => rules,
    onSkipped: () => sink.skipped(subscriber),
    onBackground: async (delivery, start) => onBackground(await settled(delivery, start)),
  });

  const settled = async (delivery: Delivery, start: () => Promise<DeliveryResult>): Promise<SinkDeliveryReport> => {
    const calledAt = clock.now();
    const result = await start().catch((error: unknown) =>
      SinkError.from(error, { sinkType: sink.type, operation: delivery.operation }),
    );
    const report = sinkReport({
      sink: sink.name,
      sinkType: sink.type,
      result,
      progress: delivery.progress,
      calledAt,
      endedAt: clock.now(),
    });
    fate = nextFate(fate, report, clock.now());
    measure(metrics, sink.type, report);
    log(logger, describeDelivery(delivery), scope, report);
    if (delivery.operation === 'remove-inventory' && (report.outcome === 'applied' || report.outcome === 'unchanged'))
      giveUpWhenIdle();
    return report;
  };

  const giveUpWhenIdle = (): void => {
    void queue.idle().then(() => {
      if (latest === 'remove-inventory') onRemoved();
    });
  };

  return {
    deliver: (delivery, given) => {
      rules = given;
      latest = delivery.operation;
      return settled(delivery, () => gate.deliver(delivery));
    },
    status: () => {
      const due = gate.dueAt() ?? (gate.owing ? sink.openUntil() : undefined);
      return {
        sink: sink.name,
        sinkType: sink.type,
        ...fate,
        breaker: sink.breaker(),
        running: queue.running,
        waiting: queue.waiting,
        owing: gate.owing,
        ...(due === undefined ? {} : { dueAt: isoTime(due) }),
      };
    },
    get waiting() {
      return queue.waiting;
    },
    get owing() {
      return gate.owing;
    },
    flush: () => {
      gate.wake();
      gate.dispose();
    },
    dispose: (outcome) => {
      gate.dispose();
      queue.discard(outcome);
      sink.unsubscribe(subscriber);
    },
    idle: () => queue.idle(),
  };
}

function nextFate(fate: Fate, { outcome, error }: SinkDeliveryReport, now: number): Fate {
  const at = isoTime(now);
  if (outcome === 'failed' && error !== undefined) {
    return {
      ...fate,
      lastOutcome: outcome,
      lastError: { code: error.code, reason: error.reason, message: error.message, at },
    };
  }
  if (outcome === 'applied' || outcome === 'unchanged' || outcome === 'superseded')
    return { lastOutcome: outcome, lastSuccessAt: at };
  return { ...fate, lastOutcome: outcome };
}

function measure(metrics: DeliveryMetrics, sinkType: string, report: SinkDeliveryReport): void {
  const { outcome, reason, attempts, queueMs, writeMs, counts, bytes } = report;
  metrics.deliveryEnded({
    sinkType,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(attempts === 0 ? {} : { writeSeconds: writeMs / 1000 }),
    queueSeconds: queueMs / 1000,
    attempts,
    items: counts.inserted + counts.updated + counts.deleted,
    bytes,
  });
}

function log(
  logger: DeliveryLogger,
  what: string,
  scope: Scope,
  { sink, sinkType, outcome, error, attempts, queueMs, writeMs }: SinkDeliveryReport,
): void {
  const fields = {
    inventory: formatScope(scope),
    sink,
    sinkType,
    outcome,
    attempts,
    queueMs: Math.round(queueMs),
    writeMs: Math.round(writeMs),
  };
  if (outcome !== 'failed') logger.debug(fields, `${what} ended: ${outcome}.`);
  else logger.warn({ ...fields, code: error?.code, reason: error?.reason, error: error?.message }, `${what} failed.`);
}
