import { randomUUID } from 'node:crypto';
import { Consumer, Producer, stringSerializers } from '@platformatic/kafka';
import { Kafka } from 'kafkajs';
import type { KafkaConnection } from '../servers/kafka-connection.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A message as it was read. */
export interface FollowedMessage {
  readonly key: string;
  readonly value: Buffer | null;
}

/** Reads a topic all the time, so that looking into it costs a round trip. */
export interface TopicFollower {
  /** Every message that was in the topic when this was asked, each partition in its order. */
  messages(): Promise<readonly FollowedMessage[]>;
  stop(): Promise<void>;
}

export interface FollowOptions {
  readonly topic: string;
  readonly partitions: number;
  /** Who reads: another client than wrote, so that it cannot hide its own error. kafkajs reads `none` and `gzip`. */
  readonly client: 'kafkajs' | 'platformatic';
}

type Take = (partition: number, message: FollowedMessage) => void;

const markPrefix = 'mark:';

/** Marks the end of each partition with a message of its own and waits for that: what transactions leave behind has offsets, too. */
export async function followTopic(
  server: KafkaConnection,
  { topic, partitions, client }: FollowOptions,
): Promise<TopicFollower> {
  const read = new Map<number, FollowedMessage[]>();
  const marks = new Set<string>();
  const take: Take = (partition, message) => {
    if (message.key.startsWith(markPrefix)) marks.add(message.key);
    else read.set(partition, [...(read.get(partition) ?? []), message]);
  };
  const stop =
    client === 'kafkajs'
      ? await followWithKafkajs(server, topic, take)
      : await followWithPlatformatic(server, topic, take);
  const producer = new Producer({
    clientId: 'kollect-tests',
    bootstrapBrokers: [...server.listeners.plaintext],
    serializers: stringSerializers,
  });
  return {
    async messages() {
      const keys = Array.from({ length: partitions }, (_, partition) => `${markPrefix}${partition}:${randomUUID()}`);
      await producer.send({ messages: keys.map((key, partition) => ({ topic, partition, key, value: '' })) });
      await waitUntil(() => keys.every((key) => marks.has(key)), { what: `all of topic "${topic}" was read` });
      return [...read.values()].flat();
    },
    async stop() {
      await Promise.all([stop(), producer.close(true)]);
    },
  };
}

async function followWithKafkajs(server: KafkaConnection, topic: string, take: Take): Promise<() => Promise<void>> {
  const kafka = new Kafka({ brokers: [...server.listeners.plaintext], logCreator: () => () => undefined });
  const consumer = kafka.consumer({ groupId: `follow-${randomUUID()}`, maxWaitTimeInMs: 50, readUncommitted: false });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message: { key, value } }) =>
      take(partition, { key: key?.toString() ?? '', value }),
  });
  return () => consumer.disconnect();
}

async function followWithPlatformatic(
  server: KafkaConnection,
  topic: string,
  take: Take,
): Promise<() => Promise<void>> {
  const consumer = new Consumer({
    clientId: 'kollect-tests',
    groupId: `follow-${randomUUID()}`,
    bootstrapBrokers: [...server.listeners.plaintext],
  });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 50 });
  stream.on('data', ({ partition, key, value }) => {
    // A tombstone has no value, whatever the library's type says.
    take(partition, { key: key.toString(), value: value ?? null });
  });
  return () => consumer.close(true);
}
