import { SinkError } from './errors/errors.ts';

/** How far ahead of the store's clock an export may be dated. */
const clockToleranceMs = 10 * 60_000;

/**
 * Refuses a time that lies more than ten minutes ahead of the store's clock with SNAPSHOT_INVALID: applied, it would fence
 * its scope against every export until that time came.
 */
export function refuseFutureTime(field: 'exportedAt' | 'removedAt', time: string, storeNow: Date): void {
  if (Date.parse(time) <= storeNow.getTime() + clockToleranceMs) return;
  throw new SinkError(
    'SNAPSHOT_INVALID',
    `${field} ${time} is more than ten minutes ahead of the store's clock, ${storeNow.toISOString()}: set the clock of the machine that exports.`,
  );
}
