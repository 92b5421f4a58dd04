import type { InventorySnapshot, SealedItem } from '@kollect/core';
import { binaryPlaceArray } from '../wire/binary-format.ts';
import { copyChunks, writtenColumns } from './copy-chunks.ts';
import type { StaleRows } from './difference.ts';
import { scopeValues } from './fence.ts';
import { batchParameters, batches, itemRows } from './item-batches.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import { placeLength } from './row-places.ts';
import { refusedItems, type RefusedItems } from './refused-items.ts';
import type { Session } from '../wire/session.ts';
import { upsertKey } from '../schema/table-layout.ts';
import { quoteIdentifier, type TableNames } from '../schema/table-names.ts';
import { requireAllRows } from '../schema/table-promises.ts';

export interface WrittenRows {
  /** Rows inserted or updated. */
  readonly rows: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface UpsertOptions {
  /** Told of what the server refused because of these items. */
  readonly onRefused?: (refused: RefusedItems) => void;
  /** Leaves rows alone that are as they should be. */
  readonly skipEqual: boolean;
  /** Triggers may change rows: what was stored is compared with what was sent. */
  readonly triggers: boolean;
}

/** Each throws SCHEMA_MISMATCH where the server did less than it was asked to. */
export interface RowWrites {
  /** Fills a scope that has no row, the quickest way there is. */
  copy(session: Session, snapshot: InventorySnapshot, options: Pick<UpsertOptions, 'onRefused'>): Promise<WrittenRows>;
  /** Inserts and updates the rows of these items. */
  upsert(
    session: Session,
    snapshot: InventorySnapshot,
    items: Iterable<SealedItem>,
    options: UpsertOptions,
  ): Promise<WrittenRows>;
  /** Of these items those whose rows are there and differ, as indexes into the list: what `skipEqual` would write. Reads only. */
  differing(session: Session, snapshot: InventorySnapshot, items: readonly SealedItem[]): Promise<readonly number[]>;
  /** Deletes these rows, or marks them. Gives their number. */
  remove(session: Session, snapshot: InventorySnapshot, stale: StaleRows): Promise<number>;
}

const deleteBatchRows = 20_000;

const ofScope = 't.cluster = $1 AND t.inventory_namespace = $2 AND t.inventory_name = $3';

export function createRowWrites(names: TableNames, spec: ResolvedPostgresSpec): RowWrites {
  const softDeletes = spec.deletes === 'soft';
  const key = upsertKey(spec).map(quoteIdentifier).join(', ');

  // Two clusters may claim one key. A row is never taken over: the NULL breaks the column's constraint, which ends the statement.
  const asSent = `${itemRows(6)} s(target_name, source_uid, gvk, payload, row_digest)`;
  const asDigested = 'unnest($10::uuid[]) s(row_digest)';
  const sameFields = ['target_name', 'source_uid', 'gvk', 'payload']
    .map((name) => ` AND t.${name} = s.${name}`)
    .join('');
  const upsert = ({ skipEqual, triggers }: UpsertOptions): string => `
    WITH written AS (
      INSERT INTO ${names.table} AS t (${writtenColumns})
      SELECT $1, $2, $3, $4::bigint, $5::timestamptz, s.* FROM ${itemRows(6)} s
      ON CONFLICT (${key}) DO UPDATE SET
        cluster = CASE WHEN t.cluster = EXCLUDED.cluster THEN t.cluster END, gvk = EXCLUDED.gvk, generation = EXCLUDED.generation,
        payload = EXCLUDED.payload, exported_at = EXCLUDED.exported_at, row_digest = EXCLUDED.row_digest${softDeletes ? ', deleted_at = NULL' : ''}
      ${skipEqual ? `WHERE t.cluster <> EXCLUDED.cluster OR ${differs('EXCLUDED')}${softDeletes ? ' OR t.deleted_at IS NOT NULL' : ''}` : ''}
      RETURNING t.row_digest${triggers ? ', t.target_name, t.source_uid, t.gvk, t.payload' : ''}
    )
    SELECT (SELECT count(*)::int FROM written), (
      SELECT count(*)::int FROM written t JOIN ${triggers ? asSent : asDigested}
      ON t.row_digest = s.row_digest${triggers ? sameFields : ''}
    )`;

  // The row of each item by its key, one at a time: a join may read the whole scope for each batch.
  const differing = `
    SELECT s.ord::int
    FROM ${itemRows(4)} WITH ORDINALITY s(target_name, source_uid, gvk, payload, row_digest, ord), LATERAL (
      SELECT * FROM ${names.table} t
      WHERE ${ofScope} AND t.target_name = s.target_name COLLATE "C" AND t.source_uid = s.source_uid COLLATE "C" LIMIT 1
    ) t
    WHERE ${differs('s')}`;

  const removeBy = (condition: string): string =>
    softDeletes
      ? `WITH marked AS (
           UPDATE ${names.table} t SET deleted_at = $4::timestamptz, exported_at = $4::timestamptz, generation = $5::bigint
           WHERE ${ofScope} AND t.deleted_at IS NULL${condition} RETURNING t.deleted_at
         ) SELECT count(deleted_at)::int FROM marked`
      : `DELETE FROM ${names.table} t WHERE ${ofScope}${condition}`;
  const removeAll = removeBy('');
  const removePlaces = removeBy(` AND t.ctid = ANY($${softDeletes ? 6 : 4}::tid[])`);

  const requireAll = (session: Session, verb: 'written' | 'deleted', asked: number, done: number): Promise<void> =>
    requireAllRows(session, { table: names.table, asked, done, verb });

  const telling = async <T>(
    { onRefused }: Pick<UpsertOptions, 'onRefused'>,
    items: readonly SealedItem[],
    run: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      const refused = refusedItems(error, items, spec.table);
      if (refused !== undefined) onRefused?.(refused);
      throw error;
    }
  };

  return {
    async copy(session, snapshot, options) {
      const traffic = { bytes: 0 };
      const text = `COPY ${names.table} (${writtenColumns}) FROM STDIN (FORMAT binary)`;
      const rows = await telling(options, snapshot.items, () => session.copyIn(text, copyChunks(snapshot, traffic)));
      await requireAll(session, 'written', snapshot.items.length, rows);
      return { rows, messages: 1, bytes: traffic.bytes };
    },

    async upsert(session, snapshot, items, options) {
      const text = upsert(options);
      const total = { rows: 0, messages: 0, bytes: 0 };
      for (const batch of batches(items)) {
        const parameters = batchParameters(batch);
        const values = [...scopeValues(snapshot), snapshot.generation, snapshot.exportedAt, ...parameters];
        const { rows } = await telling(options, batch, () => session.query(text, values));
        const [written, asSent] = (rows[0] ?? []).map(Number);
        // Where equal rows are skipped, the count does not tell them from rows that a trigger kept out: the caller compares once more.
        await requireAll(session, 'written', options.skipEqual ? (written ?? 0) : batch.length, asSent ?? 0);
        total.rows += written ?? 0;
        total.messages += 1;
        total.bytes += parameters.reduce((sum, { length }) => sum + length, 0);
      }
      return total;
    },

    async differing(session, snapshot, items) {
      const found: number[] = [];
      let from = 0;
      for (const batch of batches(items)) {
        const { rows } = await session.query(differing, [...scopeValues(snapshot), ...batchParameters(batch)]);
        for (const [ord] of rows) found.push(from + Number(ord) - 1);
        from += batch.length;
      }
      return found.sort((a, b) => a - b);
    },

    async remove(session, snapshot, { count, places }) {
      if (count === 0) return 0;
      const scope = [...scopeValues(snapshot), ...(softDeletes ? [snapshot.exportedAt, snapshot.generation] : [])];
      const run = async (text: string, ...more: readonly Buffer[]): Promise<number> => {
        const { rows, rowCount } = await session.query(text, [...scope, ...more]);
        return softDeletes ? Number(rows[0]?.[0]) : rowCount;
      };
      let removed = 0;
      if (places === undefined) {
        removed = await run(removeAll);
      } else {
        // By their places alone: any other way reads the whole scope once for each batch, or once for each row.
        await session.setting(
          'SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off',
        );
        for (let from = 0; from < places.length; from += deleteBatchRows * placeLength)
          removed += await run(
            removePlaces,
            binaryPlaceArray(places.subarray(from, from + deleteBatchRows * placeLength)),
          );
        await session.setting(
          'SET LOCAL enable_seqscan = DEFAULT; SET LOCAL enable_indexscan = DEFAULT; SET LOCAL enable_bitmapscan = DEFAULT',
        );
      }
      await requireAll(session, 'deleted', count, removed);
      return removed;
    },
  };
}

/** Where a row `t` is not what an item says. */
function differs(item: string): string {
  return `t.gvk <> ${item}.gvk OR t.payload <> ${item}.payload OR t.row_digest IS DISTINCT FROM ${item}.row_digest`;
}
