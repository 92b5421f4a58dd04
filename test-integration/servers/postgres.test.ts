import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestDatabase, testServer } from '../support/postgres.ts';
import { startPostgres, type PostgresServer } from './index.ts';

const START_MS = 120_000;

describe('the PostgreSQL of the test run', () => {
  test('gives each test file a database of its own', async () => {
    const [first, second] = await Promise.all([openTestDatabase(), openTestDatabase()]);
    try {
      await first.query('CREATE TABLE mine (a int)');
      expect(await second.query('SELECT 1 FROM pg_tables WHERE tablename = $1', ['mine'])).toEqual([]);
    } finally {
      await Promise.all([first.drop(), second.drop()]);
    }
    await expect(first.query('SELECT 1')).rejects.toThrow(/does not exist/);
  });

  test('says which version it is', async () => {
    const database = await openTestDatabase();
    expect(await database.query('SHOW server_version')).toEqual([{ server_version: testServer().version }]);
    await database.drop();
  });

  test('drops a database that is in use, without an unhandled error in its client', async () => {
    const database = await openTestDatabase();
    const client = await database.client();
    const ended = new Promise((resolve) => {
      client.once('end', resolve);
    });
    await database.drop();
    await ended;
  });
});

describe('a PostgreSQL of a test’s own', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ settings: { work_mem: '5MB' } });
  }, START_MS);
  afterAll(() => server.stop(), START_MS);

  test.each(['fast', 'immediate', 'kill'] as const)(
    'keeps port and committed rows over a restart: %s',
    async (mode) => {
      const { port } = server;
      const database = await server.createDatabase();
      await database.query('CREATE TABLE kept AS SELECT 42 AS answer');
      const busy = await database.client();
      const cut = busy.query('SELECT pg_sleep(600)').then(
        () => 'answered',
        () => 'cut',
      );
      await server.restart(mode);
      expect(await cut).toBe('cut');
      expect(await database.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
      expect(server.port).toBe(port);
      await database.drop();
    },
    START_MS,
  );

  test('takes the settings it was given, and writes to disk as in production', async () => {
    const database = await server.createDatabase();
    expect(await database.query('SHOW work_mem')).toEqual([{ work_mem: '5MB' }]);
    expect(await database.query('SHOW fsync')).toEqual([{ fsync: 'on' }]);
    await database.drop();
  });

  test('speaks TLS with a certificate of its authority, and plain TCP', async () => {
    const database = await server.createDatabase();
    const encrypted = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
    expect(await database.query(encrypted)).toEqual([{ ssl: false }]);
    const client = await database.client({ ssl: { ca: server.ca } });
    expect((await client.query(encrypted)).rows).toEqual([{ ssl: true }]);
    await client.end();
    await database.drop();
  });

  test('lets the certificate role in with its certificate alone', async () => {
    const database = await server.createDatabase();
    const { username, cert, key } = server.clientCertificate ?? { username: '', cert: '', key: '' };
    const client = await database.client({ user: username, password: '', ssl: { ca: server.ca, cert, key } });
    expect((await client.query('SELECT current_user')).rows).toEqual([{ current_user: username }]);
    await client.end();
    await expect(database.client({ user: username, ssl: { ca: server.ca } })).rejects.toThrow(/certificate/);
    await expect(database.client({ user: username })).rejects.toThrow(/rejects connection/);
    await database.drop();
  });

  test('refuses a wrong password', async () => {
    await expect(
      server.createDatabase('guarded').then((database) => database.client({ password: 'wrong' })),
    ).rejects.toThrow(/password authentication failed/);
  });
});

describe('a PostgreSQL that cannot start', () => {
  test(
    'shows the end of its log',
    async () => {
      await expect(startPostgres({ settings: { no_such_setting: '1' } })).rejects.toThrow(/no_such_setting/);
    },
    START_MS,
  );

  test('refuses an unknown way to start one', async () => {
    const before = process.env['KOLLECT_TEST_SERVERS'];
    process.env['KOLLECT_TEST_SERVERS'] = 'cloud';
    try {
      await expect(startPostgres()).rejects.toThrow(
        'KOLLECT_TEST_SERVERS is "cloud": set it to "containers" or "local", or leave it away.',
      );
    } finally {
      if (before === undefined) delete process.env['KOLLECT_TEST_SERVERS'];
      else process.env['KOLLECT_TEST_SERVERS'] = before;
    }
  });
});

test('a port that is taken stays with its owner', async () => {
  const { freePort } = await import('./ports.ts');
  const port = await freePort();
  const owner = createServer();
  await new Promise<void>((resolve) => {
    owner.listen(port, '127.0.0.1', resolve);
  });
  expect(await freePort()).not.toBe(port);
  owner.close();
});
