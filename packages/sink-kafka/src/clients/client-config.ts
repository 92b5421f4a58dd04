import { randomUUID } from 'node:crypto';
import type { SinkContext } from '@kollect/core';
import { checkedCredentials, checkedTls } from '../kafka-login.ts';
import type { KafkaClientConfig } from '../kafka-client.ts';
import type { ResolvedKafkaSpec } from '../kafka-spec.ts';

/** What clients of one sink are made with; those of transactions get an id besides. */
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
    ...(spec.sasl === undefined ? {} : { sasl: spec.sasl }),
    requestTimeoutMs: spec.requestTimeoutMs,
    connectTimeoutMs: spec.connectTimeoutMs,
    credentials: async () => checkedCredentials(spec, await credentials()),
    tls: async () => checkedTls(spec, await tls()),
    egress,
    log: ({ level, message, broker }) => logger[level](broker === undefined ? {} : { broker }, message),
  };
}

/** Of one sink in this process alone; the rights to its ids go by the client id. */
export function transactionalIdPrefix({ clientId }: Pick<ResolvedKafkaSpec, 'clientId'>): string {
  return `${clientId}-${randomUUID()}`;
}
