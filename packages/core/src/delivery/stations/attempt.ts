import type { Station } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import { linkSignals } from '../linked-signal.ts';

export interface AttemptOptions {
  readonly next: Station;
  readonly timeoutMs: number;
  readonly clock: DeliveryClock;
}

/** Aborts what takes longer, with a TimeoutError as the reason; the sink says TIMEOUT then. */
export function createAttempt({ next, timeoutMs, clock }: AttemptOptions): Station {
  return {
    deliver: async (delivery) => {
      const { signal, release } = linkSignals({ parents: [delivery.signal], timeoutMs, clock });
      try {
        return await next.deliver({ ...delivery, signal });
      } finally {
        release();
      }
    },
  };
}
