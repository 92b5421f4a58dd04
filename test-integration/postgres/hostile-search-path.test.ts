import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { KollectSink } from '@kollect/core';
import { postgresDdl } from '@kollect/sink-postgres';
import { startPgBouncer, type PgBouncer } from '../servers/pgbouncer.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { hostileSchema, ownedByHostileSchema } from './hostile-schema.ts';
import { contentsOf, item, items, limit, sinkOver, snapshot, tableContents, type SinkBlock } from './sink.ts';
import { openTestDatabase, testServer } from '../support/postgres.ts';

// Every session of the database looks into the schema of somebody else first, as `"$user", public` does where others may create in one of them.
let database: DatabaseAccess;
let safe: DatabaseAccess;
let sinks: KollectSink[] = [];
beforeAll(async () => {
  database = await openTestDatabase();
  await database.query(hostileSchema);
  await database.query(`ALTER DATABASE "${database.database}" SET search_path = evil, pg_catalog, public`);
  safe = {
    ...database,
    async query<Row>(text: string, values?: unknown[]) {
      const client = await database.client({ options: '-c search_path=pg_catalog,public' });
      try {
        return (await client.query(text, values)).rows as Row[];
      } finally {
        await client.end();
      }
    },
  };
});
beforeEach(async () => {
  await safe.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});
afterEach(async () => {
  await Promise.all(sinks.map((sink) => sink.close()));
  sinks = [];
});
afterAll(() => database.drop());

const scope = { cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'web' };

/** Every statement that a sink has: makes the tables, fills, compares, updates, deletes each way there is, refuses, plans, tests and removes. */
async function useAllStatements(open: (spec: SinkBlock) => KollectSink, spec: SinkBlock): Promise<void> {
  const sink = open(spec);
  const done = async (at: number, content: ReturnType<typeof items>, outcome: string): Promise<void> => {
    const next = await snapshot(at, content);
    await expect(sink.plan?.(next, { ...limit(), allowDeletes: true })).resolves.toMatchObject({ outcome });
    await expect(sink.export(next, { ...limit(), allowDeletes: true })).resolves.toMatchObject({ outcome });
    if (spec.mode !== 'append')
      expect(await tableContents(safe, spec.deletes === 'soft' ? 'deleted_at IS NULL' : 'true')).toEqual(
        contentsOf(next),
      );
  };
  await expect(sink.testConnection(limit())).resolves.toMatchObject({ ok: true });
  await done(0, items(40), 'applied');
  if (spec.resyncInterval === undefined && spec.mode !== 'append') await done(1, items(40), 'unchanged');
  await done(2, [...items(30), item('new'), item('web-1', { other: true })].slice(2), 'applied');
  if (spec.mode !== 'append') await safe.query('UPDATE inventory SET row_digest = NULL');
  await done(3, items(20), 'applied');
  await expect(sink.testConnection(limit())).resolves.toMatchObject({ ok: true });
  if (spec.mode !== 'append' && spec.clusterInKey !== true) {
    await expect(sink.export(await snapshot(4, items(3), { cluster: 'other' }), limit())).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  }
  await done(5, [], 'applied');
  await done(6, items(3), 'applied');
  await expect(
    sink.removeInventory?.(scope, { ...limit(), removedAt: '2026-01-31T13:00:00.000Z' }),
  ).resolves.toMatchObject({ outcome: 'applied' });
  expect(await safe.query(ownedByHostileSchema)).toEqual([]);
}

const specs: SinkBlock[] = [
  {},
  { deletes: 'soft', partitions: 2, indexes: ['gvk', 'target', 'payload'] },
  { clusterInKey: true },
  { resyncInterval: '1ms' },
  { mode: 'append' },
];

test('the trap works: what is not said to be of PostgreSQL comes from the hostile schema', async () => {
  for (const statement of ['SELECT 1 + 1', "SELECT 'a'::text", "SELECT md5('a')", 'SELECT FROM pg_class WHERE trap'])
    await expect(database.query(statement)).rejects.toThrow('hijacked by');
});

describe.each(specs)('%j', (spec) => {
  test('no statement runs what a schema of the search_path holds', async () => {
    await useAllStatements((block) => {
      const sink = sinkOver(database, { spec: block });
      sinks.push(sink);
      return sink;
    }, spec);
  });

  test('nor does what postgresDdl prints depend on it', async () => {
    await database.query(postgresDdl({ database: database.database, table: 'inventory', ...spec }));
    expect(await safe.query(ownedByHostileSchema)).toEqual([]);
  });
});

describe('behind PgBouncer in transaction mode', () => {
  let bouncer: PgBouncer;
  beforeAll(async () => {
    bouncer = await startPgBouncer({ postgres: testServer(), poolMode: 'transaction', poolSize: 2 });
  }, 120_000);
  afterAll(() => bouncer.stop());

  test.each(specs)('%j: no statement runs what a schema of the search_path holds', async (spec) => {
    await useAllStatements((block) => {
      const through = { ...database.credentials, host: bouncer.host, port: bouncer.port };
      const sink = sinkOver({ ...database, credentials: through }, { spec: block });
      sinks.push(sink);
      return sink;
    }, spec);
  });
});
