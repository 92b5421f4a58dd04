import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { openTestDatabase, testServer } from '../support/postgres.ts';
import { startPgBouncer, type DatabaseAccess, type PgBouncer } from './index.ts';

const START_MS = 120_000;

describe('PgBouncer', () => {
  let database: DatabaseAccess;
  let bouncer: PgBouncer;
  beforeAll(async () => {
    database = await openTestDatabase();
    bouncer = await startPgBouncer({ postgres: testServer(), poolMode: 'transaction', poolSize: 1 });
  }, START_MS);
  afterAll(async () => {
    await bouncer.stop();
    await database.drop();
  }, START_MS);

  test('lends one server connection to two clients, a transaction at a time', async () => {
    const connectionString = bouncer.dsn({ database: database.database });
    const clients = [new Client({ connectionString }), new Client({ connectionString })] as const;
    await Promise.all(clients.map((client) => client.connect()));
    const backends = [];
    for (const client of clients)
      backends.push((await client.query('SELECT pg_backend_pid() AS pid, current_database() AS name')).rows[0]);
    expect(backends[1]).toEqual(backends[0]);
    expect(backends[0]).toMatchObject({ name: database.database });
    await Promise.all(clients.map((client) => client.end()));
  });

  test('shows the end of its log when it does not start', async () => {
    await expect(startPgBouncer({ postgres: testServer(), settings: { auth_type: 'riddle' } })).rejects.toThrow(
      /auth_type/,
    );
  });
});
