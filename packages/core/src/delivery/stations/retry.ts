import pRetry from 'p-retry';
import { abortError } from '../../connection/abort-error.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { describeDelivery, type Delivery, type Station, type DeliveryResult } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import type { SinkDelivery } from '../delivery-options.ts';
import { retryAfterOf } from './retry-after.ts';

export interface RetryOptions {
  readonly next: Station;
  readonly retry: SinkDelivery['retry'];
  /** Limit of all attempts and the waits between them. */
  readonly deadlineMs: number;
  readonly clock: DeliveryClock;
  readonly onRetry?: (error: SinkError, delivery: Delivery) => void;
}

/** Tries again what may succeed later, after growing waits with some chance in them or what the store asked for, and never past the deadline. */
export function createRetry({ next, retry, deadlineMs, clock, onRetry }: RetryOptions): Station {
  const { retries, minDelayMs, maxDelayMs, factor } = retry;

  const deliver = async (delivery: Delivery): Promise<DeliveryResult> => {
    const { signal } = delivery;
    const deadline = { at: clock.now() + deadlineMs, ms: deadlineMs };
    let result: DeliveryResult | undefined;
    let failure: SinkError | undefined;

    const attempt = async (): Promise<void> => {
      // A wait may have taken longer than it should.
      if (failure !== undefined && clock.now() >= deadline.at) throw failure;
      delivery.progress.attempts += 1;
      try {
        result = await next.deliver({ ...delivery, deadline });
      } catch (error) {
        failure = SinkError.from(error, { operation: delivery.operation });
        throw failure;
      }
    };

    const shouldRetry = async (delayMs: number): Promise<boolean> => {
      if (failure === undefined || !failure.retryable) return false;
      const waitMs = Math.max(delayMs, retryAfterOf(failure));
      if (clock.now() + waitMs >= deadline.at) return false;
      onRetry?.(failure, delivery);
      if (waitMs > delayMs) await pause(clock, waitMs - delayMs, signal);
      return true;
    };

    try {
      await pRetry(attempt, {
        retries,
        factor,
        minTimeout: minDelayMs,
        maxTimeout: maxDelayMs,
        randomize: true,
        signal,
        shouldRetry: ({ retryDelay }) => shouldRetry(retryDelay),
      });
    } catch (error) {
      // When the signal aborts while the sink acknowledges, p-retry reports the abort only. The acknowledgement counts.
      if (result === undefined)
        throw signal.aborted && failure?.code !== 'CONTRACT_VIOLATION'
          ? endedBy(signal, delivery, failure)
          : (failure ?? error);
    }
    if (result === undefined)
      throw new SinkError('CONTRACT_VIOLATION', `${describeDelivery(delivery)} ended without a result.`, {
        operation: delivery.operation,
      });
    return result;
  };
  return { deliver };
}

/**
 * The error to report when the signal ended the export. A sink that was stopped by a deadline says what it was doing, so its error is kept;
 * after an abort between two attempts the last failure is only the cause.
 */
function endedBy(signal: AbortSignal, delivery: Delivery, failure: SinkError | undefined): SinkError {
  const ended = abortError(signal, describeDelivery(delivery));
  if (failure !== undefined && (ended.code === 'TIMEOUT' || failure.code === ended.code)) return failure;
  return new SinkError(ended.code, ended.message, {
    sinkType: failure?.sinkType,
    operation: delivery.operation,
    cause: failure,
  });
}

/** Waits, or until the signal aborts, which the caller checks next. */
function pause(clock: DeliveryClock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
