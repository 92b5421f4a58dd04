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

// For consumers of the topic: what a message is, and how to read it back.
export { formatMessageKey, parseMessageKey } from './events/message-key.ts';
export { readSnapshots, type ReadSnapshotsOptions } from './events/read-snapshots.ts';
export type { InventoryEvent, RemovedEvent, SkippedEvent, SkipReason, SnapshotEvent } from './events/read-events.ts';
export type { IncomingHeaders, IncomingMessage, MessagePosition } from './events/incoming-message.ts';
