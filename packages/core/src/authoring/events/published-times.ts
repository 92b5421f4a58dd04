import { createLatestMap } from './latest-map.ts';

/** What this process published last, or found to be there, by message key. */
export interface PublishedTimes {
  /** Times are milliseconds since 1970. */
  isOlder(key: string, time: number): boolean;
  record(key: string, time: number, what: 'snapshot' | 'removal'): void;
  /** The last of it was a removal. */
  isRemoved(key: string): boolean;
}

/** At most so many keys are remembered, the latest. */
const maxKeys = 10_000;

export function createPublishedTimes(): PublishedTimes {
  const published = createLatestMap<{ readonly time: number; readonly removed: boolean }>(maxKeys);
  return {
    isOlder: (key, time) => time < (published.get(key)?.time ?? -Infinity),
    record: (key, time, what) => {
      const last = published.get(key);
      published.set(key, last !== undefined && time < last.time ? last : { time, removed: what === 'removal' });
    },
    isRemoved: (key) => published.get(key)?.removed === true,
  };
}
