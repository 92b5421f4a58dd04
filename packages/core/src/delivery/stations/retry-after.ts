import type { SinkError } from '../../contract/errors/errors.ts';

const longestMs = 24 * 60 * 60_000;

/** Milliseconds that the store asked us to wait, at most a day: a longer timer could overflow and fire at once. 0 where it asked for none. */
export function retryAfterOf({ retryAfterMs = 0 }: Pick<SinkError, 'retryAfterMs'>): number {
  return retryAfterMs > 0 ? Math.min(retryAfterMs, longestMs) : 0;
}
