import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Kafka, Partitioners, type Producer } from 'kafkajs';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';
import { readTopic, readTopicFast, type ReadRecord } from './index.ts';

const kafka = testKafka();
const options = { createPartitioner: Partitioners.DefaultPartitioner };
const client = new Kafka({ brokers: [...kafka.listeners.plaintext], logCreator: () => () => undefined });
let topic: TestTopic;
let producer: Producer;

beforeAll(async () => {
  topic = await openTestTopic({ partitions: 3 });
  producer = client.producer({ ...options, idempotent: true, maxInFlightRequests: 1, transactionalId: topic.name });
  await producer.connect();
});
afterAll(async () => {
  await producer.disconnect();
  await topic.drop();
});

/** Without the time, which the broker and not the test chooses. */
function contents(records: readonly ReadRecord[]): unknown[] {
  const bytes = (value: Buffer | null): string | null => value && value.toString('latin1');
  return records.map(({ partition, offset, key, headers, value }) => [
    partition,
    offset,
    bytes(key),
    headers.map(([name, one]) => [name, bytes(one)]),
    bytes(value),
  ]);
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const written = [
  [0, 0, 'a', [], everyByte.toString('latin1')],
  [1, 0, null, [], null],
  [
    2,
    0,
    '',
    [
      ['größe', latin1('a,b:ü\n')],
      ['twice', '1'],
      ['twice', '2'],
      ['empty', ''],
    ],
    '',
  ],
];

test('both readers show key, headers and value byte by byte', async () => {
  const plain = client.producer(options);
  await plain.connect();
  const headers = { größe: 'a,b:ü\n', twice: ['1', '2'], empty: '' };
  await plain.send({
    topic: topic.name,
    messages: [
      { partition: 0, key: 'a', value: everyByte },
      { partition: 1, key: null, value: null },
      { partition: 2, key: '', value: '', headers },
    ],
  });
  await plain.disconnect();
  const before = Date.now();
  const read = await readTopic(kafka, topic.name);
  expect(contents(read)).toEqual(written);
  expect(read.every(({ timestamp }) => timestamp > before - 60_000 && timestamp <= before)).toBe(true);
  for (const reader of ['kafkajs', 'platformatic'] as const)
    expect(contents(await readTopicFast(kafka, topic.name, { client: reader }))).toEqual(written);
});

test('a part of a topic can be read', async () => {
  expect(contents(await readTopic(kafka, topic.name, { partition: 2 }))).toEqual([written[2]]);
  expect(await readTopic(kafka, topic.name, { partition: 2, from: 1 })).toEqual([]);
  expect(await readTopic(kafka, topic.name, { count: 2 })).toHaveLength(2);
});

test('what a transaction aborted is read only by those who want it', async () => {
  const own = await openTestTopic();
  const aborted = await producer.transaction();
  await aborted.send({ topic: own.name, messages: [{ value: 'aborted' }] });
  await aborted.abort();
  const kept = await producer.transaction();
  await kept.send({ topic: own.name, messages: [{ value: 'committed' }] });
  await kept.commit();
  const values = (records: readonly ReadRecord[]): unknown[] => records.map(({ value }) => value?.toString());
  expect(values(await readTopic(kafka, own.name, { count: 1, committed: true }))).toEqual(['committed']);
  expect(values(await readTopic(kafka, own.name))).toEqual(['aborted', 'committed']);
  for (const reader of ['kafkajs', 'platformatic'] as const) {
    expect(values(await readTopicFast(kafka, own.name, { client: reader, count: 1, committed: true }))).toEqual([
      'committed',
    ]);
    expect(values(await readTopicFast(kafka, own.name, { client: reader, count: 2 }))).toEqual([
      'aborted',
      'committed',
    ]);
  }
  await own.drop();
});

test('a topic without records is read as none', async () => {
  const empty = await openTestTopic();
  expect(await readTopic(kafka, empty.name)).toEqual([]);
  expect(await readTopicFast(kafka, empty.name, { client: 'kafkajs' })).toEqual([]);
  await empty.drop();
});
