import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../patience.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';

/** A socket whose past is on record. */
interface Recorded {
  readonly socket: Socket;
  readonly text: () => string;
  readonly events: string[];
}

async function waitUntil<T>(condition: () => T | undefined | false, { what }: { readonly what: string }): Promise<T> {
  if (!(await eventually(() => Boolean(condition()), 10_000))) throw new Error(`Waited in vain until ${what}.`);
  return condition() as T;
}

let server: Server;
let accepted: Recorded[];
let opened: Socket[];
let proxy: FaultProxy;

function record(socket: Socket): Recorded {
  const chunks: Buffer[] = [];
  const events: string[] = [];
  opened.push(socket);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => events.push('end'));
  socket.on('error', (error: NodeJS.ErrnoException) => events.push(error.code ?? 'error'));
  socket.on('close', () => events.push('close'));
  return { socket, text: () => Buffer.concat(chunks).toString(), events };
}

async function open(): Promise<{ client: Recorded; peer: Recorded }> {
  const before = accepted.length;
  const client = record(connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true }));
  const peer = await waitUntil(() => accepted[before], { what: 'the server has the connection' });
  return { client, peer };
}

function received(side: Recorded, text: string): Promise<unknown> {
  return waitUntil(() => side.text() === text, { what: `"${text.slice(0, 20)}" has arrived` });
}

function happened(side: Recorded, event: string): Promise<unknown> {
  return waitUntil(() => side.events.includes(event), { what: `"${event}" has happened` });
}

/** Time for what must not arrive to arrive: one round trip on a connection that nothing disturbs. */
async function roundTrip(): Promise<void> {
  const address = server.address();
  const direct = record(connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' }));
  const before = accepted.length;
  await waitUntil(() => accepted.length > before - 1 && direct.socket.readyState === 'open', {
    what: 'a direct connection is open',
  });
  await new Promise((resolve) => {
    setTimeout(resolve, 30);
  });
}

beforeEach(async () => {
  accepted = [];
  opened = [];
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(record(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  proxy = await startFaultProxy({
    target: { host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 },
  });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of opened) socket.destroy();
  server.close();
});

describe('a proxy that disturbs nothing', () => {
  test('passes bytes and closes both ways, and counts', async () => {
    const { client, peer } = await open();
    client.socket.write('hello');
    await received(peer, 'hello');
    peer.socket.write('welcome');
    await received(client, 'welcome');
    expect([proxy.connections, proxy.accepted]).toEqual([1, 1]);
    expect(proxy.forwarded).toEqual({ toServer: 5, toClient: 7 });
    client.socket.end();
    await happened(peer, 'end');
    peer.socket.end('last words');
    await received(client, 'welcomelast words');
    await happened(client, 'close');
    await waitUntil(() => proxy.connections === 0, { what: 'the connection is gone' });
    expect(proxy.forwarded).toEqual({ toServer: 5, toClient: 17 });
  });

  test('passes more than its buffers hold, unchanged', async () => {
    const { client, peer } = await open();
    const text = Array.from({ length: 700_000 }, (_, index) => String(index)).join(' ');
    client.socket.write(text);
    await waitUntil(() => peer.text().length >= text.length, { what: 'all has arrived' });
    expect(peer.text() === text).toBe(true);
  });

  test('passes a reset on', async () => {
    const { client, peer } = await open();
    client.socket.resetAndDestroy();
    await happened(peer, 'ECONNRESET');
  });

  test('resets the client when the target refuses', async () => {
    const closed = once(server, 'close');
    server.close();
    await closed;
    const client = record(connect({ port: proxy.port, host: proxy.host }));
    await happened(client, 'ECONNRESET');
  });
});

describe('a close by the proxy', () => {
  test.each([
    ['cut', 'end'],
    ['reset', 'ECONNRESET'],
  ] as const)('%s reaches both sides', async (fault, event) => {
    const { client, peer } = await open();
    proxy[fault]();
    await Promise.all([happened(client, event), happened(peer, event)]);
    client.socket.end();
    peer.socket.end();
    await waitUntil(() => proxy.connections === 0, { what: 'the connection is gone' });
  });

  test.each(['cut', 'reset'] as const)('%s of the client leaves the server in the dark', async (fault) => {
    const { client, peer } = await open();
    proxy[fault]('client');
    await happened(client, fault === 'cut' ? 'end' : 'ECONNRESET');
    await roundTrip();
    expect(peer.events).toEqual([]);
  });

  test('leaves new connections alone', async () => {
    await open();
    proxy.reset();
    const { client, peer } = await open();
    client.socket.write('again');
    await received(peer, 'again');
  });
});

describe('a black hole', () => {
  test('swallows bytes and closes until it heals, then delivers in order', async () => {
    const { client, peer } = await open();
    proxy.blackhole();
    client.socket.write('lost?');
    peer.socket.end('gone');
    await roundTrip();
    expect([client.text(), peer.text(), client.events]).toEqual(['', '', []]);
    proxy.heal();
    await Promise.all([received(peer, 'lost?'), received(client, 'gone'), happened(client, 'end')]);
  });

  test('in one direction lets the other pass', async () => {
    const { client, peer } = await open();
    proxy.blackhole('toClient');
    client.socket.write('question');
    await received(peer, 'question');
    peer.socket.write('answer');
    await roundTrip();
    expect(client.text()).toBe('');
  });

  test('takes new connections in and says nothing to them', async () => {
    proxy.blackhole();
    const client = record(connect({ port: proxy.port, host: proxy.host }));
    client.socket.write('anyone?');
    await once(client.socket, 'connect');
    await roundTrip();
    expect(accepted.map((peer) => peer.text()).join('')).toBe('');
    proxy.heal();
    await waitUntil(() => accepted.some((peer) => peer.text() === 'anyone?'), { what: 'the first words have arrived' });
  });
});

describe('a fault at a byte', () => {
  test.each([
    ['cut', 'end'],
    ['reset', 'ECONNRESET'],
  ] as const)('%s comes after exactly so many bytes, across chunks', async (fault, event) => {
    const { client, peer } = await open();
    client.socket.write('before');
    await received(peer, 'before');
    const fired = proxy.onBytes({ direction: 'toServer', after: 7, fault });
    for (const chunk of ['ab', 'cd', 'efghij', 'kl']) client.socket.write(chunk);
    await fired;
    // Where bytes and a RST are there at once, libuv of Node 22 reports an end: the reset shows on the side that had nothing to read.
    await Promise.all([
      happened(client, event),
      waitUntil(() => peer.events.length > 0, { what: 'the server side is closed' }),
    ]);
    expect(peer.text()).toBe('beforeabcdefg');
    expect(proxy.forwarded.toServer).toBe(13);
  });

  test('black hole: the rest arrives when it heals', async () => {
    const { client, peer } = await open();
    const fired = proxy.onBytes({ direction: 'toClient', after: 3, fault: 'blackhole' });
    peer.socket.write('abcdef');
    await fired;
    await received(client, 'abc');
    client.socket.write('unheard');
    await roundTrip();
    expect([client.text(), peer.text()]).toEqual(['abc', '']);
    proxy.heal();
    await Promise.all([received(client, 'abcdef'), received(peer, 'unheard')]);
  });

  test('happens once, to the connection that gets there first', async () => {
    const [first, second] = [await open(), await open()];
    const fired = proxy.onBytes({ direction: 'toServer', after: 4, fault: 'reset' });
    first.client.socket.write('123');
    await received(first.peer, '123');
    second.client.socket.write('1234');
    await fired;
    await happened(second.client, 'ECONNRESET');
    first.client.socket.write('45678');
    await received(first.peer, '12345678');
  });

  test('waits for a connection that opens later', async () => {
    const fired = proxy.onBytes({ direction: 'toServer', after: 1, fault: 'reset' });
    const { client } = await open();
    client.socket.write('x');
    await fired;
    await happened(client, 'ECONNRESET');
  });
});

describe('slowness', () => {
  test('a delay holds back what arrives while it is on, in order, until it ends', async () => {
    const { client, peer } = await open();
    proxy.delay(600_000);
    client.socket.write('a');
    client.socket.write('b');
    await roundTrip();
    expect(peer.text()).toBe('');
    proxy.delay(0);
    client.socket.write('c');
    await received(peer, 'abc');
  });

  test('a delay lets each byte pass once its time has come', async () => {
    const { client, peer } = await open();
    proxy.delay(40);
    const sent = performance.now();
    client.socket.write('a');
    await received(peer, 'a');
    // A timer may fire up to a millisecond early.
    expect(performance.now() - sent).toBeGreaterThan(38);
  });

  test('a throttled connection delivers piece by piece, and all of it once the throttle is off', async () => {
    const { client, peer } = await open();
    proxy.throttle(1_000);
    const text = 'x'.repeat(100_000);
    client.socket.write(text);
    await waitUntil(() => peer.text().length > 0, { what: 'the first piece is there' });
    expect(peer.text().length).toBeLessThan(text.length);
    proxy.throttle(Infinity);
    await received(peer, text);
  });
});

describe('a proxy that refuses', () => {
  test('keeps open connections and takes new ones after accept, on the same port', async () => {
    const { client, peer } = await open();
    const { port } = proxy;
    await proxy.refuse();
    const refused = record(connect({ port, host: proxy.host }));
    await happened(refused, 'ECONNREFUSED');
    client.socket.write('still here');
    await received(peer, 'still here');
    await proxy.accept();
    const again = await open();
    again.client.socket.write('back');
    await received(again.peer, 'back');
    expect(proxy.port).toBe(port);
  });
});
