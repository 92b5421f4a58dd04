import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startPostgres, type PostgresServer } from '../servers/postgres.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { items, limit, sinkOver, snapshot } from './sink.ts';

let server: PostgresServer;
let database: DatabaseAccess;
beforeAll(async () => {
  server = await startPostgres();
  database = await server.createDatabase();
  // The working directory of the server is that of its data, wherever it runs.
  await database.query(`COPY (SELECT '') TO PROGRAM 'cat > standby.signal'`);
  await server.restart('fast');
}, 180_000);
afterAll(() => server.stop());

test('a standby that has no table yet is UNAVAILABLE: the table comes with replication, or the primary is elsewhere', async () => {
  expect(await database.query('SELECT pg_is_in_recovery() AS standby')).toEqual([{ standby: true }]);
  const sink = sinkOver({ ...database, credentials: { ...database.credentials, ...server.superuser } });
  await expect(sink.export(await snapshot(0, items(1)), limit())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
    message: expect.stringContaining('The server is read-only'),
  });
  await sink.close();
});
