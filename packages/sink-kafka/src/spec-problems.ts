import { isIP } from 'node:net';
import { missingCodec } from './codecs.ts';
import type { ResolvedKafkaSpec } from './kafka-spec.ts';

/** What a schema cannot say: every field that cannot be used as written, with what was expected. */
export function specProblems(spec: ResolvedKafkaSpec): string[] {
  return [
    ...spec.brokers.flatMap(brokerProblems),
    ...topicProblems(spec.topic),
    ...Object.entries(spec.headers).flatMap(([name, value]) => headerProblems(name, value, spec)),
    ...compressionProblems(spec),
    ...guaranteeProblems(spec),
    ...durationProblems(spec),
    ...serverNameProblems(spec.tls?.serverName),
    ...(/[\p{Cc}\p{Zl}\p{Zp}]/u.test(spec.clientId) ? ['clientId: must not hold control characters'] : []),
  ];
}

/** Host and port of `host:port` or `[address]:port`; undefined where the text is neither. */
export function parseBroker(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, address, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([\p{L}\p{N}._-]+)):(\d{1,5})$/u.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  if (address !== undefined) return isIP(address) === 6 ? { host: address, port } : undefined;
  return name === undefined ? undefined : { host: name, port };
}

function brokerProblems(broker: string): string[] {
  if (parseBroker(broker) !== undefined) return [];
  // An address with a password in it is a mistake that a message must not repeat.
  const shown = broker.includes('@') ? 'an entry with "@" in it' : JSON.stringify(broker);
  return [`brokers: expected host:port, such as "kafka-0.example:9092" or "[2001:db8::1]:9092", found ${shown}`];
}

const maxTopicLength = 249;

function topicProblems(topic: string): string[] {
  if (topic === '.' || topic === '..') return [`topic: must not be "${topic}"`];
  if (topic.length > maxTopicLength) return [`topic: has ${topic.length} characters, Kafka takes ${maxTopicLength}`];
  return /^[A-Za-z0-9._-]+$/.test(topic) ? [] : [`topic: must hold letters, digits, ".", "_" and "-" alone, found ${JSON.stringify(topic)}`];
}

function headerProblems(name: string, value: string, { format }: ResolvedKafkaSpec): string[] {
  const path = `headers[${JSON.stringify(name)}]`;
  const lower = name.toLowerCase();
  if (name === '') return [`${path}: a header needs a name`];
  if (lower.startsWith('kollect.dev/')) return [`${path}: names that begin with kollect.dev/ are the sink's own`];
  if (lower === 'content-type') return [`${path}: the sink sets content-type itself`];
  if (format === 'cloudevents' && lower.startsWith('ce_')) return [`${path}: with format cloudevents, names that begin with ce_ are the sink's own`];
  // The value may be a secret of the user's: it is not shown.
  if (/\p{Cc}/u.test(name + value)) return [`${path}: must not hold control characters`];
  return /\p{Surrogate}/u.test(name + value) ? [`${path}: must not hold a lone surrogate`] : [];
}

function compressionProblems({ compression }: ResolvedKafkaSpec): string[] {
  const missing = missingCodec(compression);
  return missing === undefined ? [] : [`compression: ${missing}`];
}

function guaranteeProblems({ acks, idempotent, transactional }: ResolvedKafkaSpec): string[] {
  if (idempotent && acks !== 'all') return [`idempotent: needs acks all, found acks ${acks}; set idempotent to false or acks to all`];
  return transactional && !idempotent ? ['transactional: needs idempotent true and acks all'] : [];
}

const hourMs = 60 * 60_000;

function durationProblems({ requestTimeoutMs, connectTimeoutMs, deliveryTimeoutMs }: ResolvedKafkaSpec): string[] {
  const bounds = [
    ['requestTimeout', requestTimeoutMs, hourMs, '1h'],
    ['connectTimeout', connectTimeoutMs, hourMs, '1h'],
    ['deliveryTimeout', deliveryTimeoutMs, 24 * hourMs, '24h'],
  ] as const;
  const problems = bounds.flatMap(([field, ms, most, words]) => (ms > 0 && ms <= most ? [] : [`${field}: must be above zero and at most ${words}, found ${ms} ms`]));
  if (problems.length > 0 || requestTimeoutMs < deliveryTimeoutMs) return problems;
  return [`requestTimeout: must be below deliveryTimeout, found ${requestTimeoutMs} ms and ${deliveryTimeoutMs} ms: an export could never try twice`];
}

function serverNameProblems(serverName: string | undefined): string[] {
  if (serverName === undefined || /^[\p{L}\p{N}._-]+$/u.test(serverName) || isIP(serverName) !== 0) return [];
  return [`tls.serverName: expected a host name or an IP address, found ${JSON.stringify(serverName)}`];
}
