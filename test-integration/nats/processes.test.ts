import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { sinkErrorCodes } from '@kollect/core';
import type { NatsSpec } from '@kollect/sink-nats';
import { damage, fuzz, fuzzTimeoutMs, type Random } from '../../packages/core/src/contract/fuzz.fixture.ts';
import { addressesOf, openTestStream, testNats } from '../support/nats.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});

async function listen(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    serve(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Seen {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly left: number;
  readonly grownKb: number;
  readonly megabytes: number;
}

/** What a process saw that did its exports with the built packages and a small heap; it ended by itself and printed nothing else, or this rejects. */
async function seenBy(
  spec: Partial<NatsSpec>,
  { count = 1, deadlineMs = 10_000, timeout = 60_000 } = {},
): Promise<Seen> {
  const fixture = fileURLToPath(new URL('short-lived.fixture.ts', import.meta.url));
  const nats = { stream: 'inventory', connectTimeout: '500ms', requestTimeout: '500ms', ...spec };
  const flags = [
    '--expose-gc',
    '--max-old-space-size=128',
    '--trace-warnings',
    '--disable-warning=ExperimentalWarning',
  ];
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [...flags, fixture, JSON.stringify(nats), String(count), String(deadlineMs)],
    { timeout, killSignal: 'SIGKILL' },
  );
  expect(stderr).toBe('');
  const seen: Seen = JSON.parse(stdout);
  expect(seen.left).toBe(0);
  return seen;
}

describe('a process', () => {
  test('exports, closes and ends', async () => {
    const stream = await openTestStream();
    const spec = { servers: addressesOf(testNats()), stream: stream.name, subjectPrefix: stream.prefix };
    const seen = await seenBy(
      { ...spec, maxMessageBytes: 8_192, requestTimeout: '5s', connectTimeout: '5s' },
      { count: 3 },
    );
    expect(seen.outcomes).toEqual({ applied: 3 });
    await stream.close();
  }, 60_000);

  test('keeps a flat heap over 20 000 exports', async () => {
    const stream = await openTestStream({ config: { max_msgs_per_subject: 1_000 } });
    const spec = { servers: addressesOf(testNats()), stream: stream.name, subjectPrefix: stream.prefix };
    const seen = await seenBy({ ...spec, requestTimeout: '5s' }, { count: 20_000, timeout: 160_000 });
    expect(seen.outcomes).toEqual({ applied: 20_000 });
    expect(seen.grownKb).toBeLessThan(4_096);
    await stream.close();
  }, 180_000);

  test.each([
    ['refuses', undefined, 'UNAVAILABLE'],
    ['says nothing', () => undefined, 'TIMEOUT'],
    ['hangs up', (socket: Socket) => void socket.end(), 'UNAVAILABLE'],
  ])(
    'ends where the server %s',
    async (_, serve, code) => {
      const address = serve === undefined ? '127.0.0.1:1' : await listen(serve);
      expect((await seenBy({ servers: [address] }, { count: 2 })).outcomes).toEqual({ [code]: 2 });
    },
    60_000,
  );
});

const greeting =
  'INFO {"version":"2.15.3","headers":true,"max_payload":1048576,"jetstream":true,"connect_urls":["127.0.0.1:1"]}\r\n';
const state = {
  config: { subjects: ['kollect.inventory.>'], retention: 'limits', num_replicas: 1, allow_atomic: true },
};
const noMessage = { error: { code: 404, err_code: 10037 } };

/** A server that lets everybody in, and answers each request by what `answer` makes of its subject. */
const answering =
  (answer: (subject: string) => string | Buffer) =>
  (socket: Socket): void => {
    let text = '';
    socket.write(greeting);
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      if (text.includes('PING\r\n')) socket.write('PONG\r\n');
      for (const [, subject = '', reply = ''] of text.matchAll(/H?PUB (\S+) (\S+) [\d ]+\r\n/gu)) {
        const body = Buffer.from(answer(subject));
        socket.write(Buffer.concat([Buffer.from(`MSG ${reply} 1 ${body.length}\r\n`), body, Buffer.from('\r\n')]));
      }
      text = '';
    });
  };
const sensible = (subject: string): string =>
  JSON.stringify(
    subject.includes('INFO') ? state : subject.includes('MSG.GET') ? noMessage : { stream: 'inventory', seq: 8 },
  );

describe('whatever a server sends', () => {
  test.each<[string, (socket: Socket) => void, readonly string[]]>([
    ['a greeting without end', (socket) => pour(socket, Buffer.alloc(65_536, 'x')), ['BACKEND_ERROR']],
    ['a greeting that is no JSON', (socket) => void socket.write('INFO {"version\r\n'), ['BACKEND_ERROR']],
    ['another protocol', (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), ['BACKEND_ERROR']],
    ['a login that never ends', (socket) => pour(socket, Buffer.from(greeting)), ['BACKEND_ERROR']],
    [
      'pings without end',
      (socket) => (socket.write(greeting), pour(socket, Buffer.from('PING\r\n'.repeat(1_000)))),
      ['BACKEND_ERROR'],
    ],
    ['an answer of a gigabyte', (socket) => huge(socket), ['BACKEND_ERROR']],
    ['answers that are no JSON', answering(() => 'x'), ['BACKEND_ERROR']],
    ['answers that are null', answering(() => 'null'), ['SCHEMA_MISMATCH', 'BACKEND_ERROR']],
    [
      'an acknowledgement of another stream',
      answering((subject) => sensible(subject).replace('"inventory"', '"other"')),
      ['UNAVAILABLE'],
    ],
    [
      'races without end',
      answering((subject) => (subject.startsWith('$JS') ? sensible(subject) : '{"error":{"err_code":10071}}')),
      ['OVERLOADED'],
    ],
    [
      'sequences that are no numbers',
      answering((subject) => sensible(subject).replaceAll(/"seq":\d/gu, '"seq":1e400')),
      ['BACKEND_ERROR', 'UNAVAILABLE'],
    ],
  ])(
    '%s',
    async (_, serve, codes) => {
      const seen = await seenBy({ servers: [await listen(serve)], requestTimeout: '500ms' }, { count: 1 });
      for (const code of Object.keys(seen.outcomes)) expect(codes).toContain(code);
      expect(seen.megabytes).toBeLessThan(400);
    },
    60_000,
  );

  test(
    'damaged bytes end no process: every outcome is one of ours',
    async () => {
      await fuzz(4, async (random) => {
        const address = await listen((socket) => damaged(socket, random));
        const { outcomes } = await seenBy(
          { servers: [address], connectTimeout: '150ms', requestTimeout: '150ms' },
          { count: 25 },
        );
        for (const outcome of Object.keys(outcomes))
          expect([...sinkErrorCodes, 'applied', 'unchanged', 'superseded']).toContain(outcome);
      });
    },
    fuzzTimeoutMs + 60_000,
  );
});

function damaged(socket: Socket, random: Random): void {
  const write = socket.write.bind(socket);
  const spoilt = (bytes: string | Uint8Array): boolean =>
    write(random(3) === 0 ? damage(Buffer.from(bytes), random) : Buffer.from(bytes));
  answering(sensible)(Object.assign(socket, { write: spoilt }));
}

function pour(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

function huge(socket: Socket): void {
  socket.write(greeting);
  socket.on('data', (bytes: Buffer) => {
    if (bytes.includes('PING\r\n')) socket.write('PONG\r\n');
    const reply = / (_INBOX\.\S+) /u.exec(bytes.toString('latin1'))?.[1];
    if (reply === undefined) return;
    socket.write(`MSG ${reply} 1 1073741824\r\n`);
    pour(socket, Buffer.alloc(65_536, 'x'));
  });
}
