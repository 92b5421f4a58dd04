import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { wholeDocument, type KollectSink } from '@kollect/core';
import type { KafkaSpec } from '@kollect/sink-kafka';
import {
  clients,
  deliveredTimes,
  eventsIn,
  exportingSink,
  keyOf,
  outcomeOf,
  readBack,
  recordTimes,
  snapshotOf,
} from './exporting.ts';
import { limit } from './sink.ts';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';

const server = testKafka();

describe.each(clients)('through $client', (client) => {
  let topic: TestTopic;
  let sinks: KollectSink[] = [];
  beforeEach(async () => {
    topic = await openTestTopic({ partitions: 12 });
  });
  afterEach(async () => {
    await Promise.all(sinks.map((sink) => sink.close()));
    sinks = [];
    await topic.drop();
  });
  const open = (spec: Partial<KafkaSpec> = {}): KollectSink => {
    const sink = exportingSink(client, { brokers: server.listeners.plaintext, topic: topic.name, ...spec });
    sinks.push(sink);
    return sink;
  };
  const records = () => readBack(server, topic.name, client);

  test('500 inventories at once are each in the topic once, with their content', async () => {
    const sink = open();
    const snapshots = await Promise.all(
      Array.from({ length: 500 }, (_, index) => snapshotOf(`web-${index}`, index % 7, { count: 1 + (index % 5) })),
    );
    const results = await Promise.all(snapshots.map((snapshot) => sink.export(snapshot, limit())));
    expect(results.filter(({ outcome, messages }) => outcome !== 'applied' || messages !== 1)).toEqual([]);
    const found = (await records()).map(({ key, value }) => [String(key), String(value)] as const);
    expect(found).toHaveLength(500);
    const expected = snapshots.map(
      (snapshot) => [keyOf(snapshot.inventoryName), Buffer.from(wholeDocument(snapshot).bytes()).toString()] as const,
    );
    expect(new Map(found)).toEqual(new Map(expected));
  });

  test('concurrent exports of one inventory through three sinks leave the latest with every consumer', async () => {
    const three = [open(), open(), open()];
    const rounds = Array.from({ length: 30 }, (_, round) => round);
    const outcomes = await Promise.all(
      rounds.map(async (round) =>
        outcomeOf(
          (three[round % 3] as KollectSink).export(
            await snapshotOf('web', round, { count: round % 4 === 0 ? 40 : 3 }),
            limit(),
          ),
        ),
      ),
    );
    const acknowledged = rounds.filter((round) => outcomes[round] === 'applied');
    expect(new Set(outcomes)).not.toContain('UNAVAILABLE retryable');
    expect(acknowledged).toContain(29);
    const found = await records();
    const times = await Promise.all(acknowledged.map(async (round) => (await snapshotOf('web', round)).exportedAt));
    expect(recordTimes(found, 'web').toSorted()).toEqual(times.toSorted());
    const delivered = deliveredTimes(await eventsIn(topic.name, found), 'web');
    expect(delivered).toEqual(delivered.toSorted());
    expect(delivered.at(-1)).toBe((await snapshotOf('web', 29)).exportedAt);
  });

  test('exports of one inventory through one sink are announced in the order of their times, or not at all', async () => {
    const sink = open({ maxMessageBytes: 4_096 });
    const snapshots = await Promise.all(
      Array.from({ length: 30 }, (_, round) => snapshotOf('web', round, { count: round % 4 === 0 ? 40 : 3 })),
    );
    const outcomes: string[] = [];
    // Of each two, the newer one is called for first.
    const calls = snapshots
      .map((_, round) => (round % 2 === 0 ? round + 1 : round - 1))
      .map(async (round) => {
        const snapshot = snapshots[round];
        if (snapshot !== undefined) outcomes[round] = await outcomeOf(sink.export(snapshot, limit()));
      });
    await Promise.all(calls);
    expect(outcomes).toContain('superseded');
    expect(outcomes.filter((outcome) => outcome !== 'applied' && outcome !== 'superseded')).toEqual([]);
    const events = await eventsIn(topic.name, await records());
    expect(events.filter(({ type }) => type === 'skipped')).toEqual([]);
    expect(deliveredTimes(events, 'web')).toEqual(
      snapshots.filter((_, round) => outcomes[round] === 'applied').map(({ exportedAt }) => exportedAt),
    );
  });
});
