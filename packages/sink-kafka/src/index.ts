// For operators: announce snapshots on a topic.
export { createKafkaSink, kafkaSink, type KafkaSinkOptions } from './kafka-sink.ts';
export { kafkajsClient } from './clients/kafkajs/kafkajs-client.ts';
export { kafkaSpecSchema, type KafkaSpec } from './kafka-spec-schema.ts';

// For those who bring another client.
export type {
  Acks,
  Compression,
  KafkaClient,
  KafkaClientConfig,
  KafkaClientFactory,
  KafkaLogLine,
  KafkaRecord,
  NewTopic,
  ProduceBatch,
  SaslMechanism,
  TopicDescription,
} from './kafka-client.ts';

// For consumers of the topic: what a message is, and how to read it back; `@kollect/core` exports the same.
export {
  formatMessageKey,
  parseMessageKey,
  readSnapshots,
  type IncomingHeaders,
  type IncomingMessage,
  type InventoryEvent,
  type MessagePosition,
  type ReadSnapshotsOptions,
  type RemovedEvent,
  type SkippedEvent,
  type SkipReason,
  type SnapshotEvent,
} from '@kollect/core';
