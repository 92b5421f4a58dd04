import { createHash } from 'node:crypto';
import { itemChunks } from '../snapshot/chunks.ts';
import { readEnvelope, stepBytes } from './document-envelope.ts';
import { documentSchemaVersion } from './document.ts';
import { SinkError } from '../errors/errors.ts';
import { createItemEncoder, describeType } from '../snapshot/item-encoder.ts';
import { readItems } from './read-items.ts';
import { formatScope } from '../snapshot/scope.ts';
import { sealSnapshot } from '../snapshot/seal-snapshot.ts';
import type { InventorySnapshot, Item, Scope, SealedItem } from '../snapshot/snapshot.ts';
import { checkCount, checkIncompleteTargets, checkScope, checkTime } from '../snapshot/snapshot-input.ts';
import { showText } from '../errors/show-value.ts';
import { runInSlices, runSteps, type Steps } from '../steps.ts';
import { isWellFormed } from '../json/text.ts';
import { createTimeSlices } from '../time-slices.ts';

/** What a document says, once it was read and verified. */
export interface InventoryDocument extends Scope {
  readonly schemaVersion: typeof documentSchemaVersion;
  readonly generation: number;
  /** Of the whole snapshot's canonical `items`, also in a part. */
  readonly checksum: string;
  /** From 0; absent in a whole document. */
  readonly partIndex?: number;
  readonly partTotal?: number;
  /** Items in this document. */
  readonly itemCount: number;
  readonly exportedAt: string;
  readonly incompleteTargets?: readonly string[];
  readonly items: readonly Item[];
}

/**
 * Reads one document: UTF-8 or text. Checks every field, and the checksum of a whole document; of a part, `joinParts` checks it.
 * Fields that the format does not know are dropped. SNAPSHOT_INVALID names the field, what was expected and what was found.
 * Takes the bytes once again and some 250 bytes an item: attributes are parsed anew at each access. An item that is not canonical JSON may have 64 MiB.
 */
export function parseDocument(data: Uint8Array | string): InventoryDocument {
  return runSteps(readDocument(data, maxRowItemBytes));
}

/** `parseDocument` for documents of others: gives way to the event loop every ten milliseconds; an item that is not canonical JSON may have 1 MiB. ABORTED once the signal fires. */
export function parseDocumentInSlices(
  data: Uint8Array | string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<InventoryDocument> {
  return inSlices(() => readDocument(data, maxMessageItemBytes), signal);
}

/**
 * The whole document that parts make up, in any order; a part that came twice counts once. Missing, foreign and contradicting parts are
 * SNAPSHOT_INVALID, and so are items that do not have the checksum.
 */
export function joinParts(documents: Iterable<InventoryDocument>): InventoryDocument {
  return runSteps(joinDocuments(documents));
}

/** `joinParts` for large documents: gives way to the event loop every ten milliseconds. ABORTED once the signal fires. */
export function joinPartsInSlices(
  documents: Iterable<InventoryDocument>,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<InventoryDocument> {
  return inSlices(() => joinDocuments(documents), signal);
}

async function inSlices<T>(begin: () => Steps<T>, signal: AbortSignal | undefined): Promise<T> {
  return runInSlices(begin(), createTimeSlices({ signal, operation: 'read' }));
}

/** The snapshot that a whole document was made of. SNAPSHOT_INVALID for a part, and where its items do not have the checksum. */
export async function snapshotFromDocument(document: InventoryDocument): Promise<InventorySnapshot> {
  const { cluster, inventoryNamespace, inventoryName, generation, exportedAt, items, incompleteTargets, partTotal } =
    document;
  if (partTotal !== undefined) {
    refuse(
      `The document is part ${document.partIndex ?? 0} of ${partTotal} of inventory ${formatScope(document)}; join all parts first.`,
    );
  }
  const snapshot = await sealSnapshot({
    ...(cluster === undefined ? undefined : { cluster }),
    ...(incompleteTargets === undefined ? undefined : { incompleteTargets }),
    inventoryNamespace,
    inventoryName,
    generation,
    exportedAt,
    items,
  });
  checkChecksum(document, snapshot.checksum);
  return snapshot;
}

/** An item that is not canonical JSON: it is parsed at one go, and may take many times its bytes. */
const maxMessageItemBytes = 1024 * 1024;
/** A row of jsonb is never canonical, and the caller holds the whole of it already. */
const maxRowItemBytes = 64 * 1024 * 1024;

function* readDocument(data: Uint8Array | string, maxLooseBytes: number): Steps<InventoryDocument> {
  const bytes = bytesOf(data);
  const { fields, items: found } = yield* readEnvelope(bytes);
  const header = checkHeader(fields);
  if (typeof found === 'string') return refuse(`The document's items is ${found}; expected an array.`);
  if (header.itemCount !== found.count)
    refuse(`The document's itemCount is ${header.itemCount}; expected ${found.count}, the number of its items.`);
  const { items, end, canonical } = yield* readItems(bytes, { ...found, maxLooseBytes }, header);
  const document = { ...header, items };
  if (document.partTotal === undefined) {
    const checksum = canonical ? yield* hashBytes(bytes.subarray(found.start, end)) : yield* hashItems(document);
    checkChecksum(document, checksum);
  }
  return document;
}

function bytesOf(data: Uint8Array | string): Buffer {
  if (typeof data !== 'string') return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  // Else U+FFFD would silently stand in its place.
  if (!isWellFormed(data)) refuse('The document holds half of a surrogate pair, which is no character.');
  return Buffer.from(data);
}

function* joinDocuments(documents: Iterable<InventoryDocument>): Steps<InventoryDocument> {
  const [first, ...others] = documents;
  if (first === undefined) return refuse('There is no document to join; expected every part of one snapshot.');
  const total = first.partTotal ?? 1;
  const parts = new Map([[first.partIndex ?? 0, first]]);
  for (const part of others) {
    refuseForeign(first, part);
    const index = part.partIndex ?? 0;
    const known = parts.get(index);
    if (known === undefined) parts.set(index, part);
    else if ((yield* hashItems(known)) !== (yield* hashItems(part)))
      refuse(`Part ${index} of inventory ${formatScope(first)} came twice with different items; read both again.`);
  }
  if (parts.size < total) {
    const missing = total - parts.size;
    const named = firstMissing(parts, Math.min(missing, 10)).join(', ') + (missing > 10 ? ', …' : '');
    refuse(`Inventory ${formatScope(first)} lacks ${missing} of ${total} parts (partIndex ${named}); read them too.`);
  }
  const items: Item[] = [];
  for (const [, part] of [...parts].sort(([a], [b]) => a - b)) {
    for (const item of part.items) items.push(item);
    yield;
  }
  const { partIndex: _index, partTotal: _total, ...whole } = first;
  const joined = { ...whole, itemCount: items.length, items };
  checkChecksum(joined, yield* hashItems(joined));
  return joined;
}

/** The lowest ones. Looks at no more numbers than there are parts: the total is what somebody said. */
function firstMissing(parts: ReadonlyMap<number, unknown>, count: number): number[] {
  const missing: number[] = [];
  for (let index = 0; missing.length < count; index++) if (!parts.has(index)) missing.push(index);
  return missing;
}

function checkHeader(raw: Readonly<Record<string, unknown>>): Omit<InventoryDocument, 'items'> {
  const { schemaVersion, checksum } = raw;
  if (schemaVersion !== documentSchemaVersion) {
    const found = typeof schemaVersion === 'string' ? showText(schemaVersion) : describeType(schemaVersion);
    return refuse(`The document's schemaVersion is ${found}; expected "${documentSchemaVersion}".`);
  }
  if (typeof checksum !== 'string' || !/^[0-9a-f]{64}$/.test(checksum)) {
    return refuse(
      `The document's checksum is ${typeof checksum === 'string' ? 'another text' : describeType(checksum)}; expected 64 lower-case hex digits.`,
    );
  }
  return {
    schemaVersion,
    ...checkScope(raw, 'read'),
    generation: checkCount('generation', raw['generation'], 'read'),
    checksum,
    ...checkPart(raw),
    itemCount: checkCount('itemCount', raw['itemCount'], 'read'),
    exportedAt: checkTime(raw['exportedAt'], 'read'),
    ...(raw['incompleteTargets'] === undefined
      ? undefined
      : { incompleteTargets: checkIncompleteTargets(raw['incompleteTargets'], false, 'read') }),
  };
}

function checkPart(raw: Readonly<Record<string, unknown>>): { partIndex: number; partTotal: number } | undefined {
  if (raw['partIndex'] === undefined && raw['partTotal'] === undefined) return undefined;
  const partIndex = checkCount('partIndex', raw['partIndex'], 'read');
  const partTotal = checkCount('partTotal', raw['partTotal'], 'read');
  if (partTotal < 2) refuse(`The document's partTotal is ${partTotal}; expected 2 or more, or no part fields at all.`);
  if (partIndex >= partTotal)
    refuse(`The document's partIndex is ${partIndex}; expected less than its partTotal, ${partTotal}.`);
  return { partIndex, partTotal };
}

function* hashBytes(bytes: Uint8Array): Steps<string> {
  const hash = createHash('sha256');
  for (let start = 0; start < bytes.length; start += stepBytes) {
    hash.update(bytes.subarray(start, start + stepBytes));
    yield;
  }
  return hash.digest('hex');
}

/** Checks on the way what no item of a document is: one that a caller put in its place. */
function* hashItems(document: InventoryDocument): Steps<string> {
  const encoder = createItemEncoder({ scope: document, operation: 'read' });
  function* encoded(): Iterable<Pick<SealedItem, 'json'>> {
    for (const [index, item] of document.items.entries()) yield encoder.encode(item, index);
  }
  const hash = createHash('sha256');
  for (const chunk of itemChunks({ head: '[', items: encoded(), tail: ']', byteLength: stepBytes, reuse: true })) {
    hash.update(chunk);
    yield;
  }
  return hash.digest('hex');
}

function checkChecksum(document: InventoryDocument, computed: string): void {
  if (computed === document.checksum) return;
  refuse(
    `The checksum of inventory ${formatScope(document)} is ${document.checksum}, and its items have ${computed}; expected both to be equal: read it again.`,
  );
}

const sharedFields = [
  'cluster',
  'inventoryNamespace',
  'inventoryName',
  'generation',
  'checksum',
  'exportedAt',
  'partTotal',
] as const;

function refuseForeign(first: InventoryDocument, part: InventoryDocument): void {
  for (const field of sharedFields) {
    if (first[field] === part[field]) continue;
    refuse(
      `Part ${part.partIndex ?? 0} is of another snapshot: its ${field} is ${String(part[field])}; expected ${String(first[field])}.`,
    );
  }
  if (String(first.incompleteTargets ?? []) !== String(part.incompleteTargets ?? [])) {
    refuse(
      `Part ${part.partIndex ?? 0} is of another snapshot: its incompleteTargets differ from those of part ${first.partIndex ?? 0}.`,
    );
  }
}

function refuse(message: string): never {
  throw new SinkError('SNAPSHOT_INVALID', message, { operation: 'read' });
}
