import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer, FetchIsolationLevels } from '@platformatic/kafka';
import { Kafka } from 'kafkajs';
import { createKafkaAdmin } from './kafka-admin.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import type { ReadRecord } from './kafka-records.ts';

/** What is read, and by whom. */
export interface FastReadOptions {
  /** The client that reads: take another one than wrote. kafkajs reads `none` and `gzip`, and what it was taught in this process. */
  readonly client: 'kafkajs' | 'platformatic';
  /** The reading ends when so many records are there, and fails when they do not come; default: what is in the topic when it begins. */
  readonly count?: number;
  /** True leaves out what was aborted or is not committed yet; default false. */
  readonly committed?: boolean;
}

type Reader = (
  server: KafkaConnection,
  topic: string,
  committed: boolean,
  take: (record: ReadRecord) => void,
) => Promise<{ readonly failed: Promise<never>; stop(): Promise<void> }>;

const PATIENCE_MS = 30_000;
const QUIET_MS = 3_000;
const MAXIMUM_BYTES = 256 * 1024 * 1024;
const READERS: Readonly<Record<FastReadOptions['client'], Reader>> = {
  kafkajs: readWithKafkajs,
  platformatic: readWithPlatformatic,
};

/** Reads a topic in this process, many records a second; otherwise as `readTopic`, which another hand than any of ours wrote. */
export async function readTopicFast(
  server: KafkaConnection,
  topic: string,
  options: FastReadOptions,
): Promise<ReadRecord[]> {
  const { client, count, committed = false } = options;
  const ends = await createKafkaAdmin(server).endOffsets(topic, { committed });
  const open = new Map([...ends].filter(([, end]) => end > 0));
  if (count === 0 || (count === undefined && open.size === 0)) return [];
  const records: ReadRecord[] = [];
  const isWhole = (): boolean => (count === undefined ? open.size === 0 : records.length >= count);
  let last = Date.now();
  const reading = await READERS[client](server, topic, committed, (record) => {
    records.push(record);
    last = Date.now();
    if (record.offset >= (open.get(record.partition) ?? Infinity) - 1) open.delete(record.partition);
  });
  const whole = async (): Promise<void> => {
    for (; !isWhole(); await sleep(10)) {
      const quietMs = Date.now() - last;
      // What is left before the end may be marks of transactions, which no client hands out.
      if (count === undefined && records.length > 0 && quietMs > QUIET_MS) return;
      if (quietMs > PATIENCE_MS)
        throw new Error(`${client} fell silent after ${records.length} records of "${topic}".`);
    }
  };
  try {
    await Promise.race([whole(), reading.failed]);
  } finally {
    await reading.stop();
  }
  return records.slice(0, count).toSorted((one, other) => one.partition - other.partition || one.offset - other.offset);
}

async function readWithKafkajs(...[server, topic, committed, take]: Parameters<Reader>): ReturnType<Reader> {
  const kafka = new Kafka({ brokers: [...server.listeners.plaintext], logCreator: () => () => undefined });
  // The end waits for the fetch that is under way.
  const limits = { maxBytes: MAXIMUM_BYTES, maxBytesPerPartition: MAXIMUM_BYTES, maxWaitTimeInMs: 100 };
  const consumer = kafka.consumer({ groupId: `fast-${randomUUID()}`, readUncommitted: !committed, ...limits });
  const failed = new Promise<never>((_, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message: { offset, timestamp, key, headers = {}, value } }) => {
      const pairs = Object.entries(headers).flatMap(([name, all]) =>
        [all].flat().map((one) => [name, one === undefined ? null : Buffer.from(one)] as const),
      );
      take({ partition, offset: Number(offset), timestamp: Number(timestamp), key, headers: pairs, value });
    },
  });
  return { failed, stop: () => consumer.disconnect() };
}

async function readWithPlatformatic(...[server, topic, committed, take]: Parameters<Reader>): ReturnType<Reader> {
  const isolationLevel = committed ? FetchIsolationLevels.READ_COMMITTED : FetchIsolationLevels.READ_UNCOMMITTED;
  const consumer = new Consumer({
    clientId: 'kollect-tests',
    groupId: `fast-${randomUUID()}`,
    bootstrapBrokers: [...server.listeners.plaintext],
    isolationLevel,
    maxBytes: MAXIMUM_BYTES,
  });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 100 });
  stream.on('data', ({ partition, offset, timestamp, key, headers, value }) => {
    const pairs = [...headers].map(([name, one]) => [name.toString(), one ?? null] as const);
    take({
      partition,
      offset: Number(offset),
      timestamp: Number(timestamp),
      key: key ?? null,
      headers: pairs,
      value: value ?? null,
    });
  });
  return {
    failed: once(stream, 'error').then(([error]) => Promise.reject(error)),
    stop: () => consumer.close(true),
  };
}
