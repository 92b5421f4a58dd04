import { createHash } from 'node:crypto';
import { sealSnapshot, type SealOptions, type SnapshotInput } from './snapshot/seal-snapshot.ts';
import type { InventorySnapshot, Item } from './snapshot/snapshot.ts';

export const exportedAt = '2026-01-31T12:00:00.000Z';

/** One item that nothing is wrong with. */
export function item(changes: Partial<Record<keyof Item, unknown>> = {}): Item {
  const base = {
    targetNamespace: 'team',
    targetName: 'pods',
    namespace: 'shop',
    name: 'web',
    version: 'v1',
    kind: 'Pod',
    uid: 'u1',
    attributes: { a: 1 },
  };
  return { ...base, ...changes } as Item;
}

/** Items with distinct names and uids, in canonical order where there are at most ten. */
export function items(
  count: number,
  attributes: (index: number) => Item['attributes'] = (index) => ({ index }),
): Item[] {
  return Array.from({ length: count }, (_, index) =>
    item({ name: `web-${index}`, uid: `u${index}`, attributes: attributes(index) }),
  );
}

export function seal(
  changes: Partial<Record<keyof SnapshotInput, unknown>> = {},
  options: SealOptions = {},
): Promise<InventorySnapshot> {
  const base = { inventoryNamespace: 'team', inventoryName: 'all', generation: 1, exportedAt, items: [item()] };
  return sealSnapshot({ ...base, ...changes } as SnapshotInput, options);
}

/** Canonical JSON as RFC 8785 describes it, without a thought for speed. */
export function naiveJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(naiveJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, property]) => property !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, property]) => `${JSON.stringify(key)}:${naiveJson(property)}`).join(',')}}`;
}

const order = ['targetNamespace', 'targetName', 'namespace', 'name', 'uid', 'group', 'version', 'kind'] as const;

/** The canonical `items` array and its checksum, computed in the plainest way. */
export function naiveSeal(items: readonly Item[]): { readonly text: string; readonly checksum: string } {
  const sorted = items.toSorted((a, b) => {
    const field = order.find((name) => (a[name] ?? '') !== (b[name] ?? ''));
    return field === undefined || (a[field] ?? '') > (b[field] ?? '') ? 1 : -1;
  });
  const text = naiveJson(sorted);
  return { text, checksum: createHash('sha256').update(text).digest('hex') };
}

/** The message of the SinkError that is thrown; fails where the code or operation is another. */
export async function refusal(
  run: () => unknown,
  code = 'SNAPSHOT_INVALID',
  operation: string | null = 'seal',
): Promise<string> {
  try {
    await run();
  } catch (error) {
    const { message, ...rest } = error as Error & { code?: string; operation?: string };
    if (rest.code === code && (rest.operation ?? null) === operation) return message;
    throw error;
  }
  throw new Error(`Expected ${code}, and nothing was thrown.`);
}
