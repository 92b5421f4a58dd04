import type { Scope } from '../../contract/snapshot/snapshot.ts';
import { createLatestMap } from './latest-map.ts';

/** What this process published last of each scope, where nobody else can be asked. */
export interface PublishedTimes {
  isOlder(scope: Scope, time: string): boolean;
  record(scope: Scope, time: string, what: 'snapshot' | 'removal'): void;
  /** The last of it was a removal. */
  isRemoved(scope: Scope): boolean;
}

/** At most so many scopes are remembered, the latest. */
const maxScopes = 10_000;

export function createPublishedTimes(): PublishedTimes {
  const published = createLatestMap<{ readonly time: number; readonly removed: boolean }>(maxScopes);
  return {
    isOlder: (scope, time) => Date.parse(time) < (published.get(keyOf(scope))?.time ?? -Infinity),
    record: (scope, text, what) => {
      const key = keyOf(scope);
      const time = Date.parse(text);
      const last = published.get(key);
      published.set(key, last !== undefined && time < last.time ? last : { time, removed: what === 'removal' });
    },
    isRemoved: (scope) => published.get(keyOf(scope))?.removed === true,
  };
}

/** `formatScope` is for people: names with a colon or a slash in them could share one. */
function keyOf({ cluster, inventoryNamespace, inventoryName }: Scope): string {
  return JSON.stringify([cluster ?? '', inventoryNamespace, inventoryName]);
}
