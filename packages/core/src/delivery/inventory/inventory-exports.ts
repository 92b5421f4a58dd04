import { SinkError } from '../../contract/errors/errors.ts';
import { formatScope } from '../../contract/snapshot/scope.ts';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';
import type { DeliveryLogger } from '../../observability/logging.ts';
import type { DeliveryMetrics } from '../../observability/metrics.ts';
import type { DeliveryTracer } from '../../observability/tracing.ts';
import {
  describeDelivery,
  exportDelivery,
  removalDelivery,
  type Delivery,
  type DeliveryResult,
  type ExportDeliveryOptions,
  type RemovalDeliveryOptions,
} from '../delivery.ts';
import { createInventoryChain } from '../stations/chain.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import { isoTime, sinkReport, type SinkDeliveryReport, type SinkStatus } from '../delivery-report.ts';
import type { GateRules } from './gate-decision.ts';
import { removalTime } from './removal-time.ts';
import { requestAfter, type Slots } from './slots.ts';
import type { SharedSink } from '../sink/shared-sink.ts';
import type { SinkSubscriber } from '../sink/sink-inventories.ts';

export interface InventoryExportsOptions {
  readonly scope: Scope;
  readonly sink: SharedSink;
  readonly slots: Slots;
  /** What still runs on a sink of this name that was removed: only then is the inventory exported to this one. */
  readonly ending: () => Promise<unknown> | undefined;
  readonly clock: DeliveryClock;
  readonly lifetime: AbortSignal;
  readonly metrics: DeliveryMetrics;
  readonly tracer: DeliveryTracer | undefined;
  readonly logger: DeliveryLogger;
  readonly onBackground: (report: SinkDeliveryReport) => void;
  /** The inventory left the sink, or was removed from it, and nothing is left to do: all of this can be forgotten. */
  readonly onDone: () => void;
}

/** The exports of one inventory to one sink, its removal included, and what is known of them. */
export interface InventoryExports {
  export(snapshot: InventorySnapshot, options: ExportDeliveryOptions, rules: GateRules): Promise<SinkDeliveryReport>;
  /** For a sink that can remove inventories. */
  remove(options: RemovalDeliveryOptions, rules: GateRules): Promise<SinkDeliveryReport>;
  status(): SinkStatus;
  readonly sinkType: string;
  readonly waiting: boolean;
  readonly owing: boolean;
  /** Starts what is owed, now. What fails from here on is not made again. */
  finish(): void;
  /** True while something runs or waits in the queue. */
  readonly busy: boolean;
  /** Ends the call that waits in the queue with this outcome and drops what is owed, until the inventory comes back. What runs goes on, and is not made again. */
  leave(outcome: DeliveryResult | SinkError): void;
  /** The same for good. */
  dispose(outcome: DeliveryResult | SinkError): void;
  /** Resolves when nothing is busy. */
  idle(): Promise<void>;
}

type Fate = Pick<SinkStatus, 'lastOutcome' | 'lastSuccessAt' | 'lastError'>;

export function createInventoryExports(options: InventoryExportsOptions): InventoryExports {
  const { scope, sink, slots, ending, clock, lifetime, metrics, tracer, logger, onBackground, onDone } = options;
  let rules: GateRules = { exportMinIntervalMs: 0, minChangeIntervalMs: 0 };
  let fate: Fate = {};
  let left = false;

  const subscriber: SinkSubscriber = { wake: () => gate.wake(), forget: () => gate.forget() };
  const { gate, queue } = createInventoryChain({
    attributes: () => sink.attributes,
    sink,
    request: (work) => requestAfter(ending(), () => slots.request(sink.name, sink.concurrentExports, work)),
    tracer,
    clock,
    lifetime,
    rules: () => rules,
    onSkipped: () => sink.inventories.skipped(subscriber),
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
    // An inventory is debounced at nearly every call: those lines would hide all others.
    if (report.outcome !== 'debounced') log(logger, describeDelivery(delivery), scope, report);
    tellDone();
    return report;
  };

  const tellDone = (): void => {
    if (gate.removed || (left && !gate.busy)) onDone();
  };

  const deliver = (delivery: Delivery, given: GateRules): Promise<SinkDeliveryReport> => {
    rules = given;
    left = false;
    sink.inventories.add(subscriber);
    return settled(delivery, () => gate.deliver(delivery));
  };

  return {
    export: (snapshot, given, itsRules) => deliver(exportDelivery(snapshot, given), itsRules),
    remove: ({ removedAt, signal }, itsRules) => {
      const time = removalTime({ removedAt, newestExport: gate.newestExport, now: clock.now() });
      return deliver(removalDelivery(scope, { removedAt: time, signal }), itsRules);
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
    get sinkType() {
      return sink.type;
    },
    get busy() {
      return gate.busy;
    },
    get waiting() {
      return queue.waiting;
    },
    get owing() {
      return gate.owing;
    },
    finish: () => gate.finish(),
    leave: (outcome) => {
      left = true;
      gate.leave();
      queue.discard(outcome);
      sink.inventories.delete(subscriber);
      tellDone();
    },
    dispose: (outcome) => {
      gate.dispose();
      queue.discard(outcome);
      sink.inventories.delete(subscriber);
    },
    idle: () => gate.idle(),
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
