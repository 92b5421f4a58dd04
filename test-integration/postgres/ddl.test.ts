import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { postgresDdl } from '@kollect/sink-postgres';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { contentsOf, items, limit, sinkOver, snapshot, tableContents, type SinkBlock } from './sink.ts';
import { openTestDatabase } from '../support/postgres.ts';

let database: DatabaseAccess;
const suffix = randomBytes(4).toString('hex');
const [writer, reader] = [`writer_${suffix}`, `reader_${suffix}`];
beforeAll(async () => {
  database = await openTestDatabase();
  await database.query(`CREATE ROLE ${writer} LOGIN PASSWORD 'secret'; CREATE ROLE ${reader} LOGIN PASSWORD 'secret'`);
  // What a careful administrator does first: nothing is allowed but by a grant.
  await database.query(`REVOKE ALL ON DATABASE "${database.database}" FROM PUBLIC`);
});
beforeEach(async () => {
  await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});
afterAll(async () => {
  await database.drop();
  const { client } = await openTestDatabase().then(async (other) => ({ client: other }));
  await client.query(`DROP ROLE ${writer}; DROP ROLE ${reader}`);
  await client.drop();
});

const specs: SinkBlock[] = [
  {},
  { deletes: 'soft', partitions: 3, indexes: ['gvk', 'target', 'payload'] },
  { clusterInKey: true },
  { mode: 'append' },
];

test.each(specs)(
  '%j: applied by hand, twice, with its grants: a sink without the right to create does its work',
  async (part) => {
    const ddl = postgresDdl({ database: database.database, table: 'inventory', ...part });
    await database.query(ddl);
    await database.query(ddl);
    const grants = ddl.split('\n').flatMap((line) => (line.startsWith('-- GRANT') ? [line.slice(3)] : []));
    await database.query(
      grants.join('\n').replaceAll('TO kollect', `TO ${writer}`).replaceAll('TO portal', `TO ${reader}`),
    );

    const sink = sinkOver(database, {
      spec: { ...part, provisioning: 'existing' },
      credentials: {
        username: writer,
        password: 'secret',
        host: database.credentials.host,
        port: String(database.credentials.port),
      },
    });
    try {
      const report = await sink.testConnection(limit());
      expect(report.steps.filter(({ status }) => status !== 'passed')).toEqual([]);
      const first = await snapshot(
        0,
        items(1_500, (index) => ({ index })),
      );
      await expect(sink.export(first, limit())).resolves.toMatchObject({ outcome: 'applied' });
      // More changes than one batch holds.
      const second = await snapshot(
        1,
        items(1_400, (index) => ({ index: index + 1 })),
      );
      await expect(sink.export(second, limit())).resolves.toMatchObject({ outcome: 'applied' });
      if (part.mode !== 'append')
        expect(await tableContents(database, part.deletes === 'soft' ? 'deleted_at IS NULL' : 'true')).toEqual(
          contentsOf(second),
        );
      await expect(
        sink.removeInventory?.(
          { cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'web' },
          { ...limit(), removedAt: '2026-01-31T13:00:00.000Z' },
        ),
      ).resolves.toBeDefined();
    } finally {
      await sink.close();
    }

    const portal = await database.client({ user: reader, password: 'secret' });
    try {
      await expect(
        portal.query(`SELECT * FROM ${part.mode === 'append' ? 'inventory' : 'inventory_current'}`),
      ).resolves.toBeDefined();
      await expect(portal.query('DELETE FROM inventory')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await portal.end();
    }
  },
);

test('the view tells the last change of a row from the snapshot that confirmed it', async () => {
  const sink = sinkOver(database);
  try {
    await sink.export(await snapshot(0, items(1), { generation: 1 }), limit());
    await sink.export(await snapshot(1, items(2), { generation: 2 }), limit());
  } finally {
    await sink.close();
  }
  const rows = await database.query(
    'SELECT source_uid, changed_generation::int, changed_at, snapshot_generation::int, snapshot_exported_at FROM inventory_current ORDER BY 1',
  );
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 31, 12, minute));
  expect(rows).toEqual([
    {
      source_uid: 'uid-web-0',
      changed_generation: 1,
      changed_at: at(0),
      snapshot_generation: 2,
      snapshot_exported_at: at(1),
    },
    {
      source_uid: 'uid-web-1',
      changed_generation: 2,
      changed_at: at(1),
      snapshot_generation: 2,
      snapshot_exported_at: at(1),
    },
  ]);
});

test('the retention that docs/postgres.md recommends keeps the last snapshot of each inventory', async () => {
  const sink = sinkOver(database, { spec: { mode: 'append', table: 'events' } });
  try {
    for (const minute of [0, 1, 2]) await sink.export(await snapshot(minute, items(minute)), limit());
  } finally {
    await sink.close();
  }
  const { readFile } = await import('node:fs/promises');
  const page = await readFile(new URL('../../docs/postgres.md', import.meta.url), 'utf8');
  const statement = /DELETE FROM events[^;]*;/.exec(page)?.[0] ?? '';
  await database.query(statement.replace("interval '30 days'", "interval '1 second'"));
  expect(await database.query('SELECT exported_at FROM events')).toEqual([
    { exported_at: new Date(Date.UTC(2026, 0, 31, 12, 2)) },
  ]);
});
