import { setImmediate } from 'node:timers/promises';
import type { DeliveryClock } from '@kollect/core';

/** Time that passes when a test says so. */
export interface ManualClock extends DeliveryClock {
  advance(ms: number): Promise<void>;
  /** Timers that were not yet due and not cleared. */
  readonly timers: number;
}

export function manualClock(start = Date.UTC(2026, 0, 31, 12)): ManualClock {
  let now = start;
  let last = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  return {
    now: () => now,
    setTimeout: (callback, ms) => {
      timers.set((last += 1), { at: now + ms, callback });
      return last;
    },
    clearTimeout: (timer) => void timers.delete(timer as number),
    advance: async (ms) => {
      const end = now + ms;
      await settle();
      for (;;) {
        const [due] = [...timers].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b);
        if (due === undefined) break;
        timers.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].callback();
        await settle();
      }
      now = end;
    },
    get timers() {
      return timers.size;
    },
  };
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await setImmediate();
}
