export type { KafkaClient, KafkaClientConfig, KafkaClientFactory, KafkaLogLine } from './kafka-client.ts';
