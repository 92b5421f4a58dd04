import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { KollectSink } from '@kollect/core';
import { waitUntil } from '../support/wait-until.ts';
import { startKafka, type KafkaServer } from '../servers/index.ts';
import { partitionFor } from '../../packages/sink-kafka/src/publishing/partitioner.ts';
import { clients, exportingSink, inventoriesApart, keyOf, outcomeOf, snapshotOf } from './exporting.ts';
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

  test.each([1, 60])(
    'transactional exports of %s items to the other partitions do not wait for those to the one whose leader is gone',
    async (count) => {
      const { listeners, ...kafka } = opened();
      await kafka.start(dead);
      const leaders = async (): Promise<number[]> => (await kafka.partitionsOf(topic)).map(({ leader }) => leader);
      await waitUntil(async () => (await leaders()).includes(dead) && !(await leaders()).includes(-1), {
        what: 'every partition has a leader',
        timeoutMs: 30_000,
      });
      const lost = (await leaders()).indexOf(dead);
      const inventories = inventoriesApart(partitions, partitions);
      const onLost = (name: string): boolean => partitionFor(Buffer.from(keyOf(name)), partitions) === lost;
      const leaderless = inventories.find(onLost);
      const others = inventories.filter((name) => !onLost(name));
      if (leaderless === undefined) throw new Error('There is no inventory.');
      const sink = exportingSink(client, {
        brokers: listeners.plaintext,
        topic,
        transactional: true,
        maxMessageBytes: 4_096,
      });
      const first = count * 10;
      const exportOf = async (name: string, round: number): Promise<string> =>
        outcomeOf(sink.export(await snapshotOf(name, first + round, { count }), limit(60_000)));
      try {
        for (const name of inventories) expect(await exportOf(name, 0)).toBe('applied');
        await kafka.kill(dead);
        const rounds = 30;
        // Right after the death the others still name the dead one, and later nobody.
        for (const when of ['the cluster names the dead one', 'the partition has no leader'] as const) {
          const start = when === 'the partition has no leader' ? rounds : 0;
          if (start > 0)
            await waitUntil(async () => (await leaders()).includes(-1), {
              what: 'a partition has no leader',
              timeoutMs: 30_000,
            });
          let done = false;
          const stuck = (async (): Promise<string[]> => {
            const outcomes: string[] = [];
            while (!done) outcomes.push(await exportOf(leaderless, 1 + start + outcomes.length));
            return outcomes;
          })();
          const streams = await Promise.all(
            others.map(async (name) => {
              const outcomes: string[] = [];
              for (let round = 0; round < rounds; round += 1) outcomes.push(await exportOf(name, 1 + start + round));
              return outcomes;
            }),
          );
          done = true;
          const failures = await stuck;
          // A coordinator of transactions that was on the dead broker moves as leaders do, within seconds.
          const taken = start > 0 ? ['applied'] : ['applied', 'UNAVAILABLE retryable'];
          for (const outcomes of streams) {
            expect(taken).toEqual(expect.arrayContaining([...new Set(outcomes)]));
            expect(outcomes.filter((outcome) => outcome === 'applied').length).toBeGreaterThan(rounds / 2);
          }
          expect(failures.filter((outcome) => outcome === 'applied')).toEqual([]);
          // Each waits for seconds; had the others waited for them, there would be one for each of theirs.
          expect(failures.length).toBeLessThan(rounds / 3);
        }
      } finally {
        await sink.close();
      }
    },
    180_000,
  );
});
