import { createHash } from 'node:crypto';
import { documentSchemaVersion } from './document.ts';
import { SinkError } from './errors.ts';
import { createItemEncoder, describeType } from './item-encoder.ts';
import { formatScope } from './scope.ts';
import { sealSnapshot } from './seal-snapshot.ts';
import type { InventorySnapshot, Item, Scope } from './snapshot.ts';
import { checkCount, checkIncompleteTargets, checkScope, checkTime } from './snapshot-input.ts';
import { showText } from './show-value.ts';

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
 */
export function parseDocument(data: Uint8Array | string): InventoryDocument {
  const raw = parseJson(typeof data === 'string' ? data : decode(data));
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return refuse(`The document is ${describeType(raw)}; expected a JSON object.`);
  const document = checkDocument(raw as Record<string, unknown>);
  const checksum = checksumOf(document);
  if (document.partTotal === undefined) checkChecksum(document, checksum);
  return document;
}

/**
 * The whole document that parts make up, in any order; a part that came twice counts once. Missing, foreign and contradicting parts are
 * SNAPSHOT_INVALID, and so are items that do not have the checksum.
 */
export function joinParts(documents: Iterable<InventoryDocument>): InventoryDocument {
  const [first, ...others] = documents;
  if (first === undefined) return refuse('There is no document to join; expected every part of one snapshot.');
  const total = first.partTotal ?? 1;
  const parts = new Map([[first.partIndex ?? 0, first]]);
  for (const part of others) {
    refuseForeign(first, part);
    const index = part.partIndex ?? 0;
    const known = parts.get(index);
    if (known === undefined) parts.set(index, part);
    else if (checksumOf(known) !== checksumOf(part))
      refuse(`Part ${index} of inventory ${formatScope(first)} came twice with different items; read both again.`);
  }
  const missing = Array.from({ length: total }, (_, index) => index).filter((index) => !parts.has(index));
  if (missing.length > 0) {
    const named = missing.slice(0, 10).join(', ') + (missing.length > 10 ? ', …' : '');
    refuse(
      `Inventory ${formatScope(first)} lacks ${missing.length} of ${total} parts (partIndex ${named}); read them too.`,
    );
  }
  const items = [...parts].sort(([a], [b]) => a - b).flatMap(([, part]) => part.items);
  const { partIndex: _index, partTotal: _total, ...whole } = first;
  const joined = { ...whole, itemCount: items.length, items };
  checkChecksum(joined, checksumOf(joined));
  return joined;
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

function decode(data: Uint8Array): string {
  try {
    // A byte order mark stays in, for JSON.parse to refuse.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return refuse('The document is not valid UTF-8; expected the bytes as they were written.');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the text, which is row data.
    return refuse(
      `The document is not valid JSON (${text.length} characters); expected it whole and as it was written.`,
    );
  }
}

function checkDocument(raw: Record<string, unknown>): InventoryDocument {
  const { schemaVersion, checksum, items } = raw;
  if (schemaVersion !== documentSchemaVersion) {
    const found = typeof schemaVersion === 'string' ? showText(schemaVersion) : describeType(schemaVersion);
    return refuse(`The document's schemaVersion is ${found}; expected "${documentSchemaVersion}".`);
  }
  if (typeof checksum !== 'string' || !/^[0-9a-f]{64}$/.test(checksum)) {
    return refuse(
      `The document's checksum is ${typeof checksum === 'string' ? 'another text' : describeType(checksum)}; expected 64 lower-case hex digits.`,
    );
  }
  if (!Array.isArray(items)) return refuse(`The document's items is ${describeType(items)}; expected an array.`);
  const itemCount = checkCount('itemCount', raw['itemCount'], 'read');
  if (itemCount !== items.length)
    refuse(`The document's itemCount is ${itemCount}; expected ${items.length}, the number of its items.`);
  return {
    schemaVersion,
    ...checkScope(raw, 'read'),
    generation: checkCount('generation', raw['generation'], 'read'),
    checksum,
    ...checkPart(raw),
    itemCount,
    exportedAt: checkTime(raw['exportedAt'], 'read'),
    ...(raw['incompleteTargets'] === undefined
      ? undefined
      : { incompleteTargets: checkIncompleteTargets(raw['incompleteTargets'], false, 'read') }),
    items: items as readonly Item[],
  };
}

function checkPart(raw: Record<string, unknown>): { partIndex: number; partTotal: number } | undefined {
  if (raw['partIndex'] === undefined && raw['partTotal'] === undefined) return undefined;
  const partIndex = checkCount('partIndex', raw['partIndex'], 'read');
  const partTotal = checkCount('partTotal', raw['partTotal'], 'read');
  if (partTotal < 2) refuse(`The document's partTotal is ${partTotal}; expected 2 or more, or no part fields at all.`);
  if (partIndex >= partTotal)
    refuse(`The document's partIndex is ${partIndex}; expected less than its partTotal, ${partTotal}.`);
  return { partIndex, partTotal };
}

/** Checks every item on the way: what JSON.parse had to round, such as an integer beyond 2^53, is refused here. */
function checksumOf(document: InventoryDocument): string {
  const encoder = createItemEncoder({ scope: document, operation: 'read' });
  const hash = createHash('sha256').update('[');
  for (const [index, item] of document.items.entries()) {
    if (index > 0) hash.update(',');
    hash.update(encoder.encode(item, index).json);
  }
  return hash.update(']').digest('hex');
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
