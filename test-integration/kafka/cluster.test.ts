import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { KollectSink } from '@kollect/core';
import type { KafkaSpec } from '@kollect/sink-kafka';
import { startKafka, type KafkaServer } from '../servers/kafka.ts';
import { waitUntil } from '../support/wait-until.ts';
import {
  clients,
  expectAcknowledged,
  exportingSink,
  outcomeOf,
  readBack,
  recordTimes,
  snapshotOf,
  streamExports,
} from './exporting.ts';
import { limit } from './sink.ts';
import { openTestTopic, type TestTopic } from '../support/kafka.ts';

/** Several parts for the larger snapshots. */
const maxMessageBytes = 4_096;
const inventories = ['web', 'database', 'with-parts'] as const;

let server: KafkaServer;
beforeAll(async () => {
  server = await startKafka({ nodes: 3 });
}, 120_000);
afterAll(() => server.stop());

describe.each(clients)('through $client', (client) => {
  let topic: TestTopic;
  let sinks: KollectSink[] = [];
  beforeEach(async () => {
    topic = await openTestTopic({ server, configs: { 'min.insync.replicas': '2' } });
  });
  afterEach(async () => {
    await Promise.all(sinks.map((sink) => sink.close()));
    sinks = [];
    for (const node of server.nodes) await server.start(node);
    await topic.drop();
  });

  const open = (spec: Partial<KafkaSpec> = {}): KollectSink => {
    const sink = exportingSink(client, {
      brokers: server.listeners.plaintext,
      topic: topic.name,
      maxMessageBytes,
      ...spec,
    });
    sinks.push(sink);
    return sink;
  };

  /** Exports all the time while the work runs and for two rounds of each inventory after it; then asks the topic. */
  const underLoad = async (work: () => Promise<void>): Promise<void> => {
    const sink = open();
    const rounds = new Map(inventories.map((inventory) => [inventory, 0]));
    const past = (limits: ReadonlyMap<string, number>, count: number) =>
      inventories.every((inventory) => (rounds.get(inventory) ?? 0) > (limits.get(inventory) ?? 0) + count);
    let done = false;
    const streams = inventories.map((inventory) => {
      const ended = (): boolean => {
        rounds.set(inventory, (rounds.get(inventory) ?? 0) + 1);
        return done;
      };
      return streamExports(sink, { inventory, count: inventory === 'with-parts' ? 60 : 3, ended });
    });
    await waitUntil(() => past(new Map(), 5), { what: 'the exports flow', timeoutMs: 20_000 });
    await work();
    const after = new Map(rounds);
    await waitUntil(() => past(after, 2), { what: 'the exports flow again', timeoutMs: 30_000 });
    done = true;
    const seen = await Promise.all(streams);
    const found = await readBack(server, topic.name, client);
    for (const [at, { acknowledged }] of seen.entries()) {
      await expectAcknowledged(found, { topic: topic.name, inventory: inventories[at] ?? '', acknowledged });
    }
  };

  test('leaders that move under exports lose nothing and keep the order', async () => {
    await underLoad(async () => {
      const leader = await server.leaderOf(topic.name);
      for (const node of [...server.nodes.filter((id) => id !== leader), leader])
        await server.moveLeader(topic.name, 0, node);
    });
  }, 90_000);

  test('a leader that is killed under exports loses nothing that was acknowledged', async () => {
    await underLoad(async () => {
      const leader = await server.leaderOf(topic.name);
      await server.kill(leader);
      await waitUntil(async () => (await server.leaderOf(topic.name)) !== leader, {
        what: 'another node leads',
        timeoutMs: 30_000,
      });
    });
  }, 90_000);

  test('too few replicas in sync are UNAVAILABLE, retryable, until the node is back', async () => {
    await topic.drop();
    topic = await openTestTopic({ server, replicationFactor: 2, configs: { 'min.insync.replicas': '2' } });
    const sink = open();
    await sink.export(await snapshotOf('web', 0), limit());
    const [partition] = await server.partitionsOf(topic.name);
    const follower = partition?.replicas.find((node) => node !== partition.leader);
    await server.kill(follower);
    await waitUntil(async () => (await server.partitionsOf(topic.name))[0]?.inSyncReplicas.length === 1, {
      what: 'one replica is left',
      timeoutMs: 30_000,
    });
    const next = await snapshotOf('web', 1);
    await expect(sink.export(next, limit())).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      message: expect.stringMatching(/Too few replicas .* in sync .*NOT_ENOUGH_REPLICAS/),
    });
    await server.start(follower);
    // No copy came of what was refused.
    await waitUntil(async () => (await outcomeOf(sink.export(next, limit()))) === 'applied', {
      what: 'the export is applied',
      timeoutMs: 30_000,
    });
    expect(recordTimes(await readBack(server, topic.name, client), 'web')).toEqual([
      (await snapshotOf('web', 0)).exportedAt,
      next.exportedAt,
    ]);
  }, 90_000);
});
