import type { InventorySnapshot } from '@kollect/core';
import {
  binaryBigint,
  binaryTimestamptz,
  copyHeader,
  copyRowPrefix,
  copyTrailer,
  encodedLength,
  writeValue,
  type BinaryValue,
} from '../wire/binary-format.ts';
import { createTimeSlice } from '../wire/time-slice.ts';
import { scopeValues } from './fence.ts';
import { gvkNames } from './item-batches.ts';
import { digestLength, writeRowDigest } from './row-digests.ts';

const scopeColumns = ['cluster', 'inventory_namespace', 'inventory_name', 'generation', 'exported_at'];
const itemColumns = ['target_name', 'source_uid', 'gvk', 'payload', 'row_digest'];

/** What every row is written with, in this order. */
export const writtenColumns = [...scopeColumns, ...itemColumns].join(', ');

const chunkBytes = 64 * 1024;

/** A binary COPY of the whole snapshot in chunks of about 64 KiB. */
export async function* copyChunks(snapshot: InventorySnapshot, traffic: { bytes: number }): AsyncGenerator<Buffer> {
  const prefix = copyRowPrefix(scopeColumns.length + itemColumns.length, [
    ...scopeValues(snapshot),
    binaryBigint(snapshot.generation),
    binaryTimestamptz(Date.parse(snapshot.exportedAt)),
  ]);
  const gvkOf = gvkNames();
  const slice = createTimeSlice();
  let chunk = Buffer.allocUnsafe(chunkBytes);
  let at = copyHeader.copy(chunk);
  const flush = (): Buffer => {
    traffic.bytes += at;
    return chunk.subarray(0, at);
  };
  for (const item of snapshot.items) {
    const json = item.json;
    const values: readonly BinaryValue[] = [item.targetName, item.uid, gvkOf(item)];
    const atMost =
      prefix.length + values.reduce((length, value) => length + encodedLength(value), 0) + encodedLength(json) + 20;
    if (at + atMost > chunk.length) {
      yield flush();
      if (slice.due()) await slice.rest();
      chunk = Buffer.allocUnsafe(Math.max(chunkBytes, atMost));
      at = 0;
    }
    at += prefix.copy(chunk, at);
    for (const value of values) at = writeValue(chunk, at, value, 0);
    at = writeValue(chunk, at, json, 1);
    at = chunk.writeInt32BE(digestLength, at);
    writeRowDigest(item, chunk, at);
    at += digestLength;
  }
  yield flush();
  traffic.bytes += copyTrailer.length;
  yield copyTrailer;
}
