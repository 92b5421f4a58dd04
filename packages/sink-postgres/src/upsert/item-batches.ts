import { formatGvk, type SealedItem } from '@kollect/core';
import { binaryArray, binaryUuidArray } from '../wire/binary-format.ts';
import { batchDigests } from './row-digests.ts';

const batchRows = 1_000;
const batchBytes = 8 * 1024 * 1024;

/** The items of a batch as rows, from parameters that begin at `$first`. */
export const itemRows = (first: number): string => {
  const types = ['text', 'text', 'text', 'jsonb', 'uuid'].map((type, index) => `$${String(first + index)}::${type}[]`);
  return `unnest(${types.join(', ')})`;
};

/** At most a thousand items and eight MiB at a time; a larger item goes alone. */
export function* batches(items: Iterable<SealedItem>): Generator<readonly SealedItem[]> {
  let batch: SealedItem[] = [];
  let bytes = 0;
  for (const item of items) {
    const { length } = item.json;
    if (batch.length === batchRows || (batch.length > 0 && bytes + length > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}

/** A batch as the arrays that `itemRows` takes. */
export function batchParameters(batch: readonly SealedItem[]): readonly Buffer[] {
  const gvkOf = gvkNames();
  return [
    binaryArray(
      'text',
      batch.map(({ targetName }) => targetName),
    ),
    binaryArray(
      'text',
      batch.map(({ uid }) => uid),
    ),
    binaryArray('text', batch.map(gvkOf)),
    binaryArray(
      'jsonb',
      batch.map(({ json }) => json),
    ),
    binaryUuidArray(batchDigests(batch)),
  ];
}

/** Inventories hold few kinds and many items: each name is made once. */
export function gvkNames(): (item: SealedItem) => string {
  const names = new Map<string, string>();
  return (item) => {
    const key = `${item.kind}/${item.version}/${item.group ?? ''}`;
    let name = names.get(key);
    if (name === undefined) {
      name = formatGvk(item);
      names.set(key, name);
    }
    return name;
  };
}
