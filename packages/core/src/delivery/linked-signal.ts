import type { DeliveryClock } from './delivery-clock.ts';

export interface LinkOptions {
  readonly parents: readonly AbortSignal[];
  readonly clock: DeliveryClock;
  readonly timeoutMs?: number;
}

export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Ends the timer and takes the listeners off the parents. */
  release(): void;
}

/** A signal that aborts with the first of its parents, with that one's reason, or after a time, with a TimeoutError. AbortSignal.any would keep its sources alive. */
export function linkSignals({ parents, clock, timeoutMs }: LinkOptions): LinkedSignal {
  const controller = new AbortController();
  let timer: unknown;
  const onAbort = (): void => controller.abort(parents.find(({ aborted }) => aborted)?.reason);
  for (const parent of parents) {
    if (parent.aborted) onAbort();
    else parent.addEventListener('abort', onAbort, { once: true });
  }
  if (timeoutMs !== undefined && !controller.signal.aborted) {
    timer = clock.setTimeout(
      () => controller.abort(new DOMException(`${timeoutMs} ms passed.`, 'TimeoutError')),
      timeoutMs,
    );
  }
  return {
    signal: controller.signal,
    release: () => {
      if (timer !== undefined) clock.clearTimeout(timer);
      for (const parent of parents) parent.removeEventListener('abort', onAbort);
    },
  };
}
