import { formatGvk, type InventorySnapshot, type SealedItem } from '@kollect/core';
import {
  binaryArray,
  binaryBigint,
  binaryTimestamptz,
  copyHeader,
  copyRowPrefix,
  copyTrailer,
  encodedLength,
  writeValue,
  type BinaryValue,
} from '../wire/binary-format.ts';
import type { StaleRow } from './difference.ts';
import { scopeValues } from './fence.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import { rowDigest } from './row-digests.ts';
import type { Session } from '../wire/session.ts';
import { upsertKey } from '../schema/table-layout.ts';
import { quoteIdentifier, type TableNames } from '../schema/table-names.ts';
import { requireAllRows } from '../schema/table-promises.ts';
import { createTimeSlice } from '../wire/time-slice.ts';

export interface WrittenRows {
  /** Rows inserted or updated. */
  readonly rows: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface RowWrites {
  /** Fills a scope that has no row, the quickest way there is. */
  copy(session: Session, snapshot: InventorySnapshot): Promise<WrittenRows>;
  /** Inserts or updates the rows of these items; with `skipEqual` a row that holds the same content already is left alone. */
  upsert(
    session: Session,
    snapshot: InventorySnapshot,
    changed: readonly number[],
    options: { readonly skipEqual: boolean },
  ): Promise<WrittenRows>;
  /** Deletes the rows, or marks them deleted. Returns how many it found. */
  remove(session: Session, snapshot: InventorySnapshot, stale: readonly StaleRow[]): Promise<number>;
}

const chunkBytes = 64 * 1024;
const batchRows = 1_000;
const batchBytes = 8 * 1024 * 1024;
/** Each statement that deletes reads the whole scope once. */
const deleteBatchRows = 20_000;

const ofScope = 't.cluster = $1 AND t.inventory_namespace = $2 AND t.inventory_name = $3';
const scopeColumns = ['cluster', 'inventory_namespace', 'inventory_name', 'generation', 'exported_at'];
const itemColumns = ['target_name', 'source_uid', 'gvk', 'payload', 'row_digest'];
const columns = [...scopeColumns, ...itemColumns].join(', ');

export function createRowWrites(names: TableNames, spec: ResolvedPostgresSpec): RowWrites {
  const softDeletes = spec.deletes === 'soft';
  const key = upsertKey(spec).map(quoteIdentifier).join(', ');

  // Two clusters may claim one key. A row is never taken over: the NULL breaks the column's constraint, which ends the statement.
  const upsert = `
    INSERT INTO ${names.table} AS t (${columns})
    SELECT $1, $2, $3, $4::bigint, $5::timestamptz, s.* FROM unnest($6::text[], $7::text[], $8::text[], $9::jsonb[], $10::uuid[]) s
    ON CONFLICT (${key}) DO UPDATE SET
      cluster = CASE WHEN t.cluster = EXCLUDED.cluster THEN t.cluster END, gvk = EXCLUDED.gvk, generation = EXCLUDED.generation,
      payload = EXCLUDED.payload, exported_at = EXCLUDED.exported_at, row_digest = EXCLUDED.row_digest${softDeletes ? ', deleted_at = NULL' : ''}`;
  const unlessEqual = `
    WHERE t.cluster <> EXCLUDED.cluster OR t.gvk <> EXCLUDED.gvk OR t.payload <> EXCLUDED.payload
       OR t.row_digest IS DISTINCT FROM EXCLUDED.row_digest${softDeletes ? ' OR t.deleted_at IS NOT NULL' : ''}`;

  const remove = softDeletes
    ? `UPDATE ${names.table} t SET deleted_at = $4::timestamptz, exported_at = $4::timestamptz, generation = $5::bigint`
    : `DELETE FROM ${names.table} t`;
  const alive = softDeletes ? ' AND t.deleted_at IS NULL' : '';
  const firstFree = softDeletes ? 6 : 4;

  const requireAll = (session: Session, verb: 'written' | 'deleted', asked: number, done: number): Promise<void> =>
    requireAllRows(session, { table: names.table, asked, done, verb });

  return {
    async copy(session, snapshot) {
      const traffic = { bytes: 0 };
      const rows = await session.copyIn(
        `COPY ${names.table} (${columns}) FROM STDIN (FORMAT binary)`,
        copyChunks(snapshot, traffic),
      );
      await requireAll(session, 'written', snapshot.items.length, rows);
      return { rows, messages: 1, bytes: traffic.bytes };
    },

    async upsert(session, snapshot, changed, { skipEqual }) {
      const text = skipEqual ? `${upsert} ${unlessEqual}` : upsert;
      const written = { rows: 0, messages: 0, bytes: 0 };
      for (const batch of batches(snapshot.items, changed)) {
        const parameters = batchParameters(batch);
        const { rowCount } = await session.query(text, [
          ...scopeValues(snapshot),
          snapshot.generation,
          snapshot.exportedAt,
          ...parameters,
        ]);
        // Where equal rows are skipped, the count does not tell them from rows that a trigger kept out: the caller compares once more.
        if (!skipEqual) await requireAll(session, 'written', batch.length, rowCount);
        written.rows += rowCount;
        written.messages += 1;
        written.bytes += parameters.reduce((total, { length }) => total + length, 0);
      }
      return written;
    },

    async remove(session, snapshot, stale) {
      const scope = [...scopeValues(snapshot), ...(softDeletes ? [snapshot.exportedAt, snapshot.generation] : [])];
      const known = stale.filter((row) => row.digest !== null);
      const byKey = stale.filter((row) => row.digest === null);
      let removed = 0;
      for (let from = 0; from < known.length; from += deleteBatchRows) {
        const digests = binaryArray(
          'uuid',
          known.slice(from, from + deleteBatchRows).map(({ digest }) => digest),
        );
        const text = `${remove} WHERE ${ofScope}${alive} AND t.row_digest = ANY($${firstFree}::uuid[])`;
        removed += (await session.query(text, [...scope, digests])).rowCount;
      }
      for (let from = 0; from < byKey.length; from += batchRows) {
        const batch = byKey.slice(from, from + batchRows);
        const keys = [batch.map(({ targetName }) => targetName), batch.map(({ uid }) => uid)].map((values) =>
          binaryArray('text', values),
        );
        const text = `${remove} WHERE ${ofScope}${alive}
          AND (t.target_name, t.source_uid) IN (SELECT * FROM unnest($${firstFree}::text[], $${firstFree + 1}::text[]))`;
        removed += (await session.query(text, [...scope, ...keys])).rowCount;
      }
      await requireAll(session, 'deleted', stale.length, removed);
      return removed;
    },
  };
}

/** A binary COPY of the whole snapshot in chunks of about 64 KiB. */
async function* copyChunks(snapshot: InventorySnapshot, traffic: { bytes: number }): AsyncGenerator<Buffer> {
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
    at = writeValue(chunk, at, rowDigest(item), 0);
  }
  yield flush();
  traffic.bytes += copyTrailer.length;
  yield copyTrailer;
}

/** The items at these indexes, at most a thousand and eight MiB at a time; a larger item goes alone. */
function* batches(items: readonly SealedItem[], indexes: readonly number[]): Generator<readonly SealedItem[]> {
  let batch: SealedItem[] = [];
  let bytes = 0;
  for (const index of indexes) {
    const item = items[index];
    if (item === undefined) continue;
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

function batchParameters(batch: readonly SealedItem[]): readonly Buffer[] {
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
    binaryArray('uuid', batch.map(rowDigest)),
  ];
}

/** Inventories hold few kinds and many items: each name is made once. */
function gvkNames(): (item: SealedItem) => string {
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
