export type { KafkaClient, KafkaClientConfig, KafkaClientFactory, KafkaLogLine } from './kafka-client.ts';

// For consumers of the topic: what a message is, and how to read it back.
export { formatMessageKey, parseMessageKey } from './message-key.ts';
