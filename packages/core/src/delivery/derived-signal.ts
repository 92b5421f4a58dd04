import type { Alarm } from '../contract/alarm.ts';
import { createAlarm } from '../contract/alarm.ts';
import { noteLimit, startLimit, type LimitOptions } from '../contract/signal-limit.ts';
import type { DeliveryClock } from './delivery-clock.ts';

export interface DerivedSignalOptions {
  /** Absent: the signal aborts by `abort` and by its limit alone. */
  readonly parent?: AbortSignal | undefined;
  readonly limit?: TimeLimit;
}

/** A time limit by a clock. */
export interface TimeLimit extends Omit<LimitOptions, 'alarm'> {
  readonly field: string;
  readonly clock: DeliveryClock;
  /** What it shares the timer with. */
  readonly alarm?: Alarm | undefined;
}

export interface DerivedSignal {
  readonly signal: AbortSignal;
  abort(): void;
  /** Ends the limit and takes the listener off the parent. */
  release(): void;
}

/**
 * A signal that aborts with its parent, with that one's reason, or when its limit passes, with a TimeoutError. The limit is noted on it, so that a sink
 * needs no timer beside this one. AbortSignal.any would keep its sources alive.
 */
export function deriveSignal({ parent, limit: given }: DerivedSignalOptions): DerivedSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const onAbort = (): void => controller.abort(parent?.reason);
  if (parent?.aborted === true) onAbort();
  else parent?.addEventListener('abort', onAbort, { once: true });
  let releaseLimit: (() => void) | undefined;
  if (given !== undefined && !signal.aborted) {
    const { clock, alarm = createAlarm(clock), ...rest } = given;
    const { limit, release } = startLimit({ ...rest, alarm }, () =>
      controller.abort(new DOMException(`${given.field} of ${given.ms} ms passed.`, 'TimeoutError')),
    );
    noteLimit(signal, limit);
    releaseLimit = release;
  }
  return {
    signal,
    abort: () => controller.abort(),
    release: () => {
      releaseLimit?.();
      parent?.removeEventListener('abort', onAbort);
    },
  };
}
