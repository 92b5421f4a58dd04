/** What delivery knows of time; give one of your own to control it in tests. */
export interface DeliveryClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** What it returns is given back to `clearTimeout`, and may have `unref`, as a timer of Node has. */
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Node's own timers. `now` does not follow when somebody sets the clock of the machine: intervals stay what they are. */
export const systemClock: DeliveryClock = Object.freeze({
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout | undefined),
});

/** A timer that keeps no process alive. */
export function unrefTimer(clock: DeliveryClock, callback: () => void, ms: number): unknown {
  const timer = clock.setTimeout(callback, ms);
  (timer as { unref?: () => void } | undefined)?.unref?.();
  return timer;
}
