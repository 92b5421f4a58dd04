export { createAuthority, type Authority, type CertificateRequest, type KeyPair } from './certificates.ts';
export { engineAnswers } from './container-engine.ts';
export { startFaultProxy, type ByteTrigger, type Direction, type FaultProxy, type Side } from './fault-proxy.ts';
export { startKafka, type KafkaKind, type KafkaServer, type StartKafkaOptions } from './kafka.ts';
export { createKafkaAdmin, type Grant, type KafkaAdmin, type TopicOptions } from './kafka-admin.ts';
export type { KafkaRestartMode } from './kafka-backend.ts';
export { unsecuredToken, type KafkaConnection, type KafkaListener, type KafkaUser } from './kafka-connection.ts';
export { findKafkaRuntime, kafkaClasspath, type KafkaRuntime } from './kafka-jars.ts';
export { readTopicFast, type FastReadOptions } from './kafka-fast-reader.ts';
export { readTopic, type ReadOptions } from './kafka-reader.ts';
export type { ReadRecord } from './kafka-records.ts';
export type { PartitionState } from './kafka-requests.ts';
export {
  startKubernetes,
  type KubernetesConnection,
  type KubernetesServer,
  type StartKubernetesOptions,
} from './kubernetes.ts';
export { startNats, type NatsConnection, type NatsServer, type StartNatsOptions } from './nats.ts';
export type { NatsKind } from './nats-backend.ts';
export { startPgBouncer, type PgBouncer, type StartPgBouncerOptions } from './pgbouncer.ts';
export { startPostgres, type PostgresKind, type PostgresServer, type StartPostgresOptions } from './postgres.ts';
export type { RestartMode } from './postgres-backend.ts';
export { createDatabase, type DatabaseAccess, type DsnOptions, type PostgresConnection } from './postgres-database.ts';
