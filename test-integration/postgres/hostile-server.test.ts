import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { sinkErrorCodes } from '@kollect/core';
import { damage, fuzz, fuzzTimeoutMs, type Random } from '../../packages/core/src/contract/fuzz.fixture.ts';
import { createAuthority } from '../servers/certificates.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { programPath, type HostileRun } from './hostile-exports.fixture.ts';

let database: DatabaseAccess;
const servers: Server[] = [];
const sockets = new Set<Socket>();
beforeAll(async () => {
  database = await openTestDatabase();
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => database.drop());

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    serve(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { readonly port: number }).port;
}

/** A program of its own with a small heap exports to this port: that it ends by itself, and tells how, is what the test is about. */
async function exportTo(port: number, count: number, spec: object = {}): Promise<HostileRun> {
  const credentials = { ...database.credentials, host: '127.0.0.1', port };
  const login = JSON.stringify({ database: database.database, credentials });
  const limits = { table: 'hostile', connectTimeout: '500ms', statementTimeout: '500ms', ...spec };
  const flags = ['--max-old-space-size=128', '--disable-warning=ExperimentalWarning'];
  const args = [...flags, programPath, login, String(count), JSON.stringify(limits)];
  // One that spins listens to nothing else.
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 25_000, killSignal: 'SIGKILL' });
  const run = JSON.parse(stdout) as HostileRun;
  expect(run.megabytes).toBeLessThan(400);
  return run;
}

const i32 = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
};
const message = (type: string, body: Buffer | string = ''): Buffer =>
  Buffer.concat([Buffer.from(type), i32(Buffer.byteLength(body) + 4), Buffer.from(body)]);
const login = Buffer.concat([message('R', i32(0)), message('K', Buffer.concat([i32(1), i32(2)])), message('Z', 'I')]);

/** A server that lets everybody in and answers the first statement with these bytes, or with as many of them as the socket takes. */
const answering =
  (bytes: Buffer, { endless = false } = {}) =>
  (socket: Socket): void => {
    let received = 0;
    const pour = (): void => {
      while (socket.writable && socket.write(bytes));
    };
    socket.on('data', () => {
      received += 1;
      if (received === 1) socket.write(login);
      else if (!endless) socket.write(bytes);
      else {
        socket.on('drain', pour);
        pour();
      }
    });
  };

const greeting =
  (bytes: Buffer) =>
  (socket: Socket): void =>
    void socket.once('data', () => socket.write(bytes));

describe('a server that sends what no PostgreSQL would ends no process, fills no memory and is told', () => {
  test.each<[string, (socket: Socket) => void, string, RegExp]>([
    ['asks for gss', greeting(message('R', i32(7))), 'AUTHENTICATION_FAILED', /method "gss".*scram-sha-256/u],
    [
      'asks for hashing without end',
      (socket) => {
        let asked = 0;
        socket.on('data', (bytes) => {
          asked += 1;
          const nonce = /r=([^,]+)/u.exec(bytes.toString('latin1'))?.[1] ?? '';
          const challenge = `r=${nonce}abc,s=QUJD,i=2147483647`;
          const body = asked === 1 ? [i32(10), Buffer.from('SCRAM-SHA-256\0\0')] : [i32(11), Buffer.from(challenge)];
          socket.write(message('R', Buffer.concat(body)));
        });
      },
      'AUTHENTICATION_FAILED',
      /rounds of hashing.*scram_iterations/u,
    ],
    ['speaks HTTP', greeting(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), 'BACKEND_ERROR', /Check host and port/u],
    ['announces a gigabyte', greeting(Buffer.concat([Buffer.from('E'), i32(1e9)])), 'BACKEND_ERROR', /protocol/u],
    ['sends a row cut short', answering(message('D', Buffer.from([0x7f, 0xff]))), 'UNAVAILABLE', /not what it says/u],
    ['sends columns cut short', answering(message('T', Buffer.from([0x7f, 0xff]))), 'UNAVAILABLE', /not what it says/u],
    [
      'sends a COPY cut short',
      answering(message('G', Buffer.from([0, 0x7f, 0xff]))),
      'UNAVAILABLE',
      /not what it says/u,
    ],
    ['sends a notification cut short', answering(message('A', i32(1))), 'UNAVAILABLE', /not what it says/u],
    ['sends a key cut short', answering(message('K', i32(1))), 'UNAVAILABLE', /does not belong/u],
    ['sends an error without an end', answering(message('E', 'SFATAL')), 'UNAVAILABLE', /not what it says/u],
    ['sends a row and nothing more', answering(message('D', Buffer.from([0, 0]))), 'TIMEOUT', /Gave up/u],
    [
      'sends rows without end',
      answering(Buffer.concat(Array.from({ length: 500 }, () => message('D', Buffer.from([0, 0])))), { endless: true }),
      'UNAVAILABLE',
      /more than 16 MiB for an answer/u,
    ],
    [
      'sends notices without end',
      answering(message('N', `SNOTICE\0M${'x'.repeat(50_000)}\0\0`), { endless: true }),
      'UNAVAILABLE',
      /more than 16 MiB/u,
    ],
    ['sends a message without end', answering(Buffer.alloc(65_536, 'D'), { endless: true }), 'UNAVAILABLE', /16 MiB/u],
    ['says nothing more', answering(Buffer.alloc(0)), 'TIMEOUT', /Gave up/u],
  ])('one that %s', async (_, serve, code, words) => {
    const { endings, messages } = await exportTo(await listen(serve), 1);
    expect([endings, messages]).toEqual([[code], [expect.stringMatching(words)]]);
    expect(messages[0]).not.toMatch(/xxx|Bad Request|DDD/u);
  });
});

test('within TLS the same is seen, where the driver reads what was decrypted', async () => {
  const { key, cert } = await (await createAuthority()).issue({ commonName: 'localhost', hosts: ['127.0.0.1'] });
  const serve = answering(message('D', Buffer.from([0x7f, 0xff])));
  const port = await listen((socket) => {
    // The driver asks for TLS in the clear first.
    socket.once('data', () => {
      socket.write('S');
      const secure = new TLSSocket(socket, { isServer: true, key, cert });
      sockets.add(secure.on('error', () => undefined));
      serve(secure);
    });
  });
  const { endings, messages } = await exportTo(port, 1, { tls: { mode: 'require' } });
  expect([endings, messages]).toEqual([['UNAVAILABLE'], [expect.stringMatching(/not what it says/u)]]);
});

/** Passes on what a real server sends, damaged from some chunk on. */
const damaging =
  (random: Random) =>
  (socket: Socket): void => {
    const server = connect(database.credentials.port, database.credentials.host);
    sockets.add(server.on('error', () => socket.destroy()).on('close', () => socket.destroy()));
    socket.on('close', () => server.destroy());
    socket.pipe(server);
    let whole = random(14);
    server.on('data', (bytes) => {
      whole -= 1;
      if (socket.writable) socket.write(whole >= 0 || random(3) === 0 ? bytes : damage(bytes, random));
    });
  };

test(
  'a server whose bytes are damaged on the way ends no process, whatever they become',
  async () => {
    const seen = new Set<string>();
    await fuzz(2, async (random) => {
      const { endings, messages } = await exportTo(await listen(damaging(random)), 12);
      for (const [index, ending] of endings.entries()) {
        seen.add(ending);
        const known = ['applied', 'unchanged', 'superseded', ...sinkErrorCodes];
        if (!known.includes(ending)) throw new Error(`An export ended with ${ending}: ${messages[index] ?? ''}`);
      }
    });
    expect(seen.size).toBeGreaterThan(2);
  },
  60_000 + fuzzTimeoutMs,
);
