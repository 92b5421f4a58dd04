import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { createEgressPolicy, type Egress } from '@kollect/core';
import { createNatsClient, type NatsClient } from './nats-client.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
const clients: NatsClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.destroy()));
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});

const greeting = `INFO ${JSON.stringify({ version: '2.12.0', max_payload: 1_048_576, headers: true })}\r\n`;
const questions = Buffer.from('PING\r\n'.repeat(50_000));

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

/** A server that greets and then does as it likes, and a client of it with the socket that it dialled. */
async function clientOf(serve: (socket: Socket) => void): Promise<{ client: NatsClient; dialled: () => Socket }> {
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.write(greeting);
    serve(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const policy = createEgressPolicy();
  let socket: Socket | undefined;
  const egress: Egress = { ...policy, dial: async (options) => (socket = await policy.dial(options)) };
  const client = createNatsClient({
    servers: [{ host: '127.0.0.1', port: (server.address() as AddressInfo).port }],
    name: 'kollect test',
    inboxPrefix: '_INBOX',
    handshakeFirst: false,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    egress,
    login: async () => ({ tls: undefined, fields: () => ({}) }),
  });
  clients.push(client);
  const dialled = (): Socket => {
    if (socket === undefined) throw new Error('The client has dialled nobody.');
    return socket;
  };
  return { client, dialled };
}

test('a server that asks without end and does not read gets few answers, and one once it reads', async () => {
  const { client, dialled } = await clientOf((socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.write('PONG\r\n');
      socket.write(questions);
    });
  });
  await client.connect();
  const socket = dialled();
  const [server = socket] = sockets;
  await eventually(() => socket.bytesRead > questions.length);
  expect(socket.bytesWritten).toBeLessThan(10_000);

  server.resume();
  await eventually(() => socket.writableLength === 0 && server.bytesRead === socket.bytesWritten);
  const before = server.bytesRead;
  server.write('PING\r\n');
  await eventually(() => server.bytesRead > before);
  expect(server.bytesRead - before).toBe('PONG\r\n'.length);
});

test('a server that only asks and lets nobody in is none', async () => {
  const { client, dialled } = await clientOf((socket) => {
    socket.once('data', () => socket.write(questions));
  });
  await expect(client.connect()).rejects.toMatchObject({ natsFailure: 'no-nats' });
  expect(dialled().destroyed).toBe(true);
});
