import type { Scope } from '../../contract/snapshot/snapshot.ts';

/** What this process published last of each scope: Kafka itself cannot be asked. */
export interface PublishedTimes {
  isOlder(scope: Scope, time: string): boolean;
  record(scope: Scope, time: string, what: 'snapshot' | 'removal'): void;
  /** The last of it was a removal. */
  isRemoved(scope: Scope): boolean;
}

/** At most so many scopes are remembered, the latest. */
const maxScopes = 10_000;

export function createPublishedTimes(): PublishedTimes {
  const published = new Map<string, { readonly time: number; readonly removed: boolean }>();
  const latest = (key: string): number => published.get(key)?.time ?? -Infinity;
  return {
    isOlder: (scope, time) => Date.parse(time) < latest(keyOf(scope)),
    record: (scope, text, what) => {
      const key = keyOf(scope);
      const time = Date.parse(text);
      const newest = time < latest(key) ? published.get(key) : { time, removed: what === 'removal' };
      // Taken out first, so that the map holds the oldest first.
      published.delete(key);
      if (newest !== undefined) published.set(key, newest);
      const [oldest] = published.keys();
      if (published.size > maxScopes && oldest !== undefined) published.delete(oldest);
    },
    isRemoved: (scope) => published.get(keyOf(scope))?.removed === true,
  };
}

/** `formatScope` is for people: names with a colon or a slash in them could share one. */
function keyOf({ cluster, inventoryNamespace, inventoryName }: Scope): string {
  return JSON.stringify([cluster ?? '', inventoryNamespace, inventoryName]);
}
