import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { KollectSink } from '@kollect/core';
import { waitUntil } from '../support/wait-until.ts';
import { startKafka, type KafkaServer } from '../servers/index.ts';
import { clients, exportingSink, inventoriesApart, outcomeOf, snapshotOf } from './exporting.ts';
import { limit } from './sink.ts';

const partitions = 3;
let server: KafkaServer | undefined;
const topic = `leaderless-${randomUUID()}`;
const dead = 2;

beforeAll(async () => {
  server = await startKafka({ nodes: 3 });
  // One replica each, so that a broker that dies leaves its partition without a leader.
  await server.createTopic(topic, { partitions, replicationFactor: 1 });
}, 120_000);

afterAll(() => server?.stop());

function opened(): KafkaServer {
  if (server === undefined) throw new Error('The server did not start.');
  return server;
}

describe.each(clients)('$client', (client) => {
  test('exports to the other partitions while the leader of one is gone', async () => {
    const { listeners, ...kafka } = opened();
    await kafka.start(dead);
    const leaders = async (): Promise<number[]> => (await kafka.partitionsOf(topic)).map(({ leader }) => leader);
    await waitUntil(async () => (await leaders()).includes(dead), {
      what: 'every partition has a leader',
      timeoutMs: 30_000,
    });
    const inventories = inventoriesApart(partitions, partitions);
    const open = (): KollectSink => exportingSink(client, { brokers: listeners.plaintext, topic });
    const expectTheOthers = async (sink: KollectSink): Promise<void> => {
      const outcomes = await Promise.all(
        inventories.map(async (inventory) => outcomeOf(sink.export(await snapshotOf(inventory, 1), limit(60_000)))),
      );
      expect(outcomes.toSorted()).toEqual(['UNAVAILABLE retryable', 'applied', 'applied']);
    };
    const warm = open();
    const sinks = [warm];
    try {
      expect(await outcomeOf(warm.export(await snapshotOf('warm', 0), limit()))).toBe('applied');
      await kafka.kill(dead);
      // The others name the dead one for some seconds, and then nobody.
      for (const sink of [warm, open(), open(), open()]) {
        sinks.push(sink);
        await expectTheOthers(sink);
      }
      await waitUntil(async () => (await leaders()).includes(-1), {
        what: 'a partition has no leader',
        timeoutMs: 30_000,
      });
      for (const sink of [warm, open()]) {
        sinks.push(sink);
        await expectTheOthers(sink);
      }
    } finally {
      await Promise.all(sinks.map((sink) => sink.close()));
    }
  }, 180_000);
});
