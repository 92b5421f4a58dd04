import type { InventorySnapshot, ItemKey, SealedItem } from '@kollect/core';
import { incompleteTargetTest } from '@kollect/core/authoring';
import { binaryUuidArray } from '../wire/binary-format.ts';
import { binaryTexts } from '../wire/binary-texts.ts';
import { scopeValues } from './fence.ts';
import { createKeyIndex, keyOf } from './key-index.ts';
import { rowDigests } from './row-digests.ts';
import { placeLength, placeOf } from './row-places.ts';
import type { Session } from '../wire/session.ts';
import { createTimeSlice } from '../wire/time-slice.ts';
import type { TableNames } from '../schema/table-names.ts';

/** What must happen to the row of an item. */
export const same = 0;
export const update = 1;
export const insert = 2;

/** Rows to delete; those of incomplete targets are not among them. */
export interface StaleRows {
  readonly count: number;
  /** Where they are, as `ctid`s of 6 bytes; undefined for every live row of the scope. */
  readonly places: Buffer | undefined;
  /** The first of them, ten at most. */
  readonly samples: readonly ItemKey[];
}

/** What must happen to the table so that it equals the snapshot. */
export interface Difference {
  /** `same`, `update` or `insert` for each item, in the snapshot's order. */
  readonly states: Uint8Array;
  readonly inserted: number;
  readonly updated: number;
  readonly stale: StaleRows;
  /** Live rows of the scope before the export. */
  readonly rowsBefore: number;
}

export interface Differences {
  /** Compares by digest: only 20 bytes an item travel. */
  byDigest(session: Session, snapshot: InventorySnapshot): Promise<Difference>;
  /** Compares by key: every row that is there counts as to be updated, for rows may differ from their digests. */
  byKey(session: Session, snapshot: InventorySnapshot): Promise<Difference>;
}

export const sampleSize = 10;

export function createDifferences(names: TableNames, { softDeletes }: { readonly softDeletes: boolean }): Differences {
  const ofScope = `cluster = $1 AND inventory_namespace = $2 AND inventory_name = $3${softDeletes ? ' AND deleted_at IS NULL' : ''}`;
  // Of a partial snapshot alone the namespace of the target is asked for: it stands in the payload.
  const rowsOfScope = (partial: boolean): string => `
    SELECT target_name, source_uid, row_digest, ctid, ${partial ? "payload->>'targetNamespace'" : 'NULL'} AS target_namespace
    FROM ${names.table} WHERE ${ofScope}`;
  const columns = 's.ord::int, t.target_name, t.source_uid, t.ctid::text, t.target_namespace';

  // FULL JOIN, for it cannot become a nested loop: on a table whose statistics know nothing of the scope an anti-join does, and takes minutes.
  const byDigest = (partial: boolean): string => `
    SELECT ${columns}
    FROM unnest($4::uuid[]) WITH ORDINALITY s(digest, ord) FULL JOIN (${rowsOfScope(partial)}) t ON t.row_digest = s.digest
    WHERE s.digest IS NULL OR t.target_name IS NULL`;
  const byKey = (partial: boolean): string => `
    SELECT ${columns}
    FROM unnest($4::text[], $5::text[]) WITH ORDINALITY s(target_name, source_uid, ord)
    FULL JOIN (${rowsOfScope(partial)}) t ON t.target_name = s.target_name COLLATE "C" AND t.source_uid = s.source_uid COLLATE "C"
    WHERE s.ord IS NULL OR t.target_name IS NULL`;

  /** Marks the items that no row matched as `insert`, and gathers the rows that no item matched. */
  const compare = async (
    session: Session,
    snapshot: InventorySnapshot,
    text: (partial: boolean) => string,
    parameters: readonly Buffer[],
    states: Uint8Array,
  ): Promise<UnmatchedRows> => {
    const rows = createUnmatchedRows(snapshot.incompleteTargets);
    const partial = snapshot.incompleteTargets.length > 0;
    await session.eachRow(text(partial), [...scopeValues(snapshot), ...parameters], (row) => {
      const [ord, targetName, uid, place, targetNamespace] = row;
      if (ord !== null) states[Number(ord) - 1] = insert;
      else rows.add(String(targetName), String(uid), String(place), String(targetNamespace));
    });
    return rows;
  };

  /** To an empty snapshot every row is too much, whatever it holds. */
  const everything = async (session: Session, snapshot: InventorySnapshot): Promise<Difference> => {
    const { rows } = await session.query(
      `SELECT count(*)::int FROM ${names.table} WHERE ${ofScope}`,
      scopeValues(snapshot),
    );
    const first = await session.query(
      `SELECT target_name, source_uid FROM ${names.table} WHERE ${ofScope} LIMIT ${String(sampleSize)}`,
      scopeValues(snapshot),
    );
    const count = Number(rows[0]?.[0]);
    const samples = first.rows.map(([targetName, uid]) => ({ targetName: String(targetName), uid: String(uid) }));
    const stale = { count, places: undefined, samples };
    return { states: new Uint8Array(0), inserted: 0, updated: 0, stale, rowsBefore: count };
  };
  const isEmpty = ({ items, incompleteTargets }: InventorySnapshot): boolean =>
    items.length === 0 && incompleteTargets.length === 0;

  return {
    async byDigest(session, snapshot) {
      if (isEmpty(snapshot)) return everything(session, snapshot);
      const { items } = snapshot;
      const states = new Uint8Array(items.length);
      const digests = binaryUuidArray(await rowDigests(items));
      const rows = await compare(session, snapshot, byDigest, [digests], states);
      const changed = await countOf(states, insert);
      // A row whose digest no item has is the old form of a changed item, or of one that is gone.
      const updated = changed === 0 ? 0 : await rows.match(items, states);
      const rowsBefore = items.length - changed + rows.count;
      return { states, inserted: changed - updated, updated, stale: await rows.stale(), rowsBefore };
    },
    async byKey(session, snapshot) {
      if (isEmpty(snapshot)) return everything(session, snapshot);
      const { items } = snapshot;
      const states = new Uint8Array(items.length).fill(update);
      const keys = [await binaryTexts(items, (item) => item.targetName), await binaryTexts(items, (item) => item.uid)];
      const rows = await compare(session, snapshot, byKey, keys, states);
      const inserted = await countOf(states, insert);
      const updated = items.length - inserted;
      return { states, inserted, updated, stale: await rows.stale(), rowsBefore: updated + rows.count };
    },
  };
}

/** The items that must be written, in the snapshot's order. */
export function* changedItems(
  items: readonly SealedItem[],
  { states }: Pick<Difference, 'states'>,
): Generator<SealedItem> {
  for (const [index, item] of items.entries()) if (states[index] !== same) yield item;
}

/** Rows of the scope that no item matched as it is. */
interface UnmatchedRows {
  readonly count: number;
  add(targetName: string, uid: string, place: string, targetNamespace: string): void;
  /** Turns `insert` into `update` where an item has a row under its key, which is stale no longer. Gives their number. */
  match(items: readonly SealedItem[], states: Uint8Array): Promise<number>;
  stale(): Promise<StaleRows>;
}

function createUnmatchedRows(incompleteTargets: readonly string[]): UnmatchedRows {
  const isIncomplete = incompleteTargetTest(incompleteTargets);
  const keys: string[] = [];
  const places: number[] = [];
  /** Kept as they are: of an incomplete target, or of an item that is written. */
  const kept: boolean[] = [];

  return {
    get count() {
      return keys.length;
    },
    add(targetName, uid, place, targetNamespace) {
      keys.push(keyOf(targetName, uid));
      places.push(placeOf(place));
      kept.push(isIncomplete({ targetName, targetNamespace }));
    },
    async match(items, states) {
      if (keys.length === 0) return 0;
      const slice = createTimeSlice();
      const index = createKeyIndex();
      for (const [row, key] of keys.entries()) {
        index.add(key, row);
        if (row % 256 === 255 && slice.due()) await slice.rest();
      }
      let matched = 0;
      for (const [at, item] of items.entries()) {
        if (at % 256 === 255 && slice.due()) await slice.rest();
        if (states[at] !== insert) continue;
        const row = index.get(keyOf(item.targetName, item.uid));
        if (row === undefined) continue;
        states[at] = update;
        kept[row] = true;
        matched += 1;
      }
      return matched;
    },
    async stale() {
      const slice = createTimeSlice();
      const samples: ItemKey[] = [];
      const bytes = Buffer.allocUnsafe(keys.length * placeLength);
      let at = 0;
      for (const [row, place] of places.entries()) {
        if (row % 256 === 255 && slice.due()) await slice.rest();
        if (kept[row] === true) continue;
        at = bytes.writeUIntBE(place, at, placeLength);
        if (samples.length >= sampleSize) continue;
        const [targetName = '', uid = ''] = (keys[row] ?? '').split('\0');
        samples.push({ targetName, uid });
      }
      return { count: at / placeLength, places: bytes.subarray(0, at), samples };
    },
  };
}

async function countOf(states: Uint8Array, wanted: number): Promise<number> {
  const slice = createTimeSlice();
  let count = 0;
  for (let from = 0; from < states.length; from += 65_536) {
    for (const state of states.subarray(from, from + 65_536)) if (state === wanted) count += 1;
    if (slice.due()) await slice.rest();
  }
  return count;
}
