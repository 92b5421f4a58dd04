import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { createMessageWriter } from './message-writer.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A socket, and what arrives at its other end. */
async function pair(): Promise<{ socket: Socket; arrived: (bytes: number) => Promise<string> }> {
  const chunks: Buffer[] = [];
  const server = createServer((other) => {
    ends.push(() => other.destroy());
    other.on('data', (chunk) => {
      chunks.push(chunk);
      server.emit('arrived');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  ends.push(
    () => socket.destroy(),
    () => server.close(),
  );
  const arrived = async (bytes: number): Promise<string> => {
    while (Buffer.concat(chunks).length < bytes) await once(server, 'arrived');
    return Buffer.concat(chunks).toString();
  };
  return { socket, arrived };
}

test('messages come as they were written, with headers and without, small and large', async () => {
  const { socket, arrived } = await pair();
  const writer = createMessageWriter(socket, 1_000_000);
  const large = 'x'.repeat(70_000);
  writer.write({ subject: 'a.b', body: Buffer.from('one') });
  writer.write({ subject: 'a.b', headers: [{ team: 'Größe' }, { b: '2' }], body: Buffer.from(large) }, 'inbox.1');
  writer.write({ subject: 'c' });
  writer.pong();
  const headers = 'NATS/1.0\r\nteam: Größe\r\nb: 2\r\n\r\n';
  const bytes = Buffer.byteLength(headers);
  const sent = [
    'PUB a.b 3\r\none\r\n',
    `HPUB a.b inbox.1 ${bytes} ${bytes + large.length}\r\n${headers}${large}\r\n`,
    'PUB c 0\r\n\r\n',
    'PONG\r\n',
  ].join('');
  expect(await arrived(Buffer.byteLength(sent))).toBe(sent);
});

test('what is written in one turn goes out at its end, and what is a lot before', async () => {
  const { socket } = await pair();
  const writer = createMessageWriter(socket, 1_000_000);
  const message = { subject: 'a', body: Buffer.alloc(10_000) };
  for (let count = 0; count < 3; count += 1) writer.write(message);
  expect(socket.writableCorked).toBe(1);
  for (let count = 0; count < 4; count += 1) writer.write(message);
  expect(socket.writableCorked).toBe(0);
  writer.write(message);
  expect(socket.writableCorked).toBe(1);
  await new Promise((resolve) => process.nextTick(resolve));
  expect(socket.writableCorked).toBe(0);
});

test('a message that the server would not take is not written', async () => {
  const { socket } = await pair();
  const writer = createMessageWriter(socket, 100);
  expect(() => writer.write({ subject: 'a', headers: [{ b: 'c' }], body: Buffer.alloc(90) })).toThrow('NATS');
  expect([socket.writableCorked, socket.writableLength]).toEqual([0, 0]);
});
