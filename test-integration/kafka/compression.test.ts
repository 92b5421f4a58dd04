import { beforeAll, describe, expect, test } from '@jest/globals';
import { wholeDocument, type InventorySnapshot, type SinkError } from '@kollect/core';
import { waitUntil } from '../support/wait-until.ts';
import { readTopic } from '../servers/kafka-reader.ts';
import type { ReadRecord } from '../servers/kafka-records.ts';
import { readBatches, type ReadBatch } from './broker.ts';
import { eachClient, item, limit, snapshot } from './sink.ts';
import { testKafka } from '../support/kafka.ts';
import { useTopics } from './topics.ts';

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const acknowledgements = ['all', 'leader', 'none'] as const;
const cases = compressions.flatMap((compression) => acknowledgements.map((acks) => [compression, acks] as const));

/** Larger than a block of any codec, and easy to compress. */
const items = Array.from({ length: 2_000 }, (_, index) =>
  item(`web-${index}`, { index, text: 'Größe 🦊 '.repeat(10) }),
);

describe.each(eachClient)('%s', (_, client) => {
  const topics = useTopics(client);
  let records: readonly ReadRecord[];
  let batches: readonly ReadBatch[];
  const snapshots = new Map<string, InventorySnapshot>();

  beforeAll(async () => {
    const topic = await topics.make();
    for (const [compression, acks] of cases) {
      const sink = topics.open({ topic, spec: { compression, acks } });
      const sent = await snapshot(0, items, { inventoryName: `${compression}-${acks}` });
      await expect(sink.export(sent, limit())).resolves.toMatchObject({
        outcome: 'applied',
        messages: 1,
        bytes: wholeDocument(sent).byteLength,
      });
      await sink.close();
      snapshots.set(`prod:team-a/${sent.inventoryName}`, sent);
    }
    const arrived = async (): Promise<boolean> => ((await testKafka().endOffsets(topic)).get(0) ?? 0) >= cases.length;
    // Nobody said so of those without acks.
    await waitUntil(arrived, { what: 'all messages are in the topic' });
    records = await readTopic(testKafka(), topic);
    batches = await readBatches(topic);
  }, 90_000);

  test.each(cases)('%s with acks %s: compressed so, and Java reads what was sent', (compression, acks) => {
    const key = `prod:team-a/${compression}-${acks}`;
    const sent = snapshots.get(key);
    if (sent === undefined) throw new Error('Nothing was sent.');
    const found = records.filter((record) => String(record.key) === key);
    expect(found).toHaveLength(1);
    expect(found[0]?.value?.equals(wholeDocument(sent).bytes())).toBe(true);
    const batch = batches.filter(({ keys }) => keys.includes(key));
    expect(batch).toEqual([{ compression, transactional: false, producerId: expect.any(Number), keys: [key] }]);
    // Idempotent, unless nobody could tell the producer that a batch was there already.
    expect((batch[0]?.producerId ?? -1) >= 0).toBe(acks === 'all');
  });

  test('without acks nobody says what became of a message', async () => {
    const narrow = await topics.make({ configs: { 'max.message.bytes': '1000' } });
    const outcome = async (acks: (typeof acknowledgements)[number]): Promise<unknown> => {
      const sink = topics.open({ topic: narrow, spec: { acks, compression: 'none' } });
      return sink.export(await snapshot(0, items.slice(0, 10)), limit()).then(
        () => 'applied',
        ({ code, retryable }: SinkError) => [code, retryable],
      );
    };
    expect(await Promise.all(acknowledgements.map(outcome))).toEqual([
      ['PAYLOAD_TOO_LARGE', false],
      ['PAYLOAD_TOO_LARGE', false],
      'applied',
    ]);
    expect((await testKafka().endOffsets(narrow)).get(0)).toBe(0);
  });

  test('an export without acks that was not heard of is in the topic once its sink is closed', async () => {
    const topic = await topics.make();
    const sink = topics.open({ topic, spec: { acks: 'none', compression: 'none' } });
    await sink.export(await snapshot(0, items), limit());
    await sink.close();
    await waitUntil(async () => (await testKafka().endOffsets(topic)).get(0) === 1, {
      what: 'the message is in the topic',
    });
  });
});
