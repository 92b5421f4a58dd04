import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createEgressPolicy } from '../../connection/egress-policy.ts';
import { createClassifier } from '../faults/classifier.ts';
import { createHttpAgent, type HttpAgent } from './http-agent.ts';
import { clients, failureOf, startRaw, type TestServer } from './http.fixture.ts';

const classify = createClassifier({
  sinkType: 'store',
  server: 'the store',
  specPath: 'spec.store',
  read: () => ({}),
  rules: [],
});

let agent: HttpAgent;
let server: TestServer | undefined;
const uncaught: unknown[] = [];
const onUncaught = (error: unknown): number => uncaught.push(error);
beforeEach(() => {
  agent = createHttpAgent(createEgressPolicy());
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught);
});
afterEach(async () => {
  await agent.close();
  await server?.stop();
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off('uncaughtException', onUncaught).off('unhandledRejection', onUncaught);
  expect(uncaught.splice(0)).toEqual([]);
});

/** Begins, and then writes for as long as somebody reads. */
function endlessly(socket: Socket, text: string, begin = ''): void {
  socket.write(begin);
  const chunk = text.repeat(200);
  const write = (): void => {
    let room = true;
    while (room && !socket.destroyed) room = socket.write(chunk);
    if (!socket.destroyed) socket.once('drain', () => setImmediate(write));
  };
  write();
}

const ok = 'HTTP/1.1 200 OK\r\n';
type Hostility = readonly [name: string, code: string, answer: (socket: Socket) => void];

/** What ends by itself. */
const ending: readonly Hostility[] = [
  ['endless headers', 'BACKEND_ERROR', (socket) => endlessly(socket, 'x-a: aaaaaaaaaaaaaaaa\r\n', ok)],
  ['one endless header', 'BACKEND_ERROR', (socket) => endlessly(socket, 'aaaaaaaa', `${ok}x-a: `)],
  ['a body without end', 'BACKEND_ERROR', (socket) => endlessly(socket, 'aaaaaaaa', `${ok}\r\n`)],
  [
    'chunks without end',
    'BACKEND_ERROR',
    (socket) => endlessly(socket, '8\r\naaaaaaaa\r\n', `${ok}transfer-encoding: chunked\r\n\r\n`),
  ],
  ['an early close', 'UNAVAILABLE', (socket) => socket.end()],
  ['a reset', 'UNAVAILABLE', (socket) => socket.resetAndDestroy()],
  ['a close within the headers', 'UNAVAILABLE', (socket) => socket.end(`${ok}content-le`)],
  ['a close within the body', 'UNAVAILABLE', (socket) => socket.end(`${ok}content-length: 100\r\n\r\nhalf`)],
  [
    'a close within a chunk',
    'UNAVAILABLE',
    (socket) => socket.end(`${ok}transfer-encoding: chunked\r\n\r\nff\r\nhalf`),
  ],
  ['no HTTP', 'BACKEND_ERROR', (socket) => socket.end('220 mail.example ESMTP\r\n')],
  ['a length that is none', 'BACKEND_ERROR', (socket) => socket.end(`${ok}content-length: -1\r\n\r\n`)],
  ['two lengths', 'BACKEND_ERROR', (socket) => socket.end(`${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nab`)],
  [
    'a broken chunk',
    'BACKEND_ERROR',
    (socket) => socket.end(`${ok}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n`),
  ],
];

/** What the caller's time limit ends. */
const lasting: readonly (readonly [string, (socket: Socket) => unknown])[] = [
  ['silence', () => undefined],
  ['interim answers without end', (socket) => endlessly(socket, 'HTTP/1.1 102 Processing\r\n\r\n')],
  ['early hints without end', (socket) => endlessly(socket, 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n')],
  ['a body that does not go on', (socket) => socket.write(`${ok}content-length: 100\r\n\r\nhalf`)],
];

describe.each(clients)('%s', (_, ask) => {
  test.each(ending)('meets %s', async (name, code, answer) => {
    server = await startRaw(answer);
    const error = classify(await failureOf(ask(agent, `http://127.0.0.1:${String(server.port)}/`)));
    // Node tells the body alone that it broke off, and not why.
    expect([code, ...(name === 'a broken chunk' ? ['UNAVAILABLE'] : [])]).toContain(error.code);
    expect(error.message).not.toMatch(/aaaa|half|mail/u);
  });

  test.each(lasting)('gives up %s', async (__, answer) => {
    server = await startRaw(answer);
    const signal = AbortSignal.timeout(100);
    const error = classify(await failureOf(ask(agent, `http://127.0.0.1:${String(server.port)}/`, { signal })));
    // Within an operation its end is what the caller is told.
    expect(['TIMEOUT', 'ABORTED', 'UNAVAILABLE']).toContain(error.code);
  });

  test('answers that nobody asked for', async () => {
    server = await startRaw((socket) => {
      socket.write(`${ok}content-length: 2\r\n\r\nok${ok}content-length: 4\r\n\r\nevil`.repeat(3));
    });
    const asked = [];
    for (let count = 0; count < 3; count += 1)
      asked.push(await ask(agent, `http://127.0.0.1:${String(server.port)}/`).catch(() => ({ body: 'failed' })));
    expect(asked.map(({ body }) => body)).not.toContain('evil');
  });
});
