import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { partitionFor } from '../../packages/sink-kafka/src/publishing/partitioner.ts';
import { readTopic } from '../servers/kafka-reader.ts';
import { testKafka } from '../support/kafka.ts';
import { outcomeOf } from './exporting.ts';
import { bulkyItems, eachClient, item, limit, snapshot } from './sink.ts';
import { useTopics } from './topics.ts';

const compacted = { 'cleanup.policy': 'compact' };
const maxMessageBytes = 5_000;

describe.each(eachClient)('%s', (_, client) => {
  const topics = useTopics(client);
  const made: string[] = [];
  afterAll(() => Promise.allSettled(made.map((topic) => testKafka().deleteTopic(topic))));
  const freeName = (): string => {
    const name = `changed-${randomUUID()}`;
    made.push(name);
    return name;
  };
  let aheadMs = 0;
  beforeEach(() => {
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  /** As long as the sink believes what it found. */
  const aSecondPasses = (): void => void (aheadMs += 1_000);
  const small = (minutes: number, inventoryName: string) => snapshot(minutes, [item('web')], { inventoryName });
  const inParts = (minutes: number) => snapshot(minutes, bulkyItems(10, 1_000));

  test.each([false, true])(
    'made again as compacted between two exports: no part goes out, and what fits one message does (transactional: %s)',
    async (transactional) => {
      const topic = freeName();
      await testKafka().createTopic(topic, { partitions: 2 });
      const sink = topics.open({ topic, spec: { maxMessageBytes, transactional } });
      expect(await sink.export(await inParts(0), limit())).toMatchObject({ outcome: 'applied' });
      await testKafka().deleteTopic(topic);
      await testKafka().createTopic(topic, { partitions: 2, configs: compacted });
      await expect(sink.export(await inParts(1), limit())).rejects.toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
        retryable: false,
        message: expect.stringMatching(/is compacted.*raise spec\.kafka\.maxMessageBytes/),
      });
      await expect(sink.export(await small(2, 'web'), limit())).resolves.toMatchObject({ outcome: 'applied' });
      const records = await readTopic(testKafka(), topic);
      expect(records.map(({ headers }) => headers.map(([name]) => name))).toEqual([
        expect.not.arrayContaining(['kollect.dev/part-index']),
      ]);
    },
  );

  test('turned compacted, and back, between two exports: parts are refused as long as it is', async () => {
    const topic = await topics.make();
    const sink = topics.open({ topic, spec: { maxMessageBytes } });
    const outcomes: string[] = [];
    for (const [minutes, policy] of ['delete', 'compact', 'delete'].entries()) {
      await testKafka().alterConfigs(topic, { 'cleanup.policy': policy });
      outcomes.push(await outcomeOf(sink.export(await inParts(minutes), limit())));
    }
    expect(outcomes).toEqual(['applied', 'PAYLOAD_TOO_LARGE', 'applied']);
  });

  test.each([false, true])(
    'given partitions between two exports: each record is where Java puts its key (transactional: %s)',
    async (transactional) => {
      const [before, after] = [2, 12];
      const topic = await topics.make({ partitions: before });
      const sink = topics.open({ topic, spec: { maxMessageBytes, transactional } });
      const names = Array.from({ length: 25 }, (__, index) => `web-${index}`);
      for (const name of names) await sink.export(await small(0, name), limit());
      await testKafka().addPartitions(topic, after);
      aSecondPasses();
      const references: (string | undefined)[] = [];
      for (const name of names) references.push((await sink.export(await small(1, name), limit())).reference);
      await sink.export(await snapshot(1, bulkyItems(10, 1_000), { inventoryName: 'large' }), limit());
      const records = await readTopic(testKafka(), topic);
      const first = Date.parse((await small(0, 'web')).exportedAt);
      for (const { key, partition, timestamp } of records)
        expect([String(key), partition]).toEqual([
          String(key),
          partitionFor(key ?? Buffer.alloc(0), timestamp === first ? before : after),
        ]);
      expect(references).toEqual(
        names.map((name) => `${topic}/${partitionFor(Buffer.from(`prod:team-a/${name}`), after)}`),
      );
      expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(before);
    },
  );
});
