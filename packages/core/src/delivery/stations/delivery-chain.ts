import type { SinkError } from '../../contract/errors.ts';
import type { DeliveryMetrics } from '../../observability/metrics.ts';
import type { DeliveryTracer } from '../../observability/tracing.ts';
import { createAttemptTimeout } from './attempt-timeout.ts';
import { createCircuitBreakingSink, type BreakerChange, type CircuitBreakingSink } from './circuit-breaking-sink.ts';
import type { Delivery, DeliveryChannel } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import type { SinkDelivery } from '../delivery-options.ts';
import { createExportGate, type ExportGate, type ExportGateOptions } from '../inventory/export-gate.ts';
import type { SlotWork } from '../inventory/export-slots.ts';
import { createLatestQueue, type LatestQueue } from '../inventory/latest-queue.ts';
import { createMeasuredSink } from './measured-sink.ts';
import { createRetryingSink } from './retrying-sink.ts';
import { createTracedChannel, sinkAttributes } from './traced-channel.ts';

/** The whole way, in its order: gate, queue, breaker, retry, attempt, sink. The first two are there once per inventory and sink, the rest once per sink. */
export interface SinkChainOptions {
  readonly name: string;
  readonly sinkType: string;
  /** The managed sink. */
  readonly sink: DeliveryChannel;
  readonly delivery: SinkDelivery;
  readonly clock: DeliveryClock;
  readonly lifetime: AbortSignal;
  readonly metrics: DeliveryMetrics;
  readonly tracer: DeliveryTracer | undefined;
  readonly onRetry?: (error: SinkError, delivery: Delivery) => void;
  readonly onBreakerChange?: (change: BreakerChange) => void;
}

export function createSinkChain(options: SinkChainOptions): CircuitBreakingSink {
  const { name, sinkType, sink, delivery, clock, lifetime, metrics, tracer, onRetry, onBreakerChange } = options;
  const attempt = createAttemptTimeout({ next: sink, timeoutMs: delivery.attemptTimeoutMs, clock });
  const attributes = sinkAttributes(name, sinkType);
  const traced = createTracedChannel({
    next: attempt,
    tracer,
    spanName: () => 'kollect.attempt',
    attributes: () => attributes,
  });
  const retry = createRetryingSink({
    next: traced,
    retry: delivery.retry,
    deadlineMs: delivery.deadlineMs,
    clock,
    lifetime,
    onRetry: (error, retried) => {
      metrics.attemptRetried({ sinkType, reason: error.reason });
      onRetry?.(error, retried);
    },
  });
  const measured = createMeasuredSink({ next: retry, sinkType, clock, metrics });
  return createCircuitBreakingSink({
    next: measured,
    breaker: delivery.breaker,
    clock,
    ...(onBreakerChange === undefined ? {} : { onStateChange: onBreakerChange }),
  });
}

export interface InventoryChainOptions extends Omit<ExportGateOptions, 'next'> {
  readonly sinkName: string;
  readonly sinkType: () => string;
  /** The sink's own chain. */
  readonly sink: DeliveryChannel;
  readonly request: (work: SlotWork) => () => void;
  readonly tracer: DeliveryTracer | undefined;
}

export interface InventoryChain {
  readonly gate: ExportGate;
  readonly queue: LatestQueue;
}

export function createInventoryChain({
  sinkName,
  sinkType,
  sink,
  request,
  tracer,
  ...gateOptions
}: InventoryChainOptions): InventoryChain {
  const spanName = ({ operation }: Delivery): string => `kollect.${operation}`;
  const traced = createTracedChannel({
    next: sink,
    tracer,
    spanName,
    attributes: () => sinkAttributes(sinkName, sinkType()),
  });
  const queue = createLatestQueue({ next: traced, request });
  const gate = createExportGate({ ...gateOptions, next: queue });
  return { gate, queue };
}
