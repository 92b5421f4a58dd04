import { createHash, hash as hashAtOnce } from 'node:crypto';
import { aBoolean, aSignal, checkOptions, type OptionKinds } from '../errors/check-options.ts';
import { itemBytes, itemChunks } from './chunks.ts';
import { SinkError } from '../errors/errors.ts';
import { hashRuns } from './hash-runs.ts';
import { refuseAmbiguousTargets } from './incomplete-targets.ts';
import { createItemEncoder, describeItem } from './item-encoder.ts';
import { readAll } from './read-all.ts';
import { formatScope } from './scope.ts';
import { PooledItem } from './sealed-item.ts';
import type { InventorySnapshot, Item, Scope, SealedItem } from './snapshot.ts';
import { showText } from '../errors/show-value.ts';
import { checkSnapshotInput } from './snapshot-input.ts';
import { sortItems } from './sort-items.ts';
import { createTimeSlices, type TimeSlices } from '../time-slices.ts';

/** One scope with all its items, as the operator holds them. */
export interface SnapshotInput extends Scope {
  /** `metadata.generation` of the inventory's resource: a safe integer, 0 or more. */
  readonly generation: number;
  /** RFC 3339 with any offset, or a Date; now by default. Kept as UTC with milliseconds. */
  readonly exportedAt?: string | Date;
  /** Read once. Each item is copied at one moment: nothing of it may be mended while sealing runs, and nothing done to it later matters. */
  readonly items: Iterable<Item>;
  /** Targets whose listing was cut short, `namespace/name` or the bare name: their items are upserted and never deleted. */
  readonly incompleteTargets?: readonly string[];
}

export interface SealOptions {
  /**
   * Replaces what would be refused because of the data: U+0000 and lone surrogates become U+FFFD, in keys too, and numbers that JSON cannot
   * carry exactly (NaN, infinities, integers beyond 2^53) become null. What code got wrong is refused all the same. Default false.
   */
  readonly sanitize?: boolean;
  /** Ends sealing with ABORTED at the next pause. */
  readonly signal?: AbortSignal;
}

/** Up to so many bytes one call is cheaper than a hash that is fed. */
const hashedAtOnce = 64 * 1024;

const sealKinds: OptionKinds<SealOptions> = { sanitize: aBoolean, signal: aSignal };

/**
 * Validates, orders, canonicalises and hashes the items of one scope, giving way to the event loop every ten milliseconds.
 * Properties that are `undefined` are left out, as JSON.stringify does; what JSON cannot carry is SNAPSHOT_INVALID with item and path.
 */
export async function sealSnapshot(input: SnapshotInput, given?: SealOptions): Promise<InventorySnapshot> {
  const options = checkOptions<SealOptions>(given, sealKinds, { of: 'The options of sealSnapshot', operation: 'seal' });
  const slices = createTimeSlices({ signal: options.signal, operation: 'seal' });
  const { header, items } = checkSnapshotInput(input, options);
  const { copied, byteLength } = await copyItems(header, items, slices, options);
  refuseAmbiguousTargets(header, header.incompleteTargets, copied);
  await refuseDuplicates(header, copied, slices);
  const sorted = await sortItems(copied, slices);
  const checksum =
    byteLength > hashedAtOnce ? await hashRuns(sorted, slices) : await hashItems(sorted, byteLength, slices);
  return Object.freeze({ ...header, checksum, items: Object.freeze(sorted), itemsByteLength: byteLength });
}

interface CopiedItems {
  readonly copied: PooledItem[];
  /** Of the canonical `items` array, brackets and commas included. */
  readonly byteLength: number;
}

async function copyItems(
  scope: Scope,
  items: Iterable<unknown>,
  slices: TimeSlices,
  { sanitize }: SealOptions,
): Promise<CopiedItems> {
  const encoder = createItemEncoder({ scope, operation: 'seal', sanitize });
  const copied: PooledItem[] = [];
  let jsonBytes = 0;
  for (const item of readAll(items, "The snapshot input's items")) {
    const made = encoder.toItem(item, copied.length);
    copied.push(made);
    jsonBytes += PooledItem.sizeOf(made);
    if (slices.due()) await slices.next();
  }
  return { copied, byteLength: 2 + jsonBytes + Math.max(0, copied.length - 1) };
}

async function refuseDuplicates(scope: Scope, items: readonly PooledItem[], slices: TimeSlices): Promise<void> {
  if (items.length < 2) return;
  const byTarget = new Map<string, Map<string, number>>();
  for (const [index, item] of items.entries()) {
    let seen = byTarget.get(item.targetName);
    if (seen === undefined) byTarget.set(item.targetName, (seen = new Map()));
    const first = seen.get(item.uid);
    if (first !== undefined) {
      throw new SinkError(
        'SNAPSHOT_INVALID',
        `Inventory ${formatScope(scope)}: ${describeItem(items[first], first)} and ${describeItem(item, index)} both have uid ${showText(item.uid)} ` +
          `in target ${showText(item.targetName)}: give each object once per target.`,
        { operation: 'seal' },
      );
    }
    seen.set(item.uid, index);
    if (index % 256 === 0 && slices.due()) await slices.next();
  }
}

/** The checksum of items in canonical order, whose array has so many bytes. */
export async function hashItems(items: readonly SealedItem[], byteLength: number, slices: TimeSlices): Promise<string> {
  if (byteLength <= hashedAtOnce)
    return hashAtOnce('sha256', itemBytes({ head: '[', items, tail: ']', byteLength, reuse: true }));
  const hash = createHash('sha256');
  for (const chunk of itemChunks({ head: '[', items, tail: ']', byteLength, reuse: true })) {
    hash.update(chunk);
    if (slices.due()) await slices.next();
  }
  return hash.digest('hex');
}
