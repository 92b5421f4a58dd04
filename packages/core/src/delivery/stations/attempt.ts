import type { Delivery, Station } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import { deriveSignal, type TimeLimit } from '../derived-signal.ts';

export interface AttemptLimits {
  readonly timeoutMs: number;
  readonly clock: DeliveryClock;
}

export interface AttemptOptions extends AttemptLimits {
  readonly next: Station;
}

/** Aborts what takes longer, with a TimeoutError as the reason; the sink says TIMEOUT then. */
export function createAttempt({ next, ...limits }: AttemptOptions): Station {
  return {
    deliver: (delivery) =>
      withinLimit(delivery.signal, attemptLimit(limits, delivery.deadline), (signal) =>
        next.deliver({ ...delivery, signal }),
      ),
  };
}

/** Runs one attempt at a sink. Its signal is the caller's with the limit, and the one timer of all that the sink does. */
export async function withinLimit<T>(
  parent: AbortSignal,
  limit: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, release } = deriveSignal({ parent, limit });
  try {
    return await work(signal);
  } finally {
    release();
  }
}

/** What ends sooner: the attempt's own time, or what is left of the deadline of all attempts. */
export function attemptLimit({ timeoutMs, clock }: AttemptLimits, deadline?: Delivery['deadline']): TimeLimit {
  if (deadline !== undefined) {
    const leftMs = deadline.at - clock.now();
    if (leftMs < timeoutMs) return { field: 'delivery.deadline', ms: deadline.ms, leftMs, clock };
  }
  return { field: 'delivery.attemptTimeout', ms: timeoutMs, clock };
}
