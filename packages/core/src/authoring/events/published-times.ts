import type { Scope } from '../../contract/snapshot.ts';

/** What this process published last of each scope: Kafka itself cannot be asked. */
export interface PublishedTimes {
  isOlder(scope: Scope, time: string): boolean;
  record(scope: Scope, time: string): void;
}

/** At most so many scopes are remembered, the latest. */
const maxScopes = 10_000;

export function createPublishedTimes(): PublishedTimes {
  const times = new Map<string, number>();
  return {
    isOlder: (scope, time) => Date.parse(time) < (times.get(keyOf(scope)) ?? -Infinity),
    record: (scope, time) => {
      const key = keyOf(scope);
      const latest = Math.max(Date.parse(time), times.get(key) ?? -Infinity);
      // Taken out first, so that the map holds the oldest first.
      times.delete(key);
      times.set(key, latest);
      const [oldest] = times.keys();
      if (times.size > maxScopes && oldest !== undefined) times.delete(oldest);
    },
  };
}

/** `formatScope` is for people: names with a colon or a slash in them could share one. */
function keyOf({ cluster, inventoryNamespace, inventoryName }: Scope): string {
  return JSON.stringify([cluster ?? '', inventoryNamespace, inventoryName]);
}
