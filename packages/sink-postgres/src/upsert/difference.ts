import type { InventorySnapshot, ItemKey } from '@kollect/core';
import { binaryArray, binaryUuidArray } from '../wire/binary-format.ts';
import { scopeValues } from './fence.ts';
import type { Session } from '../wire/session.ts';
import type { TableNames } from '../schema/table-names.ts';

/** A row of the scope that the snapshot does not hold. */
export interface StaleRow extends ItemKey {
  /** By which the row is deleted; null where only its key can be trusted. */
  readonly digest: Buffer | null;
}

/** What must happen to the table so that it equals the snapshot. */
export interface Difference {
  /** Indexes of the items whose rows must be written, in the snapshot's order. */
  readonly changed: readonly number[];
  /** How many of them have no row yet. */
  readonly inserted: number;
  /** Rows to delete; those of incomplete targets are not among them. */
  readonly stale: readonly StaleRow[];
  /** Live rows of the scope before the export. */
  readonly rowsBefore: number;
  /** True for the items in `changed` that have no row yet. */
  isNew(item: ItemKey): boolean;
}

export interface Differences {
  /** Compares by digest: only 20 bytes an item travel. */
  byDigest(session: Session, snapshot: InventorySnapshot, digests: Buffer): Promise<Difference>;
  /** Compares by key: every item counts as changed, for rows may differ from their digests. */
  byKey(session: Session, snapshot: InventorySnapshot): Promise<Difference>;
}

export function createDifferences(names: TableNames, { softDeletes }: { readonly softDeletes: boolean }): Differences {
  const rowsOfScope = `
    SELECT target_name, source_uid, row_digest FROM ${names.table}
    WHERE cluster = $1 AND inventory_namespace = $2 AND inventory_name = $3${softDeletes ? ' AND deleted_at IS NULL' : ''}`;

  // FULL JOIN, for it cannot become a nested loop: on a table whose statistics know nothing of the scope an anti-join does, and takes minutes.
  const byDigest = `
    SELECT s.ord::int, t.target_name, t.source_uid, t.row_digest::text
    FROM unnest($4::uuid[]) WITH ORDINALITY s(digest, ord) FULL JOIN (${rowsOfScope}) t ON t.row_digest = s.digest
    WHERE s.digest IS NULL OR t.target_name IS NULL`;
  const byKey = `
    SELECT s.ord::int, t.target_name, t.source_uid, NULL
    FROM unnest($4::text[], $5::text[]) WITH ORDINALITY s(target_name, source_uid, ord)
    FULL JOIN (${rowsOfScope}) t ON t.target_name = s.target_name COLLATE "C" AND t.source_uid = s.source_uid COLLATE "C"
    WHERE s.ord IS NULL OR t.target_name IS NULL`;

  return {
    async byDigest(session, snapshot, digests) {
      const { rows } = await session.query(byDigest, [...scopeValues(snapshot), binaryUuidArray(digests)]);
      const changed: number[] = [];
      const absent = new Map<string, StaleRow>();
      for (const [ord, targetName, uid, digest] of rows) {
        if (ord !== null) changed.push(Number(ord) - 1);
        else absent.set(keyOf(String(targetName), String(uid)), staleRow(targetName, uid, digest));
      }
      changed.sort((a, b) => a - b);
      return difference(snapshot, { changed, absent, matched: snapshot.items.length - changed.length });
    },
    async byKey(session, snapshot) {
      const { items } = snapshot;
      const targets = binaryArray(
        'text',
        items.map((item) => item.targetName),
      );
      const uids = binaryArray(
        'text',
        items.map((item) => item.uid),
      );
      const { rows } = await session.query(byKey, [...scopeValues(snapshot), targets, uids]);
      const fresh = new Set<string>();
      const absent = new Map<string, StaleRow>();
      for (const [ord, targetName, uid, digest] of rows) {
        const item = ord === null ? undefined : items[Number(ord) - 1];
        if (item === undefined) absent.set(keyOf(String(targetName), String(uid)), staleRow(targetName, uid, digest));
        else fresh.add(keyOf(item.targetName, item.uid));
      }
      const rowsBefore = items.length - fresh.size + absent.size;
      return {
        changed: items.map((_, index) => index),
        inserted: fresh.size,
        stale: deletable(snapshot, absent),
        rowsBefore,
        isNew: ({ targetName, uid }) => fresh.has(keyOf(targetName, uid)),
      };
    },
  };
}

interface Compared {
  readonly changed: readonly number[];
  readonly absent: Map<string, StaleRow>;
  readonly matched: number;
}

/** Rows whose digest no item has are either the old form of a changed item or of an item that is gone. */
function difference(snapshot: InventorySnapshot, { changed, absent, matched }: Compared): Difference {
  const rowsBefore = matched + absent.size;
  const known = new Set<string>();
  for (const index of changed) {
    const item = snapshot.items[index];
    if (item === undefined) continue;
    const key = keyOf(item.targetName, item.uid);
    if (absent.delete(key)) known.add(key);
  }
  return {
    changed,
    inserted: changed.length - known.size,
    stale: deletable(snapshot, absent),
    rowsBefore,
    isNew: ({ targetName, uid }) => !known.has(keyOf(targetName, uid)),
  };
}

function deletable(
  { incompleteTargets }: InventorySnapshot,
  absent: ReadonlyMap<string, StaleRow>,
): readonly StaleRow[] {
  const cutShort = new Set(incompleteTargets);
  return [...absent.values()].filter(({ targetName }) => !cutShort.has(targetName));
}

function staleRow(targetName: unknown, uid: unknown, digest: unknown): StaleRow {
  return {
    targetName: String(targetName),
    uid: String(uid),
    digest: typeof digest === 'string' ? Buffer.from(digest.replaceAll('-', ''), 'hex') : null,
  };
}

/** NUL stands in neither part: PostgreSQL's text cannot hold it. */
function keyOf(targetName: string, uid: string): string {
  return `${targetName}\0${uid}`;
}
