import { isIP } from 'node:net';
import { parseDuration, SinkError } from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import { parseBroker } from './clients/broker-address.ts';
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
  readonly tls?: { readonly serverName?: string };
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
  const resolved: ResolvedKafkaSpec = {
    ...asWritten,
    brokers: Object.freeze([...new Set(brokers)]),
    headers: Object.freeze({ ...headers }),
    idempotent: idempotent ?? spec.acks === 'all',
    ...(tls === undefined ? {} : { tls: Object.freeze({ ...tls }) }),
    ...(sasl === undefined ? {} : { sasl: Object.freeze({ ...sasl }) }),
    requestTimeoutMs: parseDuration(requestTimeout, '$.kafka.requestTimeout'),
    connectTimeoutMs: parseDuration(connectTimeout, '$.kafka.connectTimeout'),
    deliveryTimeoutMs: parseDuration(deliveryTimeout, '$.kafka.deliveryTimeout'),
    ...(topicProvisioning === 'create' ? { newTopic: newTopic(wanted) } : {}),
  };
  const problems = [...spec.brokers.flatMap(brokerProblems), ...specProblems(resolved)];
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
    ...serverNameProblems(spec.tls?.serverName),
  ];
}

function brokerProblems(broker: string, index: number): string[] {
  if (parseBroker(broker) !== undefined) return [];
  const example = '"kafka-0.example:9092" or "[2001:db8::1]:9092"';
  return [`brokers[${index}]: expected host:port, such as ${example}, found ${showText(broker)}`];
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

const hourMs = 60 * 60_000;

function durationProblems({ requestTimeoutMs, connectTimeoutMs, deliveryTimeoutMs }: ResolvedKafkaSpec): string[] {
  const bounds = [
    ['requestTimeout', requestTimeoutMs, hourMs, '1h'],
    ['connectTimeout', connectTimeoutMs, hourMs, '1h'],
    ['deliveryTimeout', deliveryTimeoutMs, 24 * hourMs, '24h'],
  ] as const;
  const problems = bounds.flatMap(([field, ms, most, words]) =>
    ms > 0 && ms <= most ? [] : [`${field}: must be above zero and at most ${words}, found ${ms} ms`],
  );
  if (problems.length > 0 || requestTimeoutMs < deliveryTimeoutMs) return problems;
  return [
    `requestTimeout: must be below deliveryTimeout, found ${requestTimeoutMs} ms and ${deliveryTimeoutMs} ms: an export could never try twice`,
  ];
}

function serverNameProblems(serverName: string | undefined): string[] {
  if (serverName === undefined || /^[\p{L}\p{N}._-]+$/u.test(serverName) || isIP(serverName) !== 0) return [];
  return [`tls.serverName: expected a host name or an IP address, found ${showText(serverName)}`];
}
