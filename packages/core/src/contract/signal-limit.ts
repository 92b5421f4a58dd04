import { createAlarm, type Alarm } from './alarm.ts';

/** A time limit that travels with a signal, or that an operation has of its own. */
export interface SignalLimit {
  /** The field that sets it, for messages: `delivery.attemptTimeout`. */
  readonly field: string | undefined;
  readonly ms: number;
  /** By the clock of the alarm. */
  readonly endsAt: number;
  readonly alarm: Alarm;
  readonly passed: boolean;
}

export interface LimitOptions {
  readonly field?: string | undefined;
  readonly ms: number;
  /** How much of `ms` is left, where it began earlier. */
  readonly leftMs?: number;
  /** Whose timer it uses; absent: one of its own. */
  readonly alarm?: Alarm | undefined;
}

export interface StartedLimit {
  readonly limit: SignalLimit;
  /** Takes it off the timer. */
  readonly release: () => void;
}

/** By name, so that two copies of this package know it of each other. */
const noted = Symbol.for('@kollect/core/limit/1');

/** Calls `onTime` when the limit passes. */
export function startLimit(
  { field, ms, leftMs = ms, alarm = createAlarm() }: LimitOptions,
  onTime: () => void,
): StartedLimit {
  let passed = false;
  const endsAt = alarm.now() + leftMs;
  const release = alarm.after(leftMs, () => {
    passed = true;
    onTime();
  });
  const limit: SignalLimit = {
    field,
    ms,
    endsAt,
    alarm,
    get passed() {
      return passed;
    },
  };
  return { limit, release };
}

/**
 * The shorter limit wins, the outer one where they are equal: undefined where that one ends the wait anyway, by its signal. Both are on one timer.
 */
export function startWithin(
  outer: SignalLimit | undefined,
  { ms, field }: Pick<LimitOptions, 'ms' | 'field'>,
  onTime: () => void,
): StartedLimit | undefined {
  if (outer !== undefined && outer.endsAt - outer.alarm.now() <= ms) return undefined;
  return startLimit({ ms, field, alarm: outer?.alarm }, onTime);
}

/** Notes on the signal that the limit aborts it. */
export function noteLimit(signal: AbortSignal, limit: SignalLimit): void {
  Object.defineProperty(signal, noted, { value: limit });
}

/** The limit that aborts the signal; undefined where nobody noted one. */
export function limitOf(signal: AbortSignal): SignalLimit | undefined {
  return (signal as { readonly [noted]?: SignalLimit })[noted];
}
