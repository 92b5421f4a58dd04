/** NUL stands in neither part: PostgreSQL's text cannot hold it. */
export function keyOf(targetName: string, uid: string): string {
  return `${targetName}\0${uid}`;
}

/** Numbers by key. In many small maps: one of a million entries holds the event loop each time that it grows. */
export interface KeyIndex {
  add(key: string, value: number): void;
  get(key: string): number | undefined;
}

const shards = 256;

export function createKeyIndex(): KeyIndex {
  const maps = Array.from({ length: shards }, () => new Map<string, number>());
  const mapOf = (key: string): Map<string, number> | undefined => maps[shardOf(key)];
  return {
    add: (key, value) => void mapOf(key)?.set(key, value),
    get: (key) => mapOf(key)?.get(key),
  };
}

/** By the last characters, in which UIDs and counted names differ. */
function shardOf(key: string): number {
  const last = key.length - 1;
  return (key.charCodeAt(last) * 31 + key.charCodeAt(last - 1) * 17 + key.charCodeAt(last >> 1)) % shards || 0;
}
