import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, Partitioners } from 'kafkajs';
import { waitUntil } from '../support/wait-until.ts';
import { findEngine } from './container-engine.ts';
import { readTopic, startKafka, type KafkaServer } from './index.ts';
import { brokersSeenBy } from './kafka-requests.ts';
import { isRunning } from './processes.ts';

const START_MS = 180_000;
const FIXTURE = fileURLToPath(new URL('abandoned-kafka.fixture.ts', import.meta.url));

/** Sends one record; rejects when it is not acknowledged within the time. */
async function send(brokers: readonly string[], topic: string, value: string, requestTimeout = 20_000): Promise<void> {
  const kafka = new Kafka({
    brokers: [...brokers],
    retry: { retries: 0 },
    requestTimeout,
    logCreator: () => () => undefined,
  });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  try {
    await producer.connect();
    await producer.send({ topic, messages: [{ value, partition: 0 }] });
  } finally {
    await producer.disconnect();
  }
}

async function valuesOf(server: KafkaServer, topic: string): Promise<unknown[]> {
  return (await readTopic(server, topic)).map(({ value }) => value?.toString());
}

describe('a Kafka of a test’s own', () => {
  let server: KafkaServer;
  beforeAll(async () => {
    server = await startKafka({ proxied: true, settings: { 'message.max.bytes': '2000000' } });
    await server.createTopic('kept');
  }, START_MS);
  afterAll(() => server.stop(), START_MS);

  test(
    'keeps its ports and what was acknowledged over SIGKILL',
    async () => {
      await send(server.listeners.plaintext, 'kept', 'before');
      await server.kill();
      await expect(send(server.listeners.plaintext, 'kept', 'lost')).rejects.toThrow(/ECONNREFUSED/u);
      await server.start();
      await send(server.listeners.plaintext, 'kept', 'after');
      expect(await valuesOf(server, 'kept')).toEqual(['before', 'after']);
    },
    START_MS,
  );

  test(
    'says nothing while it is frozen, and answers once it is thawed',
    async () => {
      await server.freeze();
      await expect(send(server.listeners.plaintext, 'kept', 'never', 500)).rejects.toThrow(/timed out/u);
      await server.thaw();
      await waitUntil(() => brokersSeenBy(server.bootstrap).then(({ length }) => length), { what: 'it answers again' });
    },
    START_MS,
  );

  test('sends clients of the proxied listener through the proxy', async () => {
    const [proxy] = server.proxies;
    await server.createTopic('through');
    await send(server.listeners.proxied, 'through', 'value');
    const { toServer } = proxy?.forwarded ?? { toServer: 0 };
    await send(server.listeners.proxied, 'through', 'x'.repeat(100_000));
    expect((proxy?.forwarded.toServer ?? 0) - toServer).toBeGreaterThan(100_000);
    await proxy?.refuse();
    await expect(send(server.listeners.proxied, 'through', 'refused')).rejects.toThrow(/ECONNREFUSED/u);
    await proxy?.accept();
  });

  test('takes and gives back configs, of topics and of its own', async () => {
    const large = 'x'.repeat(1_500_000);
    await server.createTopic('sized');
    await send(server.listeners.plaintext, 'sized', large);
    await server.alterConfigs('sized', { 'max.message.bytes': '1000' });
    await expect(send(server.listeners.plaintext, 'sized', large)).rejects.toThrow(/larger than/u);
    await server.alterConfigs('sized', { 'max.message.bytes': undefined });
    await send(server.listeners.plaintext, 'sized', large);
    await server.deleteTopic('sized');
    await expect(server.partitionsOf('sized')).rejects.toThrow('Kafka has no topic "sized".');
  });
});

describe('three brokers', () => {
  let server: KafkaServer;
  beforeAll(async () => {
    server = await startKafka({ nodes: 3 });
    await server.createTopic('moving', { configs: { 'min.insync.replicas': '2' } });
  }, START_MS);
  afterAll(() => server.stop(), START_MS);

  test(
    'move a leader to the broker that is asked for',
    async () => {
      const leader = await server.leaderOf('moving');
      const other = server.nodes.find((node) => node !== leader) ?? 0;
      await server.moveLeader('moving', 0, other);
      expect(await server.leaderOf('moving')).toBe(other);
      await send(server.listeners.plaintext, 'moving', 'moved');
      await expect(server.moveLeader('moving', 0, 9)).rejects.toThrow(/Node 9 holds no replica of "moving" 0/u);
    },
    START_MS,
  );

  test(
    'acknowledge nothing with fewer replicas than are asked for',
    async () => {
      const leader = await server.leaderOf('moving');
      const [first = 0, second = 0] = server.nodes.filter((node) => node !== leader);
      await Promise.all([server.kill(first), server.kill(second)]);
      await waitUntil(async () => (await server.partitionsOf('moving'))[0]?.inSyncReplicas.length === 1, {
        what: 'one replica is left',
        timeoutMs: START_MS,
      });
      const addressOf = (node: number): string => server.listeners.plaintext[server.nodes.indexOf(node)] ?? '';
      await expect(send([addressOf(leader)], 'moving', 'lonely')).rejects.toThrow(/insync|in-sync|replicas/iu);
      await server.start(first);
      await waitUntil(async () => (await server.partitionsOf('moving'))[0]?.inSyncReplicas.length === 2, {
        what: 'two replicas are there',
        timeoutMs: START_MS,
      });
      await send([addressOf(leader)], 'moving', 'together');
      expect(await valuesOf(server, 'moving')).toEqual(['moved', 'together']);
    },
    START_MS,
  );
});

test(
  'a server dies with its owner, SIGKILL included, and leaves nothing',
  async () => {
    const owner = spawn(process.execPath, [FIXTURE], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: owner.stdout }), 'line');
    const { kind, stopCommand } = JSON.parse(String(line));
    const trace = String(stopCommand).split(' ').at(-1) ?? '';
    const pid = kind === 'local' ? Number(readFileSync(join(trace, 'node-1', 'pid'), 'utf8')) : undefined;
    const left = async (): Promise<boolean> => {
      if (pid !== undefined) return isRunning(pid) || existsSync(trace);
      return JSON.stringify(await (await findEngine())?.container.list()).includes(trace);
    };
    expect(await left()).toBe(true);
    owner.kill('SIGKILL');
    await waitUntil(async () => !(await left()), {
      what: 'the server and its files, or its container, are gone',
      timeoutMs: 60_000,
    });
  },
  START_MS,
);

describe('a Kafka that cannot start', () => {
  test(
    'shows the end of its log',
    async () => {
      await expect(startKafka({ settings: { 'num.network.threads': 'many' } })).rejects.toThrow(
        /num\.network\.threads/u,
      );
    },
    START_MS,
  );

  test.each([
    [
      'KOLLECT_TEST_SERVERS',
      'cloud',
      /^KOLLECT_TEST_SERVERS is "cloud": set it to "containers" or "local", or leave it away\.$/u,
    ],
    [
      'KOLLECT_TEST_KAFKA_IMAGE',
      'example.invalid/redpanda:none',
      /Redpanda in a container of example\.invalid\/redpanda:none did not start|No Kafka can be started .* start Docker or Podman/u,
    ],
  ])(
    'refuses %s=%s',
    async (variable, value, expected) => {
      const before = process.env[variable];
      process.env[variable] = value;
      try {
        await expect(startKafka()).rejects.toThrow(expected);
      } finally {
        if (before === undefined) delete process.env[variable];
        else process.env[variable] = before;
      }
    },
    START_MS,
  );
});
