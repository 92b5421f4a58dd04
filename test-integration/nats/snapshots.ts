import { sealSnapshot, type InventorySnapshot, type Item, type SnapshotInput } from '@kollect/core';
import { makeItems } from '@kollect/sink-testkit';

// Some minutes ago, so that a test may go on from there.
const start = Date.now() - 3_600_000;

/** RFC 3339, so many seconds after a fixed time. */
export function timeAt(seconds: number): string {
  return new Date(start + seconds * 1_000).toISOString();
}

/** A snapshot of `team-a/web` in cluster `prod`, at so many seconds of `timeAt`; the same seed gives the same items. */
export function snapshotAt(
  seconds: number,
  { count = 3, seed = 1, bytes = 0 }: { readonly count?: number; readonly seed?: number; readonly bytes?: number } = {},
  input: Partial<SnapshotInput> = {},
): Promise<InventorySnapshot> {
  const items: readonly Item[] = makeItems({ count, seed, bytes });
  return sealSnapshot({
    cluster: 'prod',
    inventoryNamespace: 'team-a',
    inventoryName: 'web',
    generation: 1,
    exportedAt: timeAt(seconds),
    items,
    ...input,
  });
}

/** A signal that ends what hangs, so that a test fails with words and not with a timeout of jest. */
export function limit(ms = 25_000): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(ms) };
}
