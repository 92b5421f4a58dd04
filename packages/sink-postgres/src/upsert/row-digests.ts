import { hash } from 'node:crypto';
import type { SealedItem } from '@kollect/core';
import { createTimeSlice } from '../wire/time-slice.ts';

export const digestLength = 16;

/**
 * Writes what tells a row that must be written from one that need not: the first 16 bytes of the SHA-256 of the item's canonical JSON. Everything a
 * row holds besides follows from the item or belongs to the scope. By way of a string: a buffer for each of a million hashes costs the collector
 * of garbage more than the hashes cost.
 */
export function writeRowDigest(item: SealedItem, into: Buffer, at: number): void {
  into.write(hash('sha256', item.json, 'binary'), at, digestLength, 'latin1');
}

/** Hashed in well under a millisecond. */
const sliceBytes = 64 * 1024;

/** The digests of all items, one after another, hashed in slices. */
export async function rowDigests(items: readonly SealedItem[]): Promise<Buffer> {
  const digests = Buffer.allocUnsafe(items.length * digestLength);
  const slice = createTimeSlice();
  let hashed = 0;
  for (const [index, item] of items.entries()) {
    writeRowDigest(item, digests, index * digestLength);
    hashed += item.json.length;
    if (hashed > sliceBytes) {
      hashed = 0;
      if (slice.due()) await slice.rest();
    }
  }
  return digests;
}

/** The digests of a batch, one after another. */
export function batchDigests(items: readonly SealedItem[]): Buffer {
  const digests = Buffer.allocUnsafe(items.length * digestLength);
  for (const [index, item] of items.entries()) writeRowDigest(item, digests, index * digestLength);
  return digests;
}
