import type { SinkError } from '../../contract/errors/errors.ts';
import type { DeliveryMetrics } from '../../observability/metrics.ts';
import type { DeliveryTracer, SpanAttributes } from '../../observability/tracing.ts';
import { createAttempt } from './attempt.ts';
import { createBreaker, type BreakerChange, type Breaker } from './breaker.ts';
import type { Delivery, Station } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import type { SinkDelivery } from '../delivery-options.ts';
import { createGate, type Gate, type GateOptions } from '../inventory/gate.ts';
import type { SlotWork } from '../inventory/slots.ts';
import { createQueue, type Queue } from '../inventory/queue.ts';
import { createMeasure } from './measure.ts';
import { createRetry } from './retry.ts';
import { createTrace, sinkAttributes } from './trace.ts';

/**
 * The order of the stations is written here: gate, queue, breaker, retry, attempt, sink. Each inventory has a gate and a queue for each of its
 * sinks; the other stations are shared by all inventories of a sink.
 */
export interface SinkChainOptions {
  readonly name: string;
  readonly sinkType: string;
  /** What the type says in spans of its own. */
  readonly spanAttributes?: SpanAttributes | undefined;
  /** The managed sink. */
  readonly sink: Station;
  readonly delivery: SinkDelivery;
  readonly clock: DeliveryClock;
  readonly metrics: DeliveryMetrics;
  readonly tracer: DeliveryTracer | undefined;
  readonly onRetry?: (error: SinkError, delivery: Delivery) => void;
  readonly onBreakerChange?: (change: BreakerChange) => void;
}

export function createSinkChain(options: SinkChainOptions): Breaker {
  const { name, sinkType, sink, delivery, clock, metrics, tracer, onRetry, onBreakerChange } = options;
  const attempt = createAttempt({ next: sink, timeoutMs: delivery.attemptTimeoutMs, clock });
  const attributes = sinkAttributes(name, sinkType, options.spanAttributes);
  const traced = createTrace({
    next: attempt,
    tracer,
    spanName: () => 'kollect.attempt',
    attributes: () => attributes,
  });
  const retry = createRetry({
    next: traced,
    retry: delivery.retry,
    deadlineMs: delivery.deadlineMs,
    clock,
    onRetry: (error, retried) => {
      metrics.attemptRetried({ sinkType, reason: error.reason });
      onRetry?.(error, retried);
    },
  });
  const measured = createMeasure({ next: retry, sinkType, clock, metrics });
  return createBreaker({
    next: measured,
    breaker: delivery.breaker,
    clock,
    ...(onBreakerChange === undefined ? {} : { onStateChange: onBreakerChange }),
  });
}

export interface InventoryChainOptions extends Omit<GateOptions, 'next'> {
  /** What its spans say of the sink. */
  readonly attributes: () => SpanAttributes;
  /** The sink's own chain. */
  readonly sink: Station;
  readonly request: (work: SlotWork) => () => void;
  readonly tracer: DeliveryTracer | undefined;
}

export interface InventoryChain {
  readonly gate: Gate;
  readonly queue: Queue;
}

export function createInventoryChain({
  attributes,
  sink,
  request,
  tracer,
  ...gateOptions
}: InventoryChainOptions): InventoryChain {
  const spanName = ({ operation }: Delivery): string => `kollect.${operation}`;
  const traced = createTrace({
    next: sink,
    tracer,
    spanName,
    attributes,
  });
  const queue = createQueue({ next: traced, request });
  const gate = createGate({ ...gateOptions, next: queue });
  return { gate, queue };
}
