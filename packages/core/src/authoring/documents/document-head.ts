import { createHash } from 'node:crypto';
import { documentSchemaVersion } from '../../contract/document/document.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { parseTime } from '../../contract/snapshot/rfc3339.ts';
import { formatScope } from '../../contract/snapshot/scope.ts';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';
import { isPrintable } from '../../contract/json/text.ts';
import type { DocumentFile } from './document-store.ts';
import { maxHeadBytes, type RawFields } from './stored-document.ts';

/** A part as the head names it. */
export interface HeadPart {
  readonly key: string;
  readonly byteLength: number;
  readonly itemCount: number;
}

/** The fence of a scope, and what its store holds. */
export interface DocumentHead {
  readonly exportedAt: string;
  readonly generation: number;
  /** Of what is stored, carried items included. */
  readonly checksum: string;
  readonly itemCount: number;
  /** Not empty: items were carried, or may have been. Then an equal checksum of a snapshot says nothing. */
  readonly incompleteTargets: readonly string[];
  /** A tombstone: the inventory was removed at `exportedAt`. */
  readonly removed: boolean;
  /** Absent where the head holds the items itself. */
  readonly parts?: readonly HeadPart[];
}

export const maxParts = 10_000;
const maxKeyLength = 1024;
/** It is compared and never computed with: whoever writes another one gets everything written anew. */
const maxChecksumLength = 128;

/** True where the time is older than what the head stands for: equal is not older. */
export function isOlder(time: string, head: DocumentHead | undefined): boolean {
  return head !== undefined && Date.parse(time) < Date.parse(head.exportedAt);
}

/**
 * The head of a scope, checked. `damaged` makes the error for a field that is not as it must be; CONFLICT where the head is of another scope.
 */
export function readHead(raw: RawFields, scope: Scope, damaged: (problem: string) => Error): DocumentHead {
  const wrong = (field: string): Error => damaged(`its ${field} is not as this package writes it`);
  const { schemaVersion, checksum, exportedAt, generation, itemCount, incompleteTargets = [], removed = false } = raw;
  // A document says its version after its items, which are not read yet.
  if (schemaVersion !== undefined && schemaVersion !== documentSchemaVersion) throw wrong('schemaVersion');
  refuseForeign(raw, scope, wrong);
  if (typeof exportedAt !== 'string' || Number.isNaN(parseTime(exportedAt))) throw wrong('exportedAt');
  if (!isCount(generation)) throw wrong('generation');
  if (!isName(checksum) || checksum.length > maxChecksumLength) throw wrong('checksum');
  if (!isCount(itemCount)) throw wrong('itemCount');
  if (!Array.isArray(incompleteTargets) || !incompleteTargets.every(isName)) throw wrong('incompleteTargets');
  if (typeof removed !== 'boolean') throw wrong('removed');
  const parts = raw['parts'] === undefined ? undefined : readParts(raw['parts'], wrong);
  if (parts === undefined && !Array.isArray(raw['items'])) throw wrong('items');
  if (parts !== undefined && parts.reduce((sum, part) => sum + part.itemCount, 0) !== itemCount)
    throw wrong('itemCount');
  return {
    exportedAt: new Date(parseTime(exportedAt)).toISOString(),
    generation,
    checksum,
    itemCount,
    incompleteTargets,
    removed,
    ...(parts === undefined ? {} : { parts }),
  };
}

function refuseForeign(raw: RawFields, scope: Scope, wrong: (field: string) => Error): void {
  const { cluster = '', inventoryNamespace, inventoryName } = raw;
  if (typeof cluster !== 'string' || !isPrintable(cluster)) throw wrong('cluster');
  if (!isName(inventoryNamespace) || !isName(inventoryName)) throw wrong('scope');
  const ours = formatScope(scope);
  const theirs = formatScope({ cluster, inventoryNamespace, inventoryName });
  if (ours === theirs) return;
  throw new SinkError(
    'CONFLICT',
    `The place of inventory ${ours} in the store is taken by inventory ${theirs.slice(0, 300)}: give each its own prefix.`,
  );
}

function readParts(value: unknown, wrong: (field: string) => Error): readonly HeadPart[] {
  if (!Array.isArray(value) || value.length > maxParts) throw wrong('parts');
  return value.map((part: unknown) => {
    const { key, byteLength, itemCount } = Object(part) as Record<string, unknown>;
    if (!isName(key) || key.length > maxKeyLength || !isCount(byteLength) || !isCount(itemCount)) throw wrong('parts');
    return { key, byteLength, itemCount };
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && isPrintable(value);
}

const nothing = createHash('sha256').update('[]').digest('hex');

/** The tombstone of a scope, which reads as a document without items. */
export function tombstone(removedAt: string, generation: number): DocumentHead {
  return { exportedAt: removedAt, generation, checksum: nothing, itemCount: 0, incompleteTargets: [], removed: true };
}

/** What the head says of a snapshot that is stored as it is. */
export function headOf(snapshot: InventorySnapshot, parts?: readonly HeadPart[]): DocumentHead {
  const { exportedAt, generation, checksum, items, incompleteTargets } = snapshot;
  const head = { exportedAt, generation, checksum, itemCount: items.length, incompleteTargets, removed: false };
  return parts === undefined ? head : { ...head, parts };
}

/** True where both heads stand for the same state: a commit whose answer was lost is recognised by it. */
export function isSameHead(a: DocumentHead, b: DocumentHead): boolean {
  const text = ({ exportedAt, generation, checksum, removed, incompleteTargets, parts = [] }: DocumentHead): string =>
    JSON.stringify([exportedAt, generation, checksum, removed, incompleteTargets, parts.map(({ key }) => key)]);
  return text(a) === text(b);
}

/** The head as a file of its own: canonical JSON, a document whose items are elsewhere, or nowhere. */
export function headFile(key: string, scope: Scope, head: DocumentHead): DocumentFile {
  const { checksum, exportedAt, generation, incompleteTargets, itemCount, parts, removed } = head;
  const { cluster, inventoryName, inventoryNamespace } = scope;
  const text = JSON.stringify({
    checksum,
    ...(cluster === undefined ? {} : { cluster }),
    exportedAt,
    generation,
    ...(incompleteTargets.length === 0 ? {} : { incompleteTargets }),
    inventoryName,
    inventoryNamespace,
    itemCount,
    ...(parts === undefined
      ? { items: [] }
      : {
          parts: parts.map(({ key: part, byteLength, itemCount: count }) => ({
            byteLength,
            itemCount: count,
            key: part,
          })),
        }),
    ...(removed ? { removed } : {}),
    schemaVersion: documentSchemaVersion,
  });
  const bytes = Buffer.from(text);
  if (bytes.length > maxHeadBytes || (parts?.length ?? 0) > maxParts)
    throw new SinkError(
      'PAYLOAD_TOO_LARGE',
      `Inventory ${formatScope(scope)} needs ${parts?.length ?? 0} parts, which is more than a head can name: raise the size of parts.`,
    );
  return { key, byteLength: bytes.length, chunks: () => [bytes.slice()], bytes: () => bytes.slice() };
}
