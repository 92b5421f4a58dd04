import { randomUUID } from 'node:crypto';
import type { SinkContext } from '@kollect/core';
import { checkedCredentials, checkedTls } from '../kafka-login.ts';
import type { KafkaClientConfig } from '../kafka-client.ts';
import type { ResolvedKafkaSpec } from '../kafka-spec.ts';

/** What clients of one sink are made with; they share a transactional id, so that a new one ends what the last left open. */
export function clientConfig({
  spec,
  credentials,
  tls,
  egress,
  logger,
}: SinkContext<ResolvedKafkaSpec>): KafkaClientConfig {
  return {
    brokers: spec.brokers,
    clientId: spec.clientId,
    compression: spec.compression,
    acks: spec.acks,
    idempotent: spec.idempotent,
    ...(spec.transactional ? { transactionalId: `${spec.clientId}-${randomUUID()}` } : {}),
    ...(spec.sasl === undefined ? {} : { sasl: spec.sasl }),
    requestTimeoutMs: spec.requestTimeoutMs,
    connectTimeoutMs: spec.connectTimeoutMs,
    credentials: async () => checkedCredentials(spec, await credentials()),
    tls: async () => checkedTls(spec, await tls()),
    egress,
    log: ({ level, message, broker }) => logger[level](broker === undefined ? {} : { broker }, message),
  };
}
