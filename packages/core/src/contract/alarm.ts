/** What an alarm knows of time; Node's timers are such. */
export interface AlarmClock {
  /** In milliseconds; only differences count. */
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Many times to be told of, and never more than one timer. */
export interface Alarm {
  /** Calls `ring` once, so many milliseconds from now; what it returns takes that back. */
  after(ms: number, ring: () => void): () => void;
  /** The time by its clock, and never before a time that it has told of. */
  now(): number;
}

/** What Node's timers can hold; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

const nodeClock: AlarmClock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

interface Entry {
  readonly at: number;
  readonly ring: () => void;
}

export function createAlarm(clock: AlarmClock = nodeClock): Alarm {
  const entries = new Set<Entry>();
  let armed: { readonly at: number; readonly timer: unknown } | undefined;
  /** A timer may come a little before its time by the clock, and the clock may be set back. */
  let reached = Number.NEGATIVE_INFINITY;

  const now = (): number => Math.max(clock.now(), reached);

  const disarm = (): void => {
    if (armed !== undefined) clock.clearTimeout(armed.timer);
    armed = undefined;
  };

  const arm = (): void => {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of entries) next = Math.min(next, at);
    // One that was taken back leaves its timer, so that steps with limits of their own need none each.
    if (armed !== undefined && armed.at <= next) return;
    disarm();
    const at = Math.min(next, now() + maxTimerMs);
    armed = { at, timer: clock.setTimeout(onTime, Math.max(0, Math.ceil(at - now()))) };
  };

  const onTime = (): void => {
    reached = Math.max(reached, armed?.at ?? reached);
    armed = undefined;
    for (const entry of entries)
      if (entry.at <= reached) {
        entries.delete(entry);
        entry.ring();
      }
    if (entries.size > 0) arm();
  };

  return {
    now,
    after: (ms, ring) => {
      const entry = { at: now() + (ms > 0 ? ms : 0), ring };
      entries.add(entry);
      arm();
      return () => {
        if (entries.delete(entry) && entries.size === 0) disarm();
      };
    },
  };
}
