import type { DeliveryClock } from '@kollect/core';
import { pause } from '../watch/time-limit.ts';
import type { SecretCache } from './secret-cache.ts';
import type { SecretIndex } from './secret-index.ts';

export interface RefreshOptions {
  readonly clock: DeliveryClock;
  /** 0: never. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly index: SecretIndex;
  readonly cache: SecretCache;
}

export interface Refreshing {
  /** There is something to look at. */
  wake(): void;
  /** Settles once the signal has aborted and nothing runs. */
  readonly ended: Promise<void>;
}

/** At once; the others wait. */
const concurrency = 4;

/** Looks at everything that sinks name, time after time. While they name nothing there is no timer. */
export function startRefreshing(options: RefreshOptions): Refreshing {
  const { clock, everyMs, signal, index, cache } = options;
  let running: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    const refs = [...index.refs()];
    const worker = async (): Promise<void> => {
      for (let ref = refs.pop(); ref !== undefined && !signal.aborted; ref = refs.pop()) {
        // What cannot be read is told to whoever needs it.
        await cache.refresh(ref).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted && index.refs().length > 0) {
      await pause(clock, everyMs * (0.9 + Math.random() / 5), signal);
      if (!signal.aborted) await look();
    }
    running = undefined;
  };

  return {
    wake: () => {
      if (everyMs > 0 && running === undefined && !signal.aborted) running = run();
    },
    get ended() {
      return running ?? Promise.resolve();
    },
  };
}
