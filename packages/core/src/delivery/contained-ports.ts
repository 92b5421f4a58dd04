import { isPromise } from 'node:util/types';
import type { DeliveryLogger } from '../observability/logging.ts';
import type { DeliveryMetrics } from '../observability/metrics.ts';
import type { DeliverySpan, DeliveryTracer } from '../observability/tracing.ts';

/** Calls a function of the host. What it throws is dropped, and so is the rejection of a promise that it returns. */
export function quietly(call: () => unknown): void {
  try {
    const returned = call();
    if (isPromise(returned)) returned.catch(() => undefined);
  } catch {
    // A fault of the host's metrics, logs or hooks is no fault of an export.
  }
}

export function containMetrics(metrics: DeliveryMetrics | undefined): DeliveryMetrics {
  return {
    declareSinkType: (sinkType) => quietly(() => metrics?.declareSinkType(sinkType)),
    deliveryEnded: (event) => quietly(() => metrics?.deliveryEnded(event)),
    attemptRetried: (event) => quietly(() => metrics?.attemptRetried(event)),
    inFlightChanged: (event) => quietly(() => metrics?.inFlightChanged(event)),
    breakerChanged: (event) => quietly(() => metrics?.breakerChanged(event)),
    watchBacklog: (read) => {
      let end: unknown;
      quietly(() => (end = metrics?.watchBacklog(read)));
      return () =>
        quietly(() => {
          if (typeof end === 'function') end();
        });
    },
  };
}

export function containLogger(logger: DeliveryLogger | undefined): DeliveryLogger {
  return {
    debug: (fields, message) => quietly(() => logger?.debug(fields, message)),
    info: (fields, message) => quietly(() => logger?.info(fields, message)),
    warn: (fields, message) => quietly(() => logger?.warn(fields, message)),
    error: (fields, message) => quietly(() => logger?.error(fields, message)),
  };
}

const silentSpan: DeliverySpan = { setAttributes: () => undefined };

/** The work runs once and its outcome is what counts, whatever the tracer does. */
export function containTracer(tracer: DeliveryTracer | undefined): DeliveryTracer | undefined {
  if (tracer === undefined) return undefined;
  return {
    withSpan: (name, attributes, work) => {
      let outcome: ReturnType<typeof work> | undefined;
      const once = (span: DeliverySpan): ReturnType<typeof work> =>
        (outcome ??= work({ setAttributes: (more) => quietly(() => span.setAttributes(more)) }));
      quietly(() => tracer.withSpan(name, attributes, once));
      return outcome ?? once(silentSpan);
    },
  };
}
