import { refuseFutureTime, type InventorySnapshot, type Scope } from '@kollect/core';
import type { Session } from '../wire/session.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import { quoteLiteral, type TableNames } from '../schema/table-names.ts';
import { hasWritingTriggers, requireAllRows, soundness, unsound } from '../schema/table-promises.ts';

/** What the scope's row says of the snapshot that was applied last, read under its lock. */
export interface ScopeState {
  /** The applied snapshot is newer than the given moment. */
  readonly newer: boolean;
  /** It was taken at the given moment exactly. */
  readonly sameMoment: boolean;
  /** Null after an incomplete snapshot: the table may hold more than the snapshot did. */
  readonly checksum: string | null;
  /** The table is the one that was written then: not dropped, truncated or restored since. */
  readonly sameStorage: boolean;
  readonly resyncDue: boolean;
  /** The inventory was exported, and not removed since. */
  readonly held: boolean;
  /** The table has triggers that may keep rows out or change them. */
  readonly triggers: boolean;
}

export interface AppliedSnapshot {
  readonly exportedAt: string;
  readonly generation: number;
  readonly checksum: string | null;
  readonly itemCount: number;
  readonly removed: boolean;
  /** Every row was compared by content, not by digest. */
  readonly resynced: boolean;
}

export interface Fence {
  /**
   * Takes the scope's lock until the transaction ends, making its row where there is none. Refuses a moment in the store's future, and tables that do
   * not keep what is written.
   */
  lock(session: Session, scope: Scope, moment: Moment): Promise<ScopeState>;
  /** The same without a lock and without writing; undefined where the scope was never exported. */
  look(session: Session, scope: Scope, moment: Moment): Promise<ScopeState | undefined>;
  record(session: Session, scope: Scope, applied: AppliedSnapshot): Promise<void>;
  /** The one statement that moves the fence on where the table holds this snapshot already; it returns a row then. */
  advance(snapshot: InventorySnapshot): string;
}

export interface Moment {
  readonly field: 'exportedAt' | 'removedAt';
  readonly time: string;
}

export function scopeValues({ cluster, inventoryNamespace, inventoryName }: Scope): [string, string, string] {
  return [cluster ?? '', inventoryNamespace, inventoryName];
}

const ofScope = 'cluster = $1 AND inventory_namespace = $2 AND inventory_name = $3';

/** A new lock attempt follows only where the row was deleted by hand between two statements. */
const lockAttempts = 5;

export function createFence(
  names: TableNames,
  { mode, resyncIntervalMs }: Pick<ResolvedPostgresSpec, 'mode' | 'resyncIntervalMs'>,
): Fence {
  const sound = soundness(names, mode);
  const table = quoteLiteral(names.table);
  // Changes with DROP, TRUNCATE, restore and VACUUM FULL. A partitioned table is stored in its partitions; another one has no partition tree.
  const storage = `coalesce(
    (SELECT md5(string_agg(pg_relation_filenode(p.relid)::text, ',' ORDER BY p.relid)) FROM pg_partition_tree(to_regclass(${table})) p),
    pg_relation_filenode(to_regclass(${table}))::text)`;
  const resyncDue =
    resyncIntervalMs === 0
      ? 'false'
      : `(resynced_at IS NULL OR resynced_at < clock_timestamp() - interval '${resyncIntervalMs} milliseconds')`;
  const selectState = `
    SELECT exported_at > $4::timestamptz, exported_at = $4::timestamptz, checksum, coalesce(table_storage = ${storage}, false), ${resyncDue},
           NOT removed AND exported_at > '-infinity', floor(extract(epoch FROM clock_timestamp()) * 1000)::float8, ${sound}, ${hasWritingTriggers(names)}
    FROM ${names.exports} WHERE ${ofScope}`;

  const read = async (
    session: Session,
    scope: Scope,
    { field, time }: Moment,
    clause: string,
  ): Promise<ScopeState | undefined> => {
    const { rows } = await session.query(`${selectState} ${clause}`, [...scopeValues(scope), time]);
    const row = rows[0];
    if (row === undefined) return undefined;
    if (row[7] !== true) throw unsound(names.table);
    refuseFutureTime(field, time, new Date(Number(row[6])));
    return {
      newer: row[0] === true,
      sameMoment: row[1] === true,
      checksum: row[2] as string | null,
      sameStorage: row[3] === true,
      resyncDue: row[4] === true,
      held: row[5] === true,
      triggers: row[8] === true,
    };
  };

  return {
    async lock(session, scope, moment) {
      for (let attempt = 0; attempt < lockAttempts; attempt += 1) {
        // A statement of its own, before anything is compared: what follows must see what the last holder of the lock wrote.
        const state = await read(session, scope, moment, 'FOR UPDATE');
        if (state !== undefined) return state;
        await session.query(
          `INSERT INTO ${names.exports} (cluster, inventory_namespace, inventory_name, exported_at, generation, item_count)
           VALUES ($1, $2, $3, '-infinity', 0, 0) ON CONFLICT DO NOTHING`,
          scopeValues(scope),
        );
      }
      await requireAllRows(session, { table: names.exports, asked: 1, done: 0, verb: 'written' });
      throw unsound(names.table);
    },
    async look(session, scope, moment) {
      const state = await read(session, scope, moment, '');
      if (state !== undefined) return state;
      const { rows } = await session.query(
        `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8, ${sound}`,
      );
      if (rows[0]?.[1] !== true) throw unsound(names.table);
      refuseFutureTime(moment.field, moment.time, new Date(Number(rows[0]?.[0])));
      return undefined;
    },
    async record(session, scope, { exportedAt, generation, checksum, itemCount, removed, resynced }) {
      const { rows } = await session.query(
        `UPDATE ${names.exports}
         SET exported_at = $4::timestamptz, generation = $5::bigint, checksum = $6::text, item_count = $7::bigint, removed = $8::boolean,
             table_storage = ${storage}, resynced_at = CASE WHEN $9::boolean THEN clock_timestamp() ELSE resynced_at END
         WHERE ${ofScope}
         RETURNING exported_at = $4::timestamptz AND generation = $5::bigint AND checksum IS NOT DISTINCT FROM $6::text AND item_count = $7::bigint AND removed = $8::boolean`,
        [...scopeValues(scope), exportedAt, generation, checksum, itemCount, removed, resynced],
      );
      const done = rows.filter(([asAsked]) => asAsked === true).length;
      await requireAllRows(session, { table: names.exports, asked: 1, done, verb: 'written' });
    },
    advance(snapshot) {
      const [cluster, inventoryNamespace, inventoryName] = scopeValues(snapshot).map(quoteLiteral);
      const exportedAt = `timestamp with time zone ${quoteLiteral(snapshot.exportedAt)}`;
      return `
        UPDATE ${names.exports} SET exported_at = ${exportedAt}, generation = ${snapshot.generation}
        WHERE cluster = ${cluster} AND inventory_namespace = ${inventoryNamespace} AND inventory_name = ${inventoryName}
          AND checksum = ${quoteLiteral(snapshot.checksum)} AND exported_at <= ${exportedAt}
          AND ${exportedAt} <= clock_timestamp() + interval '10 minutes' AND table_storage = ${storage} AND NOT ${resyncDue}
          AND ${sound}
        RETURNING true`;
    },
  };
}
