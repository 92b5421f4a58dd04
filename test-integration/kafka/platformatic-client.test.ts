import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { tlsOptions } from '@kollect/core/authoring';
import { createEgressPolicy, SinkError, type Egress } from '@kollect/core';
import type { KafkaClient, KafkaClientConfig } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { startKafka, type KafkaServer } from '../servers/kafka.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { KafkaRecord } from '../../packages/sink-kafka/src/kafka-client.ts';

// What is special to this client: the faults of its library that it mends. What both clients do alike is tested with both.
let server: KafkaServer;
const clients: KafkaClient[] = [];

beforeAll(async () => {
  server = await startKafka({ kind: 'local' });
}, 120_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.destroy()));
  await server.stop();
});

function createClient(config: Partial<KafkaClientConfig> = {}): KafkaClient {
  const client = platformaticClient({
    brokers: [server.bootstrap],
    clientId: 'kollect',
    compression: 'none',
    acks: 'all',
    idempotent: true,
    requestTimeoutMs: 10_000,
    connectTimeoutMs: 10_000,
    credentials: async () => ({}),
    tls: async () => undefined,
    egress: createEgressPolicy(),
    log: () => undefined,
    ...config,
  });
  clients.push(client);
  return client;
}

async function createTopic(partitions = 1): Promise<string> {
  const topic = `${server.writerPrefix}${randomUUID()}`;
  await server.createTopic(topic, { partitions });
  return topic;
}

const record = (key: string, value: Uint8Array = Buffer.from('x')): KafkaRecord => ({
  key: Buffer.from(key),
  value,
  headers: {},
  timestamp: Date.now(),
});

/** Keys by partition, read by another client up to what is in the topic now. */
async function keysIn(topic: string): Promise<Readonly<Record<number, readonly string[]>>> {
  const kafka = new Kafka({ clientId: 'reader', brokers: [server.bootstrap], logLevel: logLevel.NOTHING });
  const [admin, consumer] = [kafka.admin(), kafka.consumer({ groupId: randomUUID() })];
  await admin.connect();
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]));
  const keys: Record<number, string[]> = {};
  const missing = new Set([...ends].flatMap(([partition, end]) => (end > 0 ? [partition] : [])));
  await new Promise<void>((resolve, reject) => {
    if (missing.size === 0) return resolve();
    const read = async (): Promise<void> => {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        eachBatch: async ({ batch, resolveOffset }) => {
          for (const { key } of batch.messages) (keys[batch.partition] ??= []).push(String(key));
          resolveOffset(batch.lastOffset());
          if (Number(batch.lastOffset()) + 1 >= (ends.get(batch.partition) ?? 0)) missing.delete(batch.partition);
          if (missing.size === 0) resolve();
        },
      });
    };
    read().catch(reject);
  });
  await Promise.all([admin.disconnect(), consumer.disconnect()]);
  return keys;
}

test('a send that waits for metadata while another fails is written, and not acknowledged as a duplicate', async () => {
  const topic = await createTopic();
  const client = createClient();
  const send = (key: string, value?: Uint8Array) => client.send({ topic, partition: 0, records: [record(key, value)] });
  await send('first');
  const failing = Promise.allSettled([send('too large', Buffer.alloc(1_100_000))]);
  const later = Date.now() + 600_000;
  const clock = jest.spyOn(Date, 'now').mockReturnValue(later);
  try {
    await send('second');
  } finally {
    clock.mockRestore();
  }
  expect(await failing).toMatchObject([{ status: 'rejected' }]);
  expect(await keysIn(topic)).toEqual({ 0: ['first', 'second'] });
});

test('a partition that the topic lacks is refused, and no other one written', async () => {
  const topic = await createTopic(3);
  const client = createClient();
  await client.send({ topic, partition: 2, records: [record('kept')] });
  await expect(client.send({ topic, partition: 7, records: [record('lost')] })).rejects.toMatchObject({
    apiId: 'UNKNOWN_TOPIC_OR_PARTITION',
  });
  await client.send({ topic, partition: 0, records: [record('after')] });
  expect(await keysIn(topic)).toEqual({ 0: ['after'], 2: ['kept'] });
});

test('a client that comes after another takes over its transactional id', async () => {
  const topic = await createTopic();
  const transactionalId = randomUUID();
  const [first, second] = [createClient({ transactionalId }), createClient({ transactionalId })];
  const send = (client: KafkaClient, key: string) => client.send({ topic, partition: 0, records: [record(key)] });
  await first.connect();
  await send(first, 'first');
  await second.connect();
  await send(second, 'second');
  await expect(send(first, 'zombie')).rejects.toThrow();
  await send(second, 'third');
  expect(await keysIn(topic)).toEqual({ 0: ['first', 'second', 'third'] });
});

test('a transaction takes parallel sends to several partitions, and an aborted one does not spoil the next', async () => {
  const topic = await createTopic(3);
  const client = createClient({ transactionalId: randomUUID() });
  const sendAll = (key: string, value?: Uint8Array) =>
    client.transaction((send) =>
      Promise.all(
        [0, 1, 2].map((partition) =>
          send({ topic, partition, records: [record(key, partition === 2 ? value : undefined)] }),
        ),
      ),
    );
  await sendAll('one');
  await expect(sendAll('aborted', Buffer.alloc(1_100_000))).rejects.toThrow();
  await sendAll('two');
  expect(await keysIn(topic)).toEqual({ 0: ['one', 'two'], 1: ['one', 'two'], 2: ['one', 'two'] });
});

test('who may write a topic and use a transactional id needs no right on the cluster', async () => {
  const topic = await createTopic();
  const transactionalId = randomUUID();
  const { username, password } = server.users.writer;
  await server.grant({
    principal: username,
    resource: 'transactional-id',
    name: transactionalId,
    operations: ['WRITE', 'DESCRIBE'],
  });
  const client = createClient({
    brokers: server.listeners.sasl,
    sasl: { mechanism: 'scram-sha-512' },
    credentials: async () => ({ username, password }),
    transactionalId,
  });
  await client.send({ topic, partition: 0, records: [record('granted')] });
  expect(await keysIn(topic)).toEqual({ 0: ['granted'] });
  expect(await client.describeTopic(topic, { permissions: true })).toMatchObject({
    authorizedOperations: ['WRITE', 'DESCRIBE'],
  });
});

test('destroyed while a broker takes nothing any more, unsent bytes keep no connection', async () => {
  const topic = await createTopic();
  const sockets: Socket[] = [];
  const onSocket = (message: unknown): unknown => sockets.push((message as { readonly socket: Socket }).socket);
  subscribe('net.client.socket', onSocket);
  try {
    const client = createClient({ idempotent: false });
    await client.send({ topic, partition: 0, records: [record('first')] });
    await server.freeze();
    const sends = Array.from({ length: 40 }, () =>
      client.send({ topic, partition: 0, records: [record('stuck', Buffer.alloc(900 * 1024))] }),
    );
    const settled = Promise.allSettled(sends);
    await waitUntil(() => sockets.some(({ writableLength }) => writableLength > 0), {
      what: 'the system takes no more for the broker',
    });
    await client.destroy();
    expect(new Set((await settled).map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(sockets.map(({ closed }) => closed)).toEqual(sockets.map(() => true));
  } finally {
    unsubscribe('net.client.socket', onSocket);
    await server.thaw();
  }
});

test('without acknowledgements, what was sent arrives though the client is destroyed at once', async () => {
  const topic = await createTopic();
  const client = createClient({ acks: 'none', idempotent: false });
  const keys = Array.from({ length: 40 }, (_, index) => String(index));
  await client.send({ topic, partition: 0, records: [record('warm')] });
  await Promise.all(
    keys.map((key) => client.send({ topic, partition: 0, records: [record(key, Buffer.alloc(900 * 1024))] })),
  );
  await client.destroy();
  // The broker reads on; a record with an acknowledgement comes after all of them only when it has.
  await createClient().send({ topic, partition: 0, records: [record('last')] });
  await waitUntil(async () => (await keysIn(topic))[0]?.length === keys.length + 2, {
    what: 'every record is in the topic',
    timeoutMs: 20_000,
  });
  expect(new Set((await keysIn(topic))[0])).toEqual(new Set(['warm', ...keys, 'last']));
});

test('a broker that metadata alone names is dialled as the egress policy says, and not at all where it forbids', async () => {
  const topic = await createTopic();
  const port = server.bootstrap.split(':').at(-1) ?? '';
  const policy = createEgressPolicy({
    lookup: (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
  });
  const checked: string[] = [];
  const egress: Egress = {
    ...policy,
    check: (address, host) => {
      checked.push(`${String(host)} ${address}`);
      if (host !== 'seed.example') throw new SinkError('EGRESS_DENIED', 'Forbidden.');
    },
  };
  const client = createClient({ brokers: [`seed.example:${port}`], egress });
  await client.connect();
  expect(checked).toEqual(['seed.example 127.0.0.1']);
  const error: unknown = await client.send({ topic, partition: 0, records: [record('escaped')] }).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(causesOf(error).some((cause) => SinkError.isInstance(cause) && cause.code === 'EGRESS_DENIED')).toBe(true);
  expect(await keysIn(topic)).toEqual({});
});

test.each<[string, Partial<KafkaClientConfig>]>([
  ['plaintext', {}],
  ['TLS', { tls: async () => tlsOptions({ sinkType: 'kafka', tls: { mode: 'verify-full' }, material: {} }) }],
  ['SASL', { sasl: { mechanism: 'plain' }, credentials: async () => ({ username: 'u', password: 'p' }) }],
  [
    'SASL, with credentials that never come',
    { sasl: { mechanism: 'plain' }, credentials: () => new Promise(() => undefined) },
  ],
])(
  'destroyed while a silent broker keeps it waiting, everything settles and the connection is gone: %s',
  async (_name, config) => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined).resume()));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const client = createClient({
      brokers: [`127.0.0.1:${String((silent.address() as AddressInfo).port)}`],
      ...config,
    });
    const calls = [
      client.connect(),
      client.describeTopic('any'),
      client.send({ topic: 'any', partition: 0, records: [record('a')] }),
    ];
    const settled = Promise.allSettled(calls);
    await once(silent, 'connection');
    await client.destroy();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(client.connect()).rejects.toThrow('The client is closed.');
    // Resolves when the last connection has ended.
    await new Promise((resolve) => silent.close(resolve));
    expect(sockets.length).toBeGreaterThan(0);
  },
);

/** The error and all that it wraps. */
function causesOf(error: unknown): readonly unknown[] {
  if (typeof error !== 'object' || error === null) return [error];
  const { cause, errors = [] } = error as { readonly cause?: unknown; readonly errors?: readonly unknown[] };
  return [error, ...(cause === undefined ? [] : causesOf(cause)), ...errors.flatMap(causesOf)];
}
