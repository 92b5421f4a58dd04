import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closedPort, fakeLookup, startServer } from './connection.fixture.ts';
import { createEgressPolicy } from './egress-policy.ts';

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const answers = {
  'db.example': [['127.0.0.1']],
  'many.example': [['169.254.169.254', '::1', '127.0.0.1']],
  'metadata.example': [['169.254.169.254']],
};

const failure = (socket: Socket): Promise<{ readonly code: unknown; readonly destroyed: boolean }> =>
  new Promise((resolve) => {
    socket.once('error', (error: { readonly code?: unknown }) => {
      resolve({ code: error.code, destroyed: socket.destroyed });
    });
  });

test.each<[string, (socket: Socket, port: number) => Socket]>([
  ['port and host', (socket, port) => socket.connect(port, '127.0.0.1')],
  ['options', (socket, port) => socket.connect({ port, host: '127.0.0.1' })],
  ['a name', (socket, port) => socket.connect({ port, host: 'db.example' })],
  ['a name with several addresses, one denied and one dead', (socket, port) => socket.connect(port, 'many.example')],
  [
    'setters before connect',
    (socket, port) => socket.setNoDelay(true).setKeepAlive(true, 1000).setTimeout(60_000).connect(port, '127.0.0.1'),
  ],
])('connects by %s and carries data', async (_, connect) => {
  const socket = connect(createEgressPolicy({ lookup: fakeLookup(answers) }).socket(), server.port);
  expect(await text(socket)).toBe('hello from 127.0.0.1');
  socket.destroy();
});

test('calls the connection listener in each form', async () => {
  const { socket } = createEgressPolicy();
  const forms: ((socket: Socket, listener: () => void) => Socket)[] = [
    (socket, listener) => socket.connect(server.port, '127.0.0.1', listener),
    (socket, listener) => socket.connect({ port: server.port, host: '127.0.0.1' }, listener),
  ];
  for (const connect of forms) {
    const made = socket();
    await new Promise<void>((resolve) => {
      connect(made, resolve);
    });
    made.destroy();
  }
});

test.each<[string, (socket: Socket) => Socket]>([
  ['a denied address', (socket) => socket.connect(80, '169.254.169.254')],
  ['a denied address in options', (socket) => socket.connect({ port: 80, host: '::ffff:169.254.169.254' })],
  ['a zone suffix', (socket) => socket.connect({ port: 80, host: 'fe80::1%lo' })],
  ['a name for a denied address', (socket) => socket.connect(80, 'metadata.example')],
  ['a path', (socket) => socket.connect('/var/run/postgresql/.s.PGSQL.5432')],
  ['a path in options', (socket) => socket.connect({ path: '/var/run/postgresql/.s.PGSQL.5432' })],
  [
    'a lookup of its own',
    (socket) =>
      socket.connect({
        port: 80,
        host: 'metadata.example',
        lookup: (_, __, callback) => {
          callback(null, '127.0.0.1', 4);
        },
      }),
  ],
])('%s ends in an error event with EGRESS_DENIED', async (_, connect) => {
  const socket = connect(createEgressPolicy({ lookup: fakeLookup(answers) }).socket());
  expect(await failure(socket)).toEqual({ code: 'EGRESS_DENIED', destroyed: true });
});

test('without a host it is localhost, and that is looked up and checked', async () => {
  const { socket } = createEgressPolicy({ lookup: fakeLookup({ localhost: [['127.0.0.1']] }), deny: ['127.0.0.0/8'] });
  expect(await failure(socket().connect(server.port))).toEqual({ code: 'EGRESS_DENIED', destroyed: true });
});

test('a port where nobody listens is the ordinary error', async () => {
  const socket = createEgressPolicy()
    .socket()
    .connect(await closedPort(), '127.0.0.1');
  expect(await failure(socket)).toEqual({ code: 'ECONNREFUSED', destroyed: true });
});

test('destroyed while resolving, it dials nobody and says nothing', async () => {
  const before = server.accepted();
  const lookup = fakeLookup(answers);
  const socket = createEgressPolicy({ lookup }).socket();
  socket.connect(server.port, 'db.example');
  socket.destroy();
  await once(socket, 'close');
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect([lookup.asked, server.accepted() - before, socket.connecting]).toEqual([['db.example'], 0, false]);
});
