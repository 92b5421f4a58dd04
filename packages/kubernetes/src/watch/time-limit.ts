import type { DeliveryClock } from '@kollect/core';

/** Node's own timers, and a clock that nobody sets. */
export const systemClock: DeliveryClock = Object.freeze({
  now: () => performance.timeOrigin + performance.now(),
  // What is due already is a moment of the past, of which Node would warn.
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, Math.max(0, ms)),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout | undefined),
});

/** Settles as the promise does, or rejects at once with the reason of the signal: whoever ignores a signal holds up nobody. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    // With what the signal was aborted with, whatever that is.
    const onAbort = (): void => reject(signal.reason as Error);
    const settle = (): void => signal.removeEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(settle);
  });
}

/** Resolves after so long, or when the signal aborts. */
export function pause(clock: DeliveryClock, ms: number, signal: AbortSignal): Promise<void> {
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

/** A signal that aborts with its parent, or with `reason` once nobody called `heard` for so long. */
export interface SilenceLimit {
  readonly signal: AbortSignal;
  heard(): void;
  /** Takes the limit and the listener away, and aborts. */
  end(): void;
}

export function limitSilence(
  parent: AbortSignal,
  { clock, ms, reason }: { readonly clock: DeliveryClock; readonly ms: number; readonly reason: () => Error },
): SilenceLimit {
  const controller = new AbortController();
  let heardAt = clock.now();
  const onAbort = (): void => end(parent.reason);
  /** One timer for the whole time: most of what is heard comes long before it. */
  const onTime = (): void => {
    const left = heardAt + ms - clock.now();
    if (left <= 0) end(reason());
    else timer = clock.setTimeout(onTime, left);
  };
  const end = (why?: unknown): void => {
    clock.clearTimeout(timer);
    parent.removeEventListener('abort', onAbort);
    controller.abort(why);
  };
  let timer = clock.setTimeout(onTime, ms);
  if (parent.aborted) onAbort();
  else parent.addEventListener('abort', onAbort, { once: true });
  return { signal: controller.signal, heard: () => void (heardAt = clock.now()), end: () => end() };
}
