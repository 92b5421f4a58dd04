import { sealSnapshot, wholeDocument, splitDocument, type InventorySnapshot } from '@kollect/core';
import { makeItems } from '@kollect/sink-testkit';
import { nextMoment } from '../measure/moments.ts';
import type { BenchCase } from './cases.ts';

/** What an item's document takes beside its attributes. */
const identityBytes = 330;
const attributeBytes = 420;

/** The snapshots of a case, sealed now: each call is newer than the one before. */
export async function sealSnapshots({ inventories, snapshotBytes }: BenchCase): Promise<InventorySnapshot[]> {
  const snapshots: InventorySnapshot[] = [];
  const few = snapshotBytes < 10_000;
  const count = few ? 1 : Math.max(1, Math.floor(snapshotBytes / 800));
  const bytes = few ? Math.max(1, snapshotBytes - identityBytes - 350) : attributeBytes;
  for (let index = 0; index < inventories; index += 1) {
    const items = makeItems({ count, seed: index + 1, bytes });
    snapshots.push(
      await sealSnapshot({
        cluster: 'bench',
        inventoryNamespace: 'platform',
        inventoryName: `inventory-${index}`,
        generation: 1,
        exportedAt: nextMoment(),
        items,
      }),
    );
  }
  return snapshots;
}

/** The documents that the snapshots are sent as. */
export function documentsOf(snapshots: readonly InventorySnapshot[], { maxMessageBytes }: BenchCase): Buffer[] {
  // Room for key, headers and the batch around them.
  const maxBytes = maxMessageBytes - 1_024;
  return snapshots.flatMap((snapshot) => {
    const whole = wholeDocument(snapshot);
    const parts = whole.byteLength <= maxBytes ? [whole] : splitDocument(snapshot, { maxBytes });
    return parts.map((part) => Buffer.from(part.bytes()));
  });
}
