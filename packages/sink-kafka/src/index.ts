// For operators: announce snapshots on a topic.
export { createKafkaSink, kafkaSink, type KafkaSinkOptions } from './kafka-sink.ts';
export { kafkajsClient } from './kafkajs-client.ts';
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

// For consumers of the topic: what a message is, and how to read it back.
export { formatMessageKey, parseMessageKey } from './message-key.ts';
export { readSnapshots, type ReadSnapshotsOptions } from './read-snapshots.ts';
export type { InventoryEvent, RemovedEvent, SkippedEvent, SkipReason, SnapshotEvent } from './read-events.ts';
export type { IncomingHeaders, IncomingMessage, MessagePosition } from './incoming-message.ts';
