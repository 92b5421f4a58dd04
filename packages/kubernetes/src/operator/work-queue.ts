import type { DeliveryClock } from '@kollect/core';
import { backOffMs } from '../watch/back-off.ts';

/** Keys to look at, each once at a time. */
export interface WorkQueue {
  /** Looks at the key, after a delay where one is given; the sooner of two counts. While it is looked at already: once more afterwards. */
  add(key: string, delayMs?: number): void;
  /** Keys that wait, run, or will come at some time. */
  readonly size: number;
  /** Begins nothing more, and settles when nothing runs. */
  close(): Promise<void>;
}

export interface WorkQueueOptions {
  /** Gives in how many milliseconds it is to run again, if at all. What it rejects with is told to `onFailure`, and the key comes again. */
  readonly run: (key: string) => Promise<number | undefined>;
  readonly onFailure: (key: string, error: unknown, waitMs: number) => void;
  readonly clock: DeliveryClock;
  /** Default 8. */
  readonly concurrency?: number;
}

interface Entry {
  state: 'idle' | 'ready' | 'running';
  again: boolean;
  failures: number;
  dueAt: number;
  timer: unknown;
}

/** After failures a key waits, longer each time, up to half a minute. */
export function createWorkQueue({ run, onFailure, clock, concurrency = 8 }: WorkQueueOptions): WorkQueue {
  const entries = new Map<string, Entry>();
  const ready: string[] = [];
  let running = 0;
  let closed = false;
  const idle: (() => void)[] = [];

  const entryOf = (key: string): Entry => {
    const known = entries.get(key) ?? { state: 'idle', again: false, failures: 0, dueAt: Infinity, timer: undefined };
    entries.set(key, known);
    return known;
  };
  const disarm = (entry: Entry): void => {
    clock.clearTimeout(entry.timer);
    entry.timer = undefined;
    entry.dueAt = Infinity;
  };

  const visit = async (key: string, entry: Entry): Promise<void> => {
    try {
      const againMs = await run(key);
      entry.failures = 0;
      if (againMs !== undefined) add(key, Math.max(1, againMs));
    } catch (error) {
      entry.failures += 1;
      const waitMs = backOffMs(entry.failures, undefined);
      onFailure(key, error, waitMs);
      add(key, waitMs);
    }
  };

  const pump = (): void => {
    while (!closed && running < concurrency) {
      const key = ready.shift();
      if (key === undefined) return;
      const entry = entryOf(key);
      entry.state = 'running';
      running += 1;
      void visit(key, entry).finally(() => {
        running -= 1;
        entry.state = 'idle';
        if (entry.again) add(key);
        else if (entry.timer === undefined && entry.failures === 0) entries.delete(key);
        entry.again = false;
        if (running === 0 && closed) for (const settle of idle.splice(0)) settle();
        pump();
      });
    }
  };

  function add(key: string, delayMs = 0): void {
    if (closed) return;
    const entry = entryOf(key);
    if (delayMs > 0) {
      const dueAt = clock.now() + delayMs;
      if (entry.dueAt <= dueAt || entry.state === 'ready' || entry.again) return;
      disarm(entry);
      entry.dueAt = dueAt;
      entry.timer = clock.setTimeout(() => add(key), delayMs);
      return;
    }
    disarm(entry);
    if (entry.state === 'running') entry.again = true;
    if (entry.state !== 'idle') return;
    entry.state = 'ready';
    ready.push(key);
    pump();
  }

  return {
    add,
    get size() {
      return entries.size;
    },
    close: async () => {
      closed = true;
      for (const entry of entries.values()) disarm(entry);
      ready.length = 0;
      if (running > 0) await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}
