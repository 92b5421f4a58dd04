import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSinkRegistry, type KollectSink } from '@kollect/core';
import { createKafkaSink, type KafkaClientConfig, type KafkaSpec } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { partitionFor } from '../../packages/sink-kafka/src/publishing/partitioner.ts';
import { startKafka, type KafkaServer } from '../servers/kafka.ts';
import {
  clients,
  deliveredTimes,
  eventsIn,
  exportingSink,
  outcomeOf,
  readBack,
  recordTimes,
  snapshotOf,
} from './exporting.ts';
import { limit } from './sink.ts';
import { openTestTopic, type TestTopic } from '../support/kafka.ts';

// What a broker remembers of a producer, and a client of a topic, does not last for ever; here, a second.
const forgetful = {
  'producer.id.expiration.ms': '1000',
  'producer.id.expiration.check.interval.ms': '200',
  'transactional.id.expiration.ms': '1000',
  'transaction.remove.expired.transaction.cleanup.interval.ms': '200',
};
const partitions = 12;

let server: KafkaServer;
beforeAll(async () => {
  server = await startKafka({ settings: forgetful });
}, 120_000);
afterAll(() => server.stop());

describe.each(clients)('through $client', (client) => {
  let topic: TestTopic;
  let sinks: KollectSink[] = [];
  beforeEach(async () => {
    topic = await openTestTopic({ server, partitions });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all(sinks.map((sink) => sink.close()));
    sinks = [];
    await topic.drop();
  });

  const open = (spec: Partial<KafkaSpec> = {}): KollectSink => {
    const sink = exportingSink(client, { brokers: server.listeners.plaintext, topic: topic.name, ...spec });
    sinks.push(sink);
    return sink;
  };
  const records = (committed = false) => readBack(server, topic.name, client, { committed });

  const names = Array.from({ length: 24 }, (_, index) => `web-${index}`);
  test.each([1, 5, 12, 30])(
    'a topic made anew with %s partitions gets whatever is acknowledged',
    async (count) => {
      const sink = open();
      for (const name of names) await sink.export(await snapshotOf(name, 0), limit());
      await server.deleteTopic(topic.name);
      await server.createTopic(topic.name, { partitions: count });
      // As long as the sink believes what it found.
      const now = performance.now.bind(performance);
      jest.spyOn(performance, 'now').mockImplementation(() => now() + 1_000);
      for (const round of [1, 2]) {
        const snapshots = await Promise.all(names.map((name) => snapshotOf(name, round)));
        for (const snapshot of snapshots)
          await expect(sink.export(snapshot, limit())).resolves.toMatchObject({ outcome: 'applied' });
      }
      const found = await records();
      const times = await Promise.all([1, 2].map(async (round) => (await snapshotOf('web', round)).exportedAt));
      for (const name of names) expect(recordTimes(found, name)).toEqual(times);
      expect(found.map(({ partition }) => partition)).toEqual(
        found.map(({ key }) => partitionFor(key ?? Buffer.alloc(0), count)),
      );
    },
    60_000,
  );

  test('a topic that is gone is NOT_FOUND, and back it is written to', async () => {
    const sink = open();
    await sink.export(await snapshotOf('web', 0), limit());
    await server.deleteTopic(topic.name);
    await expect(sink.export(await snapshotOf('web', 1), limit())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await server.createTopic(topic.name, { partitions });
    await expect(sink.export(await snapshotOf('web', 2), limit())).resolves.toMatchObject({ outcome: 'applied' });
    expect(recordTimes(await records(), 'web')).toEqual([(await snapshotOf('web', 2)).exportedAt]);
  });

  test('a producer that another one fenced off is replaced', async () => {
    let latest: KafkaClientConfig | undefined;
    const factory = (config: KafkaClientConfig) => {
      latest = config;
      return client.factory(config);
    };
    const registry = createSinkRegistry([createKafkaSink({ client: factory })]);
    const kafka = {
      brokers: server.listeners.plaintext,
      topic: topic.name,
      transactional: true,
      maxMessageBytes: 2_048,
      compression: client.compression,
    };
    const sink = registry.create({ type: 'kafka', kafka }, { name: 'test' });
    sinks.push(sink);
    const applied: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const next = await snapshotOf('web', round, { count: 40 });
      // Fenced, one attempt may fail; never more than one.
      const outcome = await outcomeOf(sink.export(next, limit()));
      if (outcome !== 'applied') {
        expect(outcome).toBe('UNAVAILABLE retryable');
        await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied' });
      }
      applied.push(next.exportedAt);
      await fence(latest);
    }
    const events = await eventsIn(topic.name, await records(true));
    expect(deliveredTimes(events, 'web')).toEqual(applied);
    expect(events.filter(({ type }) => type === 'skipped')).toEqual([]);
  }, 60_000);

  test.each([false, true])(
    'a producer that the broker forgot (transactional: %s) is replaced',
    async (transactional) => {
      const sink = open({ transactional, maxMessageBytes: 2_048 });
      const applied: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        const next = await snapshotOf('web', round, { count: 40 });
        const outcome = await outcomeOf(sink.export(next, limit()));
        if (outcome !== 'applied') {
          expect(outcome).toBe('UNAVAILABLE retryable');
          await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied' });
        }
        applied.push(next.exportedAt);
        // Nobody can be asked whether it has forgotten.
        if (round === 0) await sleep(2_000);
      }
      const events = await eventsIn(topic.name, await records(true));
      expect(deliveredTimes(events, 'web')).toEqual(applied);
    },
    60_000,
  );

  /** As a second process does that uses the same transactional id. */
  async function fence(config: KafkaClientConfig | undefined): Promise<void> {
    if (config === undefined) throw new Error('The sink has made no client.');
    const zombie = platformaticClient(config);
    await zombie.connect();
    await zombie.destroy();
  }
});
