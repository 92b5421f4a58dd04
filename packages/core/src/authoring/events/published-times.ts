import { createLatestMap } from './latest-map.ts';

/** What this process published last, or found to be there, by message key. */
export interface PublishedTimes {
  isOlder(key: string, time: string): boolean;
  record(key: string, time: string, what: 'snapshot' | 'removal'): void;
  /** The last of it was a removal. */
  isRemoved(key: string): boolean;
}

/** At most so many keys are remembered, the latest. */
const maxKeys = 10_000;

export function createPublishedTimes(): PublishedTimes {
  const published = createLatestMap<{ readonly time: number; readonly removed: boolean }>(maxKeys);
  return {
    isOlder: (key, time) => Date.parse(time) < (published.get(key)?.time ?? -Infinity),
    record: (key, text, what) => {
      const time = Date.parse(text);
      const last = published.get(key);
      published.set(key, last !== undefined && time < last.time ? last : { time, removed: what === 'removal' });
    },
    isRemoved: (key) => published.get(key)?.removed === true,
  };
}
