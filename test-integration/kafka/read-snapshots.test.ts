import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Consumer } from '@platformatic/kafka';
import { sealSnapshot, type ExportResult, type InventorySnapshot, type Item } from '@kollect/core';
import { readSnapshots, type IncomingMessage, type InventoryEvent } from '@kollect/sink-kafka';
import { Kafka } from 'kafkajs';
import { readTopic } from '../servers/kafka-reader.ts';
import type { ReadRecord } from '../servers/kafka-records.ts';
import { bulkyItems, eachClient, item, limit, noise, snapshot, timeAt } from './sink.ts';
import { testKafka } from '../support/kafka.ts';
import { useTopics } from './topics.ts';

const megabyte = 1_000_000;
/** The default of the sink. */
const maxMessageBytes = 921_600;
const megabytes = { three: 3, twenty: 20 } as const;
const inventories = Object.keys(megabytes) as (keyof typeof megabytes)[];
const small = Array.from({ length: 20 }, (_, index) => `small-${index}`);
const brokers = () => [...testKafka().listeners.plaintext];

/** The messages as kafkajs' own consumer hands them out. */
async function consumeWithKafkajs(topic: string, count: number): Promise<IncomingMessage[]> {
  const consumer = new Kafka({ brokers: brokers(), logCreator: () => () => undefined }).consumer({
    groupId: randomUUID(),
  });
  const messages: IncomingMessage[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
      const running = consumer.run({
        eachMessage: async ({ partition, message }) => {
          messages.push({ topic, partition, ...message });
          if (messages.length === count) resolve();
        },
      });
      running.catch(reject);
    });
    return messages;
  } finally {
    await consumer.disconnect();
  }
}

/** The messages as they come from the stream of @platformatic/kafka. */
async function consumeWithPlatformatic(topic: string, count: number): Promise<IncomingMessage[]> {
  const consumer = new Consumer({ clientId: 'kollect-tests', groupId: randomUUID(), bootstrapBrokers: brokers() });
  const messages: IncomingMessage[] = [];
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', maxWaitTime: 100 });
  try {
    for await (const message of stream) if (messages.push(message) === count) break;
    return messages;
  } finally {
    await consumer.close(true);
  }
}

const consumers = [
  ['kafkajs', consumeWithKafkajs],
  ['platformatic', consumeWithPlatformatic],
] as const;

const asMessages = (topic: string, records: readonly ReadRecord[]): IncomingMessage[] =>
  records.map((record) => ({ ...record, topic, headers: new Map(record.headers) }));
async function eventsOf(messages: readonly IncomingMessage[]): Promise<InventoryEvent[]> {
  const events: InventoryEvent[] = [];
  for await (const event of readSnapshots(messages)) events.push(event);
  return events;
}
const partOf = ({ headers }: ReadRecord): readonly (string | undefined)[] =>
  ['part-index', 'part-total'].map((name) =>
    headers.find(([header]) => header === `kollect.dev/${name}`)?.[1]?.toString(),
  );

describe.each(eachClient)('written with %s', (_, client) => {
  const topics = useTopics(client);

  describe('3 MB and 20 MB among small ones of one partition', () => {
    let topic: string;
    let records: readonly ReadRecord[];
    const content = new Map<string, readonly Item[]>();
    const results = new Map<string, ExportResult>();
    const ofInventory = (name: string): ReadRecord[] =>
      records.filter(({ key }) => String(key) === `prod:team-a/${name}`);

    beforeAll(async () => {
      topic = await topics.make();
      // Compressed as both consumers read it.
      const sink = topics.open({ topic, spec: { compression: 'gzip' } });
      for (const name of inventories) content.set(name, bulkyItems(megabytes[name] * 100, megabyte / 100));
      for (const name of small) content.set(name, [item(name)]);
      const [first, second, ...others] = await Promise.all(
        [...inventories, ...small].map((name) => snapshot(0, content.get(name) ?? [], { inventoryName: name })),
      );
      // Large and small ones wait for the same partition.
      const waiting = [...others.slice(0, 5), first, ...others.slice(5, 10), second, ...others.slice(10)].filter(
        (each) => each !== undefined,
      );
      await Promise.all(waiting.map(async (each) => results.set(each.inventoryName, await sink.export(each, limit()))));
      records = await readTopic(testKafka(), topic);
    }, 120_000);

    test.each(inventories)(
      '%s: its parts stand one behind another under one key, none too large, and the result counts them',
      (name) => {
        const own = ofInventory(name);
        expect(own.length).toBeGreaterThan(megabytes[name]);
        expect(own.map(partOf)).toEqual(own.map((__, index) => [String(index), String(own.length)]));
        expect(own.map(({ offset }) => offset)).toEqual(own.map((__, index) => (own[0]?.offset ?? -1) + index));
        const sizes = own.map(({ value }) => value?.byteLength ?? 0);
        expect(Math.max(...sizes)).toBeLessThan(maxMessageBytes);
        // No more parts than it takes: all but the last are nearly full.
        expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(maxMessageBytes - 2 * (megabyte / 100));
        const bytes = sizes.reduce((sum, size) => sum + size, 0);
        expect(results.get(name)).toEqual({
          outcome: 'applied',
          counts: { inserted: megabytes[name] * 100, updated: 0, deleted: 0, unchanged: 0 },
          messages: own.length,
          bytes,
          reference: `${topic}/${own[0]?.partition ?? -1}`,
        });
        const held = own.flatMap(
          ({ value }) => (JSON.parse(String(value)) as { readonly items: readonly Item[] }).items,
        );
        expect(JSON.stringify(held.map(({ name: each, attributes }) => [each, attributes]))).toBe(
          JSON.stringify(content.get(name)?.map(({ name: each, attributes }) => [each, attributes])),
        );
      },
    );

    test.each(consumers)(
      'a consumer on %s is given each snapshot once, whole and verified',
      async (__, consume) => {
        const messages = await consume(topic, records.length);
        const events = await eventsOf(messages);
        expect(events.map(({ type }) => type)).toEqual(Array(content.size).fill('snapshot'));
        for (const event of events) {
          if (event.type !== 'snapshot') continue;
          const expected = await sealSnapshot({
            ...event.scope,
            generation: 1,
            exportedAt: timeAt(0),
            items: content.get(event.scope.inventoryName) ?? [],
          });
          expect(event.document.checksum).toBe(expected.checksum);
          expect(event.document.itemCount).toBe(expected.items.length);
          const resealed = await sealSnapshot({
            ...event.scope,
            generation: 1,
            exportedAt: timeAt(0),
            items: event.document.items,
          });
          expect(resealed.checksum).toBe(expected.checksum);
        }
        expect(events.at(-1)?.committable).toEqual({ topic, partition: 0, offset: BigInt(records.length) });
      },
      60_000,
    );

    test('a consumer that lacks a part, or gets a damaged one, is given no half snapshot', async () => {
      const parts = asMessages(topic, ofInventory('three'));
      await expect(eventsOf(parts.toSpliced(1, 1))).resolves.toMatchObject([
        { type: 'skipped', reason: 'incomplete', parts: { received: parts.length - 1, total: parts.length } },
      ]);
      const damaged = parts.with(1, {
        ...parts[1],
        value: Buffer.from(String(parts[1]?.value).replace('web-00', 'web-xx')),
      });
      expect((await eventsOf(damaged)).map((event) => event.type === 'skipped' && event.reason)).toContain('invalid');
      expect((await eventsOf(damaged)).filter(({ type }) => type === 'snapshot')).toEqual([]);
    });
  });

  describe('a set that the broker takes the beginning of', () => {
    const limits = { maxMessageBytes: 100_000, compression: 'gzip' } as const;
    /** The first parts compress well, the others become larger than the topic takes. */
    const tornContent = [
      ...Array.from({ length: 20 }, (__, index) => item(`a-${index + 10}`, { text: 'x'.repeat(20_000) })),
      ...Array.from({ length: 20 }, (__, index) => item(`z-${index + 10}`, { text: noise(20_000, index) })),
    ];
    const wholeContent = Array.from({ length: 20 }, (__, index) =>
      item(`a-${index + 10}`, { text: 'y'.repeat(20_000) }),
    );

    const exportBoth = async (topic: string, transactional: boolean): Promise<InventorySnapshot> => {
      const sink = topics.open({ topic, spec: { ...limits, transactional } });
      await expect(sink.export(await snapshot(0, tornContent), limit())).rejects.toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
        retryable: false,
      });
      const whole = await snapshot(1, wholeContent);
      await expect(sink.export(whole, limit())).resolves.toMatchObject({ outcome: 'applied', messages: 5 });
      return whole;
    };

    test('in a transaction: who reads committed messages sees nothing of it, and all of the next', async () => {
      const topic = await topics.make({ configs: { 'max.message.bytes': '60000' } });
      const whole = await exportBoth(topic, true);
      const committed = await readTopic(testKafka(), topic, { committed: true, count: 5 });
      expect(committed.map(partOf)).toEqual(committed.map((__, index) => [String(index), '5']));
      expect(new Set(committed.map(({ timestamp }) => timestamp))).toEqual(new Set([Date.parse(whole.exportedAt)]));
      await expect(eventsOf(asMessages(topic, committed))).resolves.toMatchObject([
        { type: 'snapshot', document: { checksum: whole.checksum } },
      ]);
      // It was there: whoever reads all of it sees the beginning.
      const uncommitted = await readTopic(testKafka(), topic);
      expect(uncommitted.length).toBeGreaterThan(committed.length);
    }, 60_000);

    test('without one: a consumer is told that it is torn, and of the next one', async () => {
      const topic = await topics.make({ configs: { 'max.message.bytes': '60000' } });
      const whole = await exportBoth(topic, false);
      const events = await eventsOf(asMessages(topic, await readTopic(testKafka(), topic)));
      expect(events).toMatchObject([
        { type: 'snapshot', document: { checksum: whole.checksum, exportedAt: whole.exportedAt } },
        { type: 'skipped', reason: 'torn', exportedAt: timeAt(0), parts: { received: 5 } },
      ]);
    }, 60_000);
  });
});
