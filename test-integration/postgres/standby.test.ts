import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { KollectSink } from '@kollect/core';
import { freePort } from '../servers/ports.ts';
import { startPostgres, type PostgresServer } from '../servers/postgres.ts';
import { queryOnce, type DatabaseAccess } from '../servers/postgres-database.ts';
import { openTestDatabase, testServer } from '../support/postgres.ts';
import { contentsOf, items, limit, sinkOver, snapshot, tableContents } from './sink.ts';

const writer = { username: `writer_${randomBytes(4).toString('hex')}`, password: randomBytes(8).toString('hex') };
let primary: DatabaseAccess;
let standby: PostgresServer;
let sinks: KollectSink[] = [];
beforeAll(async () => {
  primary = await openTestDatabase();
  standby = await startPostgres();
  const database = await standby.createDatabase(primary.database);
  // A role that both know: each has a superuser of its own.
  for (const each of [primary, database])
    await each.query(`CREATE ROLE ${writer.username} SUPERUSER LOGIN PASSWORD '${writer.password}'`);
  // The working directory of the server is that of its data, wherever it runs.
  await database.query(`COPY (SELECT '') TO PROGRAM 'cat > standby.signal'`);
  await standby.restart('fast');
}, 180_000);
afterEach(async () => {
  await Promise.all(sinks.map((sink) => sink.close()));
  sinks = [];
});
afterAll(async () => {
  await standby.stop();
  await primary.drop();
  await queryOnce(testServer(), `DROP ROLE ${writer.username}`);
});

const open = (credentials: Readonly<Record<string, string>>): KollectSink => {
  const sink = sinkOver(primary, { credentials, spec: { connectTimeout: '2s' } });
  sinks.push(sink);
  return sink;
};
const login = `${writer.username}:${writer.password}`;
const at = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;

test('a standby that has no table yet is UNAVAILABLE: the table comes with replication, or the primary is elsewhere', async () => {
  const sink = open({ dsn: `postgresql://${login}@${at(standby)}` });
  await expect(sink.export(await snapshot(0, items(1)), limit())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
    message: expect.stringContaining('The server is a standby and takes no writes.'),
  });
});

describe('a dsn of several servers', () => {
  test('finds the one that takes writes, behind one that is down and a standby', async () => {
    const down = { host: '127.0.0.1', port: await freePort() };
    const servers = [down, standby, primary.credentials].map(at).join(',');
    const sink = open({ dsn: `postgresql://${login}@${servers}/${primary.database}?target_session_attrs=read-write` });
    const next = await snapshot(0, items(3));
    await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied' });
    expect(await tableContents(primary)).toEqual(contentsOf(next));
    await expect(sink.testConnection(limit())).resolves.toMatchObject({ ok: true });
  });

  test('the same as keywords, and as single credentials', async () => {
    const hosts = [standby, primary.credentials];
    const [host, port] = [hosts.map((each) => each.host).join(','), hosts.map((each) => each.port).join(',')];
    for (const credentials of [
      {
        dsn: `host=${host} port=${port} user=${writer.username} password='${writer.password}' dbname=${primary.database}`,
      },
      { host, port, ...writer },
    ]) {
      await expect(open(credentials).export(await snapshot(0, items(3)), limit())).resolves.toMatchObject({
        outcome: expect.stringMatching(/applied|unchanged/),
      });
    }
  });

  test('says of each why it could not be used where none takes writes', async () => {
    const down = { host: '127.0.0.1', port: await freePort() };
    const sink = open({ dsn: `postgresql://${login}@${at(down)},${at(standby)}` });
    await expect(sink.export(await snapshot(0, items(1)), limit())).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      message: expect.stringMatching(
        new RegExp(`None of 2 servers .*\\(1\\) .*ECONNREFUSED.*${at(down)}.*\\(2\\) ${at(standby)} is a standby`),
      ),
    });
  });

  test('a login that one server refuses is not tried at the others', async () => {
    const servers = [standby, primary.credentials].map(at).join(',');
    const sink = open({ dsn: `postgresql://${writer.username}:wrong@${servers}` });
    const error = await sink.export(await snapshot(0, items(1)), limit()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED', retryable: false });
    expect(error).toMatchObject({ message: expect.stringContaining(at(standby)) });
  });

  test('a server that is told to be read-only is none that takes writes', async () => {
    await primary.query(`ALTER ROLE ${writer.username} SET default_transaction_read_only = on`);
    try {
      const sink = open({ dsn: `postgresql://${login}@${at(primary.credentials)}?target_session_attrs=read-write` });
      await expect(sink.export(await snapshot(0, items(1)), limit())).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('is read-only, and the sink needs a server that takes writes'),
      });
    } finally {
      await primary.query(`ALTER ROLE ${writer.username} RESET default_transaction_read_only`);
    }
  });
});
