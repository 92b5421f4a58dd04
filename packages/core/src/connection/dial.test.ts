import { getEventListeners } from 'node:events';
import type { LookupFunction, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closedPort, fakeLookup, rejection, startServer } from './connection.fixture.ts';
import { dial } from './dial.ts';
import { createEgressPolicy } from './egress-policy.ts';

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const neverAnswers: LookupFunction = () => undefined;

/** The policy's dial, with the sockets it made. */
const observed = (lookup: LookupFunction) => {
  const { socket } = createEgressPolicy({ lookup });
  const sockets: Socket[] = [];
  const create = (): Socket => {
    const made = socket();
    sockets.push(made);
    return made;
  };
  return { sockets, dial: (options: Parameters<typeof dial>[1]) => dial(create, options) };
};

test('a connected socket, and nothing left on the signal', async () => {
  const { signal } = new AbortController();
  const { dial } = createEgressPolicy({ lookup: fakeLookup({ 'db.example': [['127.0.0.1']] }) });
  const socket = await dial({ host: 'db.example', port: server.port, signal });
  expect([socket.remoteAddress, getEventListeners(signal, 'abort')]).toEqual(['127.0.0.1', []]);
  expect(await text(socket)).toBe('hello from 127.0.0.1');
});

test('an error between connecting and the first listener does not end the process', async () => {
  const socket = await createEgressPolicy().dial({ host: '127.0.0.1', port: server.port });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy(new Error('late'));
  await closed;
  expect(socket.errored?.message).toBe('late');
});

test('a name is resolved once, and the address that was checked is dialled', async () => {
  // The second answer is what DNS rebinding would swap in.
  const lookup = fakeLookup({ 'db.example': [['127.0.0.1'], ['169.254.169.254']] });
  const socket = await createEgressPolicy({ lookup }).dial({ host: 'db.example', port: server.port });
  expect([lookup.asked, socket.remoteAddress]).toEqual([['db.example'], '127.0.0.1']);
  socket.destroy();
});

test('every allowed address is tried, in order', async () => {
  const lookup = fakeLookup({ 'db.example': [['127.0.0.2', '127.0.0.3', '169.254.169.254', '127.0.0.1']] });
  const socket = await createEgressPolicy({ lookup }).dial({ host: 'db.example', port: server.port });
  expect(socket.remoteAddress).toBe('127.0.0.1');
  socket.destroy();
});

test.each<[string, string, string]>([
  ['a denied address', '169.254.169.254', 'EGRESS_DENIED'],
  ['a name of denied addresses', 'metadata.example', 'EGRESS_DENIED'],
  ['an unknown name', 'unknown.example', 'UNAVAILABLE'],
])('%s rejects and leaves no socket', async (_, host, code) => {
  const target = observed(fakeLookup({ 'metadata.example': [['169.254.169.254']] }));
  const { signal } = new AbortController();
  expect((await rejection(target.dial({ host, port: 80, signal }))).code).toBe(code);
  expect([target.sockets.map(({ destroyed }) => destroyed), getEventListeners(signal, 'abort')]).toEqual([[true], []]);
});

test('what cannot be reached is UNAVAILABLE, retryable, naming host, port and code', async () => {
  const port = await closedPort();
  const lookup = fakeLookup({ 'db.example': [['127.0.0.1', '127.0.0.2']] });
  const { dial } = createEgressPolicy({ lookup });
  const error = await rejection(dial({ host: 'db.example', port }));
  expect([error.code, error.retryable, error.message]).toEqual([
    'UNAVAILABLE',
    true,
    `Cannot connect to db.example:${String(port)}: ECONNREFUSED. Check host and port, that the server runs, and that its firewall lets this process in.`,
  ]);
  expect(await rejection(dial({ host: 'x.example', port: 5432 }))).toMatchObject({
    message: expect.stringMatching(/^Cannot resolve the host of x\.example:5432: ENOTFOUND\. /),
    remedy: 'Check the host, and the DNS of this process.',
  });
});

test('a process that has no file left is told so, and not to look for the server', async () => {
  const socket = Object.assign(createEgressPolicy().socket(), {
    connect: () => socket.destroy(Object.assign(new Error('none left'), { code: 'EMFILE' })),
  });
  expect(await rejection(dial(() => socket, { host: '127.0.0.1', port: 1 }))).toMatchObject({
    code: 'OVERLOADED',
    remedy: 'Raise the limit of open files.',
  });
});

test('a time limit ends it, also while resolving', async () => {
  const target = observed(neverAnswers);
  const { signal } = new AbortController();
  const error = await rejection(target.dial({ host: 'db.example', port: 5432, timeoutMs: 10, signal }));
  expect([error.code, error.message]).toEqual(['TIMEOUT', 'Connecting to db.example:5432 took longer than 10 ms.']);
  expect([target.sockets.map(({ destroyed }) => destroyed), getEventListeners(signal, 'abort')]).toEqual([[true], []]);
});

test('a time limit beyond what timers hold does not fire at once', async () => {
  const controller = new AbortController();
  const dialling = rejection(
    createEgressPolicy({ lookup: neverAnswers }).dial({
      host: 'db.example',
      port: 5432,
      timeoutMs: 2 ** 40,
      signal: controller.signal,
    }),
  );
  await setTimeout(20);
  controller.abort();
  expect((await dialling).code).toBe('ABORTED');
});

test.each<[string, unknown, string]>([
  ['abort', undefined, 'ABORTED'],
  ['abort by a time limit', Object.assign(new Error('late'), { name: 'TimeoutError' }), 'TIMEOUT'],
])('%s ends it, while resolving and before', async (_, reason, code) => {
  const target = observed(neverAnswers);
  const controller = new AbortController();
  const dialling = rejection(target.dial({ host: 'db.example', port: 5432, signal: controller.signal }));
  controller.abort(reason);
  expect((await dialling).code).toBe(code);
  expect((await rejection(target.dial({ host: 'db.example', port: 5432, signal: controller.signal }))).code).toBe(code);
  expect(target.sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
});

test.each<[unknown, unknown]>([
  ['', 5432],
  ['a\0b', 5432],
  ['a\nb', 5432],
  [undefined, 5432],
  [5, 5432],
  ['db.example', '5432'],
  ['/var/run/postgresql', 5432],
  ['db.example', 0],
  ['db.example', 65_536],
  ['db.example', Number.NaN],
])('the target %j port %d is refused before any socket is made', async (host, port) => {
  const target = observed(neverAnswers);
  expect((await rejection(target.dial({ host, port } as Parameters<typeof dial>[1]))).code).toBe('SPEC_INVALID');
  expect(target.sockets).toEqual([]);
});
