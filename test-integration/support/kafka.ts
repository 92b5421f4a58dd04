import { randomBytes } from 'node:crypto';
import { createKafkaAdmin, type KafkaAdmin, type TopicOptions } from '../servers/kafka-admin.ts';
import type { KafkaConnection } from '../servers/kafka-connection.ts';

/** The Kafka of this test run, which global-setup started, with its administration. */
export interface TestKafka extends KafkaConnection, KafkaAdmin {}

/** A topic of one test. */
export interface TestTopic {
  readonly name: string;
  /** Removes the topic. */
  drop(): Promise<void>;
}

/** How a test's topic is made; every field has a default. */
export interface TestTopicOptions extends TopicOptions {
  /** What its random name begins with; default `test-`. */
  readonly prefix?: string;
  /** Default: the Kafka of this test run. */
  readonly server?: KafkaAdmin;
}

/** The Kafka of this test run, which global-setup started. */
export function testKafka(): TestKafka {
  const described = process.env['KOLLECT_TEST_KAFKA'];
  if (!described)
    throw new Error(
      'KOLLECT_TEST_KAFKA is not set: run integration tests through jest, whose global-setup starts a server.',
    );
  const connection: KafkaConnection = JSON.parse(described);
  return { ...connection, ...createKafkaAdmin(connection) };
}

/** A fresh topic with a random name; drop it in `afterAll`. */
export async function openTestTopic({
  prefix = 'test-',
  server = testKafka(),
  ...options
}: TestTopicOptions = {}): Promise<TestTopic> {
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  await server.createTopic(name, options);
  return { name, drop: () => server.deleteTopic(name) };
}
