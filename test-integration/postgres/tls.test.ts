import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSinkRegistry, type ConnectionReport, type TlsMaterial } from '@kollect/core';
import { postgresSink, type PostgresSpec } from '@kollect/sink-postgres';
import { createAuthority } from '../servers/certificates.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { items, limit, snapshot } from './sink.ts';
import { openTestDatabase, testServer } from '../support/postgres.ts';

let database: DatabaseAccess;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.drop());

interface Attempt {
  readonly tls?: PostgresSpec['tls'];
  readonly material?: TlsMaterial;
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string | undefined;
}

async function attempt({
  tls,
  material = {},
  ...login
}: Attempt): Promise<{ readonly report: ConnectionReport; readonly outcome: string; readonly encrypted: boolean }> {
  const { username, password, host, port } = { ...database.credentials, ...login };
  const credentials = { username, host, port: String(port), ...(password === undefined ? {} : { password }) };
  const spec = {
    database: database.database,
    table: 'inventory',
    applicationName: 'tls-test',
    ...(tls === undefined ? {} : { tls }),
  };
  const sink = createSinkRegistry([postgresSink]).create(
    { type: 'postgres', postgres: spec },
    { credentials, tls: material },
  );
  try {
    const report = await sink.testConnection(limit());
    const outcome = await sink.export(await snapshot(0, items(1)), limit()).then(
      () => 'exported',
      (error: { code: string }) => error.code,
    );
    const rows = await database.query<{ ssl: boolean }>(
      "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'tls-test' AND a.datname = current_database()",
    );
    return { report, outcome, encrypted: rows.some(({ ssl }) => ssl) };
  } finally {
    await sink.close();
  }
}

const ca = (): string => testServer().ca ?? '';

describe('what is trusted', () => {
  test.each<readonly [string, boolean, PostgresSpec['tls'], string, boolean]>([
    ['the default, with the CA', true, undefined, 'exported', true],
    ['the default, without the CA', false, undefined, 'TLS_FAILED', false],
    ['verify-full, another name', true, { mode: 'verify-full', serverName: 'elsewhere.example' }, 'TLS_FAILED', false],
    [
      'verify-full, the name of the certificate',
      true,
      { mode: 'verify-full', serverName: 'localhost' },
      'exported',
      true,
    ],
    ['verify-ca, another name', true, { mode: 'verify-ca', serverName: 'elsewhere.example' }, 'exported', true],
    ['verify-ca, without the CA', false, { mode: 'verify-ca' }, 'TLS_FAILED', false],
    ['require, without the CA', false, { mode: 'require' }, 'exported', true],
    ['disable', false, { mode: 'disable' }, 'exported', false],
  ])('%s', async (_, trusted, tls, outcome, encrypted) => {
    const result = await attempt({ ...(tls === undefined ? {} : { tls }), material: trusted ? { ca: ca() } : {} });
    expect([result.outcome, result.encrypted]).toEqual([outcome, encrypted]);
    // The connection test comes to the same end, at the step where it happens.
    const step = result.report.steps.find(({ name }) => name === 'tls');
    expect(step?.code).toBe(outcome === 'exported' ? 'OK' : 'TLS_FAILED');
    expect(result.report.ok).toBe(outcome === 'exported');
  });

  test('another CA than that of the server', async () => {
    const { ca: other } = await createAuthority('Somebody else');
    await expect(attempt({ material: { ca: other } })).resolves.toMatchObject({ outcome: 'TLS_FAILED' });
  });
});

test('a client certificate is a login', async () => {
  const { clientCertificate } = testServer();
  if (clientCertificate === undefined) throw new Error('The test server has no role with a certificate.');
  const { username, cert, key } = clientCertificate;
  await expect(attempt({ username, password: undefined, material: { ca: ca(), cert, key } })).resolves.toMatchObject({
    outcome: 'exported',
  });
  await expect(attempt({ username, password: undefined, material: { ca: ca() } })).resolves.toMatchObject({
    outcome: 'AUTHENTICATION_FAILED',
  });
});

test('channel binding: a login that is not bound to the channel is refused where the dsn asks for it', async () => {
  const { clientCertificate } = testServer();
  const { username, password, host, port } = database.credentials;
  const exporting = async (login: string, material: TlsMaterial): Promise<unknown> => {
    const sink = createSinkRegistry([postgresSink]).create(
      { type: 'postgres', postgres: { database: database.database, table: 'bound' } },
      { credentials: { dsn: `postgresql://${login}@${host}:${port}?channel_binding=require` }, tls: material },
    );
    try {
      return await sink.export(await snapshot(0, items(1)), limit());
    } finally {
      await sink.close();
    }
  };
  await expect(exporting(`${username}:${password}`, { ca: ca() })).resolves.toMatchObject({ outcome: 'applied' });
  const { username: role = '', cert = '', key = '' } = clientCertificate ?? {};
  await expect(exporting(role, { ca: ca(), cert, key })).rejects.toMatchObject({
    code: 'AUTHENTICATION_FAILED',
    message: expect.stringContaining('channel_binding=require'),
  });
});

test('a server without TLS is not spoken to in the clear', async () => {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      received.push(data);
      socket.write('N');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const { outcome, report } = await attempt({ host: '127.0.0.1', port, material: { ca: ca() } });
    expect(outcome).toBe('TLS_FAILED');
    expect(report.steps.find(({ status }) => status === 'failed')).toMatchObject({ name: 'tls', code: 'TLS_FAILED' });
    // Nothing but the question for TLS ever left this process.
    expect(new Set(received.map((data) => data.toString('hex')))).toEqual(new Set(['0000000804d2162f']));
    // libuv refuses to reset a socket that is shutting down, and Node spins for ever at its end then: the host could not exit.
    const child = fork(fileURLToPath(new URL('refused-tls.fixture.ts', import.meta.url)), [String(port)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const said = once(child, 'message');
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
    exited.catch(() => child.kill('SIGKILL'));
    expect(await said).toEqual(['TLS_FAILED', undefined]);
    expect(await exited).toEqual([0, null]);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
