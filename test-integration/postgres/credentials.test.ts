import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Credentials, HostIdentityPart, KollectSink } from '@kollect/core';
import { queryOnce, type DatabaseAccess } from '../servers/postgres-database.ts';
import { items, limit, sinkOver, snapshot } from './sink.ts';
import { openTestDatabase, testServer } from '../support/postgres.ts';

let database: DatabaseAccess;
/** Everything that a DSN must encode, and what SQL must quote. */
const awkward = `p@s/s:w?o#r%d "quoted" 'single' \\ ü`;
const role = `rotating_${randomBytes(4).toString('hex')}`;
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

beforeAll(async () => {
  database = await openTestDatabase();
  await database.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD ${quoted(awkward)}`);
});
afterAll(async () => {
  await database.drop();
  await queryOnce(testServer(), `DROP ROLE ${role}`);
});

const server = () => ({ host: database.credentials.host, port: String(database.credentials.port) });
async function using<T>(
  credentials: Credentials | (() => Credentials),
  run: (sink: KollectSink) => Promise<T>,
): Promise<T> {
  const sink = sinkOver(database, { credentials });
  try {
    return await run(sink);
  } finally {
    await sink.close();
  }
}

test('single credentials and a DSN both log in, with every awkward character', async () => {
  const { host, port } = server();
  for (const credentials of [
    { username: role, password: awkward, host, port },
    { dsn: `postgresql://${role}:${encodeURIComponent(awkward)}@${host}:${port}/${database.database}?sslmode=disable` },
  ]) {
    await expect(using(credentials, (sink) => sink.testConnection(limit()))).resolves.toMatchObject({ ok: true });
  }
});

test('a wrong password is AUTHENTICATION_FAILED, and no output shows it', async () => {
  const wrong = 'wrong-hunter2';
  await using({ username: role, password: wrong, ...server() }, async (sink) => {
    const report = await sink.testConnection(limit());
    expect(report.steps.find(({ status }) => status === 'failed')).toMatchObject({
      name: 'authenticate',
      code: 'AUTHENTICATION_FAILED',
    });
    const error: unknown = await sink.export(await snapshot(0, items(1)), limit()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED', retryable: false, reason: 'forbidden' });
    expect(`${JSON.stringify(report)}${JSON.stringify(error)}${(error as Error).stack ?? ''}`).not.toContain(wrong);
  });
});

test('without a password the one of the host is not taken', async () => {
  process.env['PGPASSWORD'] = awkward;
  try {
    const error: unknown = await using({ username: role, ...server() }, async (sink) =>
      sink.export(await snapshot(0, items(1)), limit()),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  } finally {
    delete process.env['PGPASSWORD'];
  }
});

/** Runs with variables of the host's environment that are not there otherwise. */
async function withEnvironment<T>(variables: Readonly<Record<string, string>>, run: () => Promise<T>): Promise<T> {
  Object.assign(process.env, variables);
  try {
    return await run();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
}

test("no variable of the host's libpq reaches the server", async () => {
  const variables = {
    PGOPTIONS: '-c no_such_setting=1',
    PGREPLICATION: 'database',
    PGAPPNAME: 'the host',
    PGSSLMODE: 'require',
    PGSSLNEGOTIATION: 'direct',
    PGCLIENTENCODING: 'LATIN1',
    PGCLIENT_ENCODING: 'latin1',
    PGCONNECT_TIMEOUT: '1',
    PGUSER: 'nobody',
    PGDATABASE: 'nowhere',
    PGHOST: 'nohost.invalid',
    PGPORT: '1',
    PGPASSFILE: '/nowhere',
    PGSERVICE: 'none',
    PGTZ: 'nowhere',
  };
  const spec = { applicationName: '' };
  const sink = sinkOver(database, { spec, credentials: { username: role, password: awkward, ...server() } });
  try {
    await withEnvironment(variables, async () => {
      await expect(sink.testConnection(limit())).resolves.toMatchObject({ ok: true });
      const given = items(1, () => ({ text: 'žluťoučký kůň' }));
      await expect(sink.export(await snapshot(0, given), limit())).resolves.toMatchObject({ outcome: 'applied' });
    });
    const [{ payload } = {}] = await database.query('SELECT payload FROM inventory');
    expect(payload).toMatchObject({ attributes: { text: 'žluťoučký kůň' } });
    const sessions = await database.query(
      `SELECT application_name AS name FROM pg_stat_activity WHERE usename = '${role}'`,
    );
    expect(sessions).toEqual([{ name: '' }]);
  } finally {
    await sink.close();
    await database.query('DROP TABLE IF EXISTS inventory, inventory_exports CASCADE');
  }
});

test('a host that allows it gives its PGOPTIONS to its sinks', async () => {
  const credentials = { username: role, password: awkward, ...server() };
  const connect = (options: string, allow: readonly HostIdentityPart[]) =>
    withEnvironment({ PGOPTIONS: options }, async () => {
      const sink = sinkOver(database, { credentials, hostIdentity: [{ allow, types: ['postgres'] }] });
      try {
        return await sink.testConnection(limit());
      } finally {
        await sink.close();
      }
    });
  expect(await connect('-c no_such_setting=1', ['clientConfig'])).toMatchObject({ ok: false });
  expect(await connect('-c work_mem=8MB', ['clientConfig'])).toMatchObject({ ok: true });
  expect(await connect('-c no_such_setting=1', ['proxy', 'cloudCredentials'])).toMatchObject({ ok: true });
});

test('a rotated password arrives at the next connect', async () => {
  let password = awkward;
  await using(
    () => ({ username: role, password, ...server() }),
    async (sink) => {
      await sink.export(await snapshot(0, items(1)), limit());
      password = 'rotated';
      await database.query(`ALTER ROLE ${role} PASSWORD 'rotated'`);
      await database.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role]);
      await expect(sink.export(await snapshot(1, items(2)), limit())).resolves.toMatchObject({ outcome: 'applied' });
      await database.query(`ALTER ROLE ${role} PASSWORD ${quoted(awkward)}`);
    },
  );
});

test('mixed credentials are refused before anything is dialled', async () => {
  const mixed = { dsn: `postgresql://${role}@127.0.0.1:1`, username: role };
  const open = using(mixed, (sink) => Promise.resolve(sink.open?.(limit())));
  await expect(open).rejects.toMatchObject({
    code: 'SPEC_INVALID',
    message: expect.stringContaining('dsn and username'),
  });
});
