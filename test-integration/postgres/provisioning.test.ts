import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { postgresSink } from '@kollect/sink-postgres';
import { provision } from '../../packages/sink-postgres/src/schema/provisioning.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import type { SinkBlock } from './sink.ts';
import { openTestDatabase } from '../support/postgres.ts';

let database: DatabaseAccess;
beforeAll(async () => {
  database = await openTestDatabase();
});
beforeEach(async () => {
  await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});
afterAll(() => database.drop());

const specOf = (part: SinkBlock = {}) =>
  postgresSink.parseSpec({ database: database.database, table: 'inventory', ...part });

async function provisioned(part: SinkBlock = {}, settings = ''): Promise<void> {
  const client = await database.client();
  try {
    await client.query(settings);
    await provision(client, specOf(part));
  } finally {
    await client.end();
  }
}

const objects = async (): Promise<readonly string[]> => {
  const rows = await database.query<{ oid: string; name: string }>(
    "SELECT oid::text, relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname",
  );
  return rows.map(({ oid, name }) => `${name} ${oid}`);
};

const everything = {
  deletes: 'soft',
  partitions: 4,
  clusterInKey: true,
  indexes: ['gvk', 'target', 'payload'],
} as const satisfies SinkBlock;

describe('create', () => {
  test.each<SinkBlock>([
    {},
    everything,
    { mode: 'append' },
    { deletes: 'soft' },
    { table: `we"ird ; DROP TABLE x; -- ünï` },
  ])('%j: what it makes fits, and making it again changes nothing', async (part) => {
    await provisioned(part);
    const made = await objects();
    await provisioned(part);
    await provisioned({ ...part, provisioning: 'existing' });
    expect(await objects()).toEqual(made);
  });

  // Ten would do to meet 23505 on pg_type; serializable is what a database may have as its default.
  test.each(['', 'SET default_transaction_isolation = serializable'])(
    'twenty sessions at once, %s',
    async (settings) => {
      for (const [round, part] of [{}, everything, { mode: 'append' as const }].entries()) {
        const sessions = Array.from({ length: 20 }, () =>
          provisioned({ ...part, table: `inventory_${round}` }, settings),
        );
        await expect(Promise.all(sessions)).resolves.toHaveLength(20);
      }
    },
  );

  test('needs no privilege to create once all is there, and takes no lock', async () => {
    await provisioned();
    const role = `kollect_${database.database}`;
    await database.query(`CREATE ROLE ${role}`);
    const holder = await database.client();
    try {
      await holder.query('BEGIN; LOCK TABLE inventory, inventory_exports IN ACCESS EXCLUSIVE MODE');
      await provisioned({}, `SET ROLE ${role}; SET statement_timeout = '5s'`);
    } finally {
      await holder.end();
      await database.query(`DROP ROLE ${role}`);
    }
  });

  test('leaves no transaction and no setting behind', async () => {
    const client = await database.client();
    try {
      await provision(client, specOf());
      const { rows } = await client.query(
        "SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock, pg_current_xact_id_if_assigned()::text AS xact",
      );
      expect(rows).toEqual([{ statement: '0', lock: '0', xact: null }]);
      const { rows: locks } = await client.query(
        "SELECT * FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
      );
      expect(locks).toEqual([]);
    } finally {
      await client.end();
    }
  });

  test('a table that was made with hard deletes gains deleted_at, and its view hides such rows', async () => {
    await provisioned();
    await database.query("INSERT INTO inventory VALUES ('n', 'i', 't', 'u', '', 'v1/Pod', 1, '{}', now(), NULL)");
    await database.query("INSERT INTO inventory_exports VALUES ('', 'n', 'i', now(), 1, NULL, 1)");
    expect(await database.query('SELECT * FROM inventory_current')).toHaveLength(1);
    await provisioned({ deletes: 'soft' });
    await database.query('UPDATE inventory SET deleted_at = now()');
    expect(await database.query('SELECT * FROM inventory_current')).toEqual([]);
    await expect(provisioned()).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('DROP COLUMN deleted_at CASCADE'),
    });
  });

  test('the SQL that the refusal of leftover soft deletes names is what helps', async () => {
    await provisioned({ deletes: 'soft' });
    const refusal: unknown = await provisioned().catch((error: unknown) => error);
    await database.query(/or run (.*CASCADE)/.exec((refusal as Error).message)?.[1] ?? '');
    await provisioned();
  });

  test('every partition that is missing is made', async () => {
    await provisioned({ partitions: 4 });
    await database.query('DROP TABLE inventory_p2');
    await provisioned({ partitions: 4 });
    await expect(provisioned({ partitions: 8 })).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    await expect(provisioned()).rejects.toMatchObject({
      message: expect.stringContaining('has 4 partitions, expected no partitions'),
    });
  });

  test('a schema that is missing is not made', async () => {
    await expect(provisioned({ schema: 'nowhere' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('schema "nowhere" does not exist. Create the schema'),
    });
  });

  test('without the privilege to create it says so', async () => {
    const role = `poor_${database.database}`;
    await database.query(
      `CREATE ROLE ${role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC`,
    );
    try {
      await expect(provisioned({}, `SET ROLE ${role}`)).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        operation: 'open',
      });
    } finally {
      await database.query(`DROP ROLE ${role}`);
    }
  });

  test('a foreign table of the name is left alone, and every difference named', async () => {
    await database.query(
      'CREATE TABLE inventory (source_uid varchar(40), cluster text NOT NULL, payload json NOT NULL, extra int NOT NULL)',
    );
    const before = await objects();
    const refusal: unknown = await provisioned().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'SCHEMA_MISMATCH' });
    for (const difference of [
      'lacks column inventory_namespace (text)',
      'has column source_uid of type character varying(40), expected text',
      'has column source_uid that may be NULL',
      "has column cluster without a default, expected DEFAULT ''",
      'has column payload of type json, expected jsonb',
      'has column extra of its own',
      'has no primary key, expected (inventory_namespace',
      'table "public"."inventory_exports" does not exist',
      'view "public"."inventory_current" does not exist',
    ]) {
      expect((refusal as Error).message).toContain(difference);
    }
    expect(await objects()).toEqual(before);
  });

  test('a failure leaves the client usable', async () => {
    await database.query('CREATE VIEW inventory AS SELECT 1 AS one');
    const client = await database.client();
    try {
      await expect(provision(client, specOf())).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringContaining('"public"."inventory" is no table'),
      });
      await expect(client.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
    } finally {
      await client.end();
    }
  });

  test('an aborted caller is heard before anything is made', async () => {
    const client = await database.client();
    try {
      await expect(provision(client, specOf(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'ABORTED',
      });
      expect(await objects()).toEqual([]);
    } finally {
      await client.end();
    }
  });
});

describe('existing', () => {
  test('makes nothing, and says what to apply', async () => {
    await expect(provisioned({ provisioning: 'existing' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('Apply what postgresDdl(spec) prints'),
    });
    expect(await objects()).toEqual([]);
  });

  test.each<readonly [string, SinkBlock, string, string]>([
    ['an index that was asked for', { indexes: ['payload'] }, '', 'lacks a valid gin index on (payload)'],
    [
      'a unique constraint',
      { mode: 'append' },
      'ALTER TABLE inventory DROP CONSTRAINT inventory_snapshot_key',
      'lacks a unique constraint on (cluster,',
    ],
    [
      'another primary key',
      { clusterInKey: true },
      '',
      'has the primary key (inventory_namespace, inventory_name, target_name, source_uid), expected (cluster,',
    ],
    ['a collation that lumps keys', {}, lumpingCollation(), 'with a collation that takes different keys for equal'],
    [
      'a partial index in place of the key',
      { indexes: ['gvk'] },
      "CREATE INDEX ON inventory (cluster, gvk) WHERE gvk <> ''",
      'lacks a valid btree index',
    ],
  ])('%s', async (_, part, change, difference) => {
    await provisioned({ mode: part.mode });
    if (change !== '') await database.query(change);
    await expect(provisioned({ ...part, provisioning: 'existing' })).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining(difference),
    });
  });

  test('an index may have any name, and further columns and indexes are welcome', async () => {
    await provisioned();
    await database.query(
      'ALTER TABLE inventory ADD note text, ADD seen timestamptz NOT NULL DEFAULT now(); CREATE INDEX my_own ON inventory (cluster, gvk)',
    );
    await provisioned({ provisioning: 'existing', indexes: ['gvk'] });
  });
});

function lumpingCollation(): string {
  return `DROP VIEW inventory_current; CREATE COLLATION lumping (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    ALTER TABLE inventory ALTER source_uid TYPE text COLLATE lumping;
    CREATE VIEW inventory_current AS SELECT cluster, inventory_namespace, inventory_name, target_name, source_uid, gvk, payload,
      generation AS changed_generation, exported_at AS changed_at, generation AS snapshot_generation, exported_at AS snapshot_exported_at FROM inventory`;
}
