import type { DeliveryClock } from './delivery-clock.ts';

export interface CloseWithinOptions {
  readonly clock: DeliveryClock;
  readonly deadlineMs: number;
  /** Resolves when there is nothing left to do. */
  readonly idle: Promise<unknown>;
}

/** Waits until all is done. What is not done at the deadline is aborted, and waited for: aborted work ends soon. */
export async function closeWithin({ clock, deadlineMs, idle }: CloseWithinOptions, abort: () => void): Promise<void> {
  const timer = clock.setTimeout(abort, deadlineMs);
  await idle;
  clock.clearTimeout(timer);
}
