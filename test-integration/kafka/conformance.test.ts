import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { joinParts, parseDocument, type InventoryDocument } from '@kollect/core';
import { formatMessageKey, kafkajsClient, kafkaSink, type KafkaSpec } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { registerConformanceTests, type CreateSinkOptions } from '@kollect/sink-testkit';
import { sinkOver } from './sink.ts';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';
import { followTopic, type FollowedMessage, type TopicFollower } from './topic-follower.ts';

const partitions = 3;

/** What a consumer that knows the data contract alone makes of the messages of a key. */
function documentsOf(messages: readonly FollowedMessage[], key: string): InventoryDocument[] {
  let documents: InventoryDocument[] = [];
  let parts: InventoryDocument[] = [];
  for (const { value } of messages.filter((message) => message.key === key)) {
    if (value === null) {
      [documents, parts] = [[], []];
      continue;
    }
    const part = parseDocument(value);
    // A set that was cut off stays torn; the next one begins anew.
    parts = part.partIndex === undefined || part.partIndex === 0 ? [part] : [...parts, part];
    if (parts.length === (part.partTotal ?? 1)) documents.push(joinParts(parts));
  }
  return documents;
}

const clients = { kafkajs: kafkajsClient, platformatic: platformaticClient };

describe.each<[keyof typeof clients, string, Partial<KafkaSpec>]>([
  ['kafkajs', 'one message a snapshot', {}],
  ['kafkajs', 'in parts', { maxMessageBytes: 20_000 }],
  [
    'kafkajs',
    'in parts, transactional, as cloud events',
    { maxMessageBytes: 20_000, transactional: true, format: 'cloudevents' },
  ],
  ['platformatic', 'one message a snapshot', { compression: 'gzip' }],
  ['platformatic', 'in parts', { maxMessageBytes: 20_000, compression: 'gzip' }],
  ['platformatic', 'in parts, transactional', { maxMessageBytes: 20_000, compression: 'gzip', transactional: true }],
])('%s, %s', (client, _, spec) => {
  const store: { topic?: TestTopic; follower?: TopicFollower } = {};
  const opened = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the topic is not open yet');
    return value;
  };
  // Logged in, so that there is a secret to keep.
  const { listeners, users } = testKafka();
  const { username, password } = users.admin;
  const sinkAt = (brokers: readonly string[], { name, egress, logger }: CreateSinkOptions) =>
    sinkOver(clients[client], {
      topic: opened(store.topic).name,
      name,
      egress,
      logger,
      credentials: { username, password },
      spec: { ...spec, brokers: [...brokers], sasl: { mechanism: 'scram-sha-512' } },
    });
  beforeAll(async () => {
    store.topic = await openTestTopic({ partitions });
    store.follower = await followTopic(testKafka(), {
      topic: store.topic.name,
      partitions,
      client: client === 'kafkajs' ? 'platformatic' : 'kafkajs',
    });
  });
  afterAll(async () => {
    await store.follower?.stop();
    await store.topic?.drop();
  });

  registerConformanceTests({
    test,
    definition: kafkaSink,
    harness: {
      holds: 'documents',
      createSink: (options) => sinkAt(listeners.sasl, options),
      brokenSink: (options) => sinkAt(['127.0.0.1:1'], options),
      secretCanary: password,
      read: async (scope) => documentsOf(await opened(store.follower).messages(), formatMessageKey(scope)),
    },
  });
});
