import { itemBytes, itemChunks } from '../snapshot/chunks.ts';
import { anyValue, checkOptions, required } from '../errors/check-options.ts';
import { SinkError } from '../errors/errors.ts';
import { formatScope } from '../snapshot/scope.ts';
import { requireSealed } from '../snapshot/sealed-snapshot.ts';
import { showValue } from '../errors/show-value.ts';
import { jsonLength } from '../snapshot/sealed-item.ts';
import type { InventorySnapshot, SealedItem } from '../snapshot/snapshot.ts';

/** The version of the document format that this package writes and reads. */
export const documentSchemaVersion = 'kollect.dev/v1alpha1';

/** One document of a snapshot: all of it, or one part where it was split. Canonical JSON (RFC 8785), UTF-8. */
export interface DocumentPart {
  /** From 0. */
  readonly partIndex: number;
  /** 1 for a whole document, which itself says nothing of parts. */
  readonly partTotal: number;
  readonly itemCount: number;
  /** Exact size, known before anything is serialised. */
  readonly byteLength: number;
  /** The document in copies of 256 KiB, of which the last may be shorter. */
  chunks(): Iterable<Uint8Array>;
  /** The document in one copy. */
  bytes(): Uint8Array;
}

/** The snapshot as one document, however large. */
export function wholeDocument(snapshot: InventorySnapshot): DocumentPart {
  requireSealed(snapshot, 'export');
  const { items } = snapshot;
  return documentPart(snapshot, { items, itemsByteLength: snapshot.itemsByteLength - 2, partIndex: 0, partTotal: 1 });
}

/**
 * The snapshot in as few documents of at most `maxBytes` each as its order allows, all with the checksum of the whole and none splitting an
 * item. PAYLOAD_TOO_LARGE where one item does not fit.
 */
export function splitDocument(
  snapshot: InventorySnapshot,
  options: { readonly maxBytes: number },
): readonly DocumentPart[] {
  const subject = { of: 'The options of splitDocument', code: 'CONTRACT_VIOLATION', operation: 'export' } as const;
  const { maxBytes } = checkOptions(options, { maxBytes: required(anyValue) }, subject);
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new SinkError(
      'CONTRACT_VIOLATION',
      `splitDocument needs maxBytes as a positive integer; found ${showValue(maxBytes, { secret: false })}.`,
    );
  }
  const whole = wholeDocument(snapshot);
  if (whole.byteLength <= maxBytes) return [whole];
  const sizes = Float64Array.from(snapshot.items, jsonLength);
  // How many digits partTotal has decides what fits into a part, so one more is tried until it is enough.
  for (let digits = 1; ; digits++) {
    const ranges = fillParts(snapshot, sizes, maxBytes, digits);
    if (String(ranges.length).length > digits) continue;
    return ranges.map(({ start, end, itemsByteLength }, partIndex) =>
      documentPart(snapshot, {
        items: snapshot.items.slice(start, end),
        itemsByteLength,
        partIndex,
        partTotal: ranges.length,
      }),
    );
  }
}

interface PartRange {
  readonly start: number;
  readonly end: number;
  /** Items and the commas between them. */
  readonly itemsByteLength: number;
}

function fillParts(snapshot: InventorySnapshot, sizes: Float64Array, maxBytes: number, digits: number): PartRange[] {
  const partTotal = 10 ** digits - 1;
  const envelope = Buffer.byteLength(head(snapshot, 0)) - 1;
  const ranges: PartRange[] = [];
  let start = 0;
  do {
    const fixed = envelope + tail(ranges.length, partTotal).length;
    let end = start;
    let used = 0;
    for (; end < sizes.length; end++) {
      const next = used + (sizes[end] as number) + (end > start ? 1 : 0);
      if (fixed + String(end - start + 1).length + next > maxBytes) break;
      used = next;
    }
    if (end === start) refuseTooLarge(snapshot, snapshot.items[start], fixed + 1, maxBytes);
    ranges.push({ start, end, itemsByteLength: used });
    start = end;
  } while (start < sizes.length);
  return ranges;
}

function refuseTooLarge(
  snapshot: InventorySnapshot,
  item: SealedItem | undefined,
  envelope: number,
  maxBytes: number,
): never {
  const inventory = `Inventory ${formatScope(snapshot)}`;
  const limit = `a document may have ${maxBytes} bytes`;
  if (item === undefined)
    throw new SinkError(
      'PAYLOAD_TOO_LARGE',
      `${inventory}: a document without items has ${envelope} bytes, and ${limit}: raise the limit.`,
    );
  const size = item.json.byteLength;
  const name = `${item.kind} ${item.namespace === '' ? '' : `${item.namespace}/`}${item.name} (uid ${item.uid})`;
  throw new SinkError(
    'PAYLOAD_TOO_LARGE',
    `${inventory}: ${name} has ${size} bytes, ${envelope + size} with its envelope, and ${limit}: raise the limit or collect fewer attributes.`,
  );
}

interface PartContent {
  readonly items: readonly SealedItem[];
  readonly itemsByteLength: number;
  readonly partIndex: number;
  readonly partTotal: number;
}

function documentPart(
  snapshot: InventorySnapshot,
  { items, itemsByteLength, partIndex, partTotal }: PartContent,
): DocumentPart {
  const itemCount = items.length;
  const content = { head: head(snapshot, itemCount), items, tail: tail(partIndex, partTotal) };
  const byteLength = Buffer.byteLength(content.head) + itemsByteLength + content.tail.length;
  return Object.freeze({
    partIndex,
    partTotal,
    itemCount,
    byteLength,
    chunks: () => itemChunks({ ...content, byteLength }),
    bytes: () => itemBytes({ ...content, byteLength }),
  });
}

/** The fields that sort before `items`, in their canonical order; JSON.stringify writes texts and integers as RFC 8785 does. */
function head(snapshot: InventorySnapshot, itemCount: number): string {
  const { checksum, cluster, exportedAt, generation, incompleteTargets, inventoryName, inventoryNamespace } = snapshot;
  const fields = {
    checksum,
    ...(cluster === undefined ? undefined : { cluster }),
    exportedAt,
    generation,
    ...(incompleteTargets.length === 0 ? undefined : { incompleteTargets }),
    inventoryName,
    inventoryNamespace,
    itemCount,
  };
  return `${JSON.stringify(fields).slice(0, -1)},"items":[`;
}

/** The fields that sort after `items`. */
function tail(partIndex: number, partTotal: number): string {
  const parts = partTotal === 1 ? '' : `"partIndex":${partIndex},"partTotal":${partTotal},`;
  return `],${parts}"schemaVersion":"${documentSchemaVersion}"}`;
}
