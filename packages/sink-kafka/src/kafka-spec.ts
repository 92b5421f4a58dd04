import { SinkError } from '@kollect/core';
import { boundedDuration, parseServerAddress, showText, tlsSpecProblems, type TlsSpec } from '@kollect/core/authoring';
import { missingCodec } from './clients/codecs.ts';
import type { Acks, Compression, SaslMechanism } from './kafka-client.ts';
import type { CompleteKafkaSpec } from './kafka-spec-schema.ts';

export type MessageFormat = 'document' | 'cloudevents';

/** Values with which a broker makes a topic as it is set itself. */
const brokerDefault = -1;

/** A spec with its defaults, durations in milliseconds, and nothing in it that contradicts itself. */
export interface ResolvedKafkaSpec {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly format: MessageFormat;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: Compression;
  readonly acks: Acks;
  readonly idempotent: boolean;
  readonly transactional: boolean;
  readonly maxMessageBytes: number;
  readonly clientId: string;
  /** Absent: not encrypted, as with mode disable. */
  readonly tls?: TlsSpec;
  readonly sasl?: { readonly mechanism: SaslMechanism };
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  /** Present: the topic is made like this where it is missing; -1 is as the brokers are set. */
  readonly newTopic?: {
    readonly partitions: number;
    readonly replicationFactor: number;
    readonly configs: Readonly<Record<string, string>>;
  };
}

/** The spec, complete and frozen. Throws SPEC_INVALID that names every field that cannot be used as written. */
export function resolveKafkaSpec(spec: CompleteKafkaSpec): ResolvedKafkaSpec {
  const { brokers, idempotent, requestTimeout, connectTimeout, deliveryTimeout, topicProvisioning, ...rest } = spec;
  const { newTopic: wanted, headers, tls, sasl, ...asWritten } = rest;
  const times = {
    requestTimeout: boundedDuration(requestTimeout, { above: '0s', most: '1h' }),
    connectTimeout: boundedDuration(connectTimeout, { above: '0s', most: '1h' }),
    deliveryTimeout: boundedDuration(deliveryTimeout, { above: '0s', most: '24h' }),
  };
  const resolved: ResolvedKafkaSpec = {
    ...asWritten,
    brokers: Object.freeze([...new Set(brokers)]),
    headers: Object.freeze({ ...headers }),
    idempotent: idempotent ?? spec.acks === 'all',
    ...(tls === undefined ? {} : { tls: Object.freeze({ ...tls }) }),
    ...(sasl === undefined ? {} : { sasl: Object.freeze({ ...sasl }) }),
    requestTimeoutMs: times.requestTimeout.value ?? 0,
    connectTimeoutMs: times.connectTimeout.value ?? 0,
    deliveryTimeoutMs: times.deliveryTimeout.value ?? 0,
    ...(topicProvisioning === 'create' ? { newTopic: newTopic(wanted) } : {}),
  };
  const problems = [
    ...spec.brokers.flatMap(brokerProblems),
    ...specProblems(resolved),
    ...Object.entries(times).flatMap(([field, { problem }]) => (problem === undefined ? [] : [`${field}: ${problem}`])),
  ];
  if (wanted !== undefined && resolved.newTopic === undefined) {
    problems.push('newTopic: has no meaning with topicProvisioning existing; set it to create or remove newTopic');
  }
  if (problems.length > 0)
    throw new SinkError('SPEC_INVALID', `${problems.map((problem) => `$.kafka.${problem}`).join('; ')}.`, {
      sinkType: 'kafka',
    });
  return Object.freeze(resolved);
}

function newTopic({
  partitions,
  replicationFactor,
  configs,
}: NonNullable<CompleteKafkaSpec['newTopic']> = {}): NonNullable<ResolvedKafkaSpec['newTopic']> {
  return Object.freeze({
    partitions: partitions ?? brokerDefault,
    replicationFactor: replicationFactor ?? brokerDefault,
    configs: Object.freeze({ ...configs }),
  });
}

/** What a schema cannot say: every field that cannot be used as written, with what was expected. */
function specProblems(spec: ResolvedKafkaSpec): string[] {
  return [
    ...topicProblems(spec.topic),
    ...Object.keys(spec.headers).flatMap((name) => headerProblems(name, spec)),
    ...compressionProblems(spec),
    ...guaranteeProblems(spec),
    ...durationProblems(spec),
    ...(spec.tls === undefined ? [] : tlsSpecProblems(spec.tls)),
    ...secretInTheClear(spec),
  ];
}

function brokerProblems(broker: string, index: number): string[] {
  const { problem } = parseServerAddress(broker);
  return problem === undefined ? [] : [`brokers[${index}]: ${problem}`];
}

/** What the login would show to everybody on the way; scram shows no password. */
const secrets: Partial<Readonly<Record<SaslMechanism, string>>> = { plain: 'password', oauthbearer: 'token' };

function secretInTheClear({ sasl, tls }: ResolvedKafkaSpec): string[] {
  const secret = sasl === undefined ? undefined : secrets[sasl.mechanism];
  if (sasl === undefined || secret === undefined || tls !== undefined) return [];
  return [
    `sasl: with mechanism ${sasl.mechanism} and without tls the ${secret} crosses the network in the clear; set tls: {} and a listener with TLS, or tls: { mode: disable } where the network is trusted`,
  ];
}

function topicProblems(topic: string): string[] {
  if (topic === '.' || topic === '..') return [`topic: must not be ${showText(topic)}`];
  return /^[A-Za-z0-9._-]+$/.test(topic)
    ? []
    : [`topic: must hold letters, digits, ".", "_" and "-" alone, found ${showText(topic)}`];
}

function headerProblems(name: string, { format }: ResolvedKafkaSpec): string[] {
  const path = `headers[${showText(name)}]`;
  const lower = name.toLowerCase();
  if (name === '') return [`${path}: a header needs a name`];
  if (lower.startsWith('kollect.dev/')) return [`${path}: names that begin with kollect.dev/ are the sink's own`];
  if (lower === 'content-type') return [`${path}: the sink sets content-type itself`];
  if (format === 'cloudevents' && lower.startsWith('ce_'))
    return [`${path}: with format cloudevents, names that begin with ce_ are the sink's own`];
  return [];
}

function compressionProblems({ compression }: ResolvedKafkaSpec): string[] {
  const missing = missingCodec(compression);
  return missing === undefined ? [] : [`compression: ${missing}`];
}

function guaranteeProblems({ acks, idempotent, transactional }: ResolvedKafkaSpec): string[] {
  if (idempotent && acks !== 'all')
    return [`idempotent: needs acks all, found acks ${acks}; set idempotent to false or acks to all`];
  return transactional && !idempotent ? ['transactional: needs idempotent true and acks all'] : [];
}

function durationProblems({ requestTimeoutMs, deliveryTimeoutMs }: ResolvedKafkaSpec): string[] {
  // One that cannot be used by itself is told already.
  if (requestTimeoutMs === 0 || deliveryTimeoutMs === 0 || requestTimeoutMs < deliveryTimeoutMs) return [];
  return [
    `requestTimeout: must be below deliveryTimeout, found ${requestTimeoutMs} ms and ${deliveryTimeoutMs} ms: an export could never try twice`,
  ];
}
