import { SinkError } from '@kollect/core';
import {
  boundedDuration,
  parseServerAddress,
  showText,
  tlsSpecProblems,
  type ServerAddress,
  type TlsSpec,
} from '@kollect/core/authoring';
import type { CompleteNatsSpec } from './nats-spec-schema.ts';

/** A spec with its defaults, durations in milliseconds, and nothing in it that contradicts itself. */
export interface ResolvedNatsSpec extends Pick<
  CompleteNatsSpec,
  'stream' | 'subjectPrefix' | 'retain' | 'format' | 'compression' | 'minReplicas' | 'inboxPrefix'
> {
  readonly servers: readonly ServerAddress[];
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: as much as server and stream take. */
  readonly maxMessageBytes?: number;
  /** Absent: not encrypted, as with mode disable. */
  readonly tls?: TlsSpec & { readonly handshakeFirst: boolean };
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  /** Present: the stream is made like this where it is missing. */
  readonly newStream?: NewStream;
}

export interface NewStream {
  readonly replicas: number;
  readonly maxAgeMs: number;
  readonly maxBytes?: number;
  readonly storage: 'file' | 'memory';
  readonly discard: 'new' | 'old';
}

const defaultMaxAge = '168h';

/** The spec, complete and frozen. Throws SPEC_INVALID that names every field that cannot be used as written. */
export function resolveNatsSpec(spec: CompleteNatsSpec): ResolvedNatsSpec {
  const {
    servers,
    headers,
    tls,
    newStream: wanted,
    provisioning,
    requestTimeout,
    connectTimeout,
    deliveryTimeout,
    ...rest
  } = spec;
  const times = {
    requestTimeout: boundedDuration(requestTimeout, { above: '0s', most: '1h' }),
    connectTimeout: boundedDuration(connectTimeout, { above: '0s', most: '1h' }),
    deliveryTimeout: boundedDuration(deliveryTimeout, { above: '0s', most: '24h' }),
  };
  const maxAge = boundedDuration(wanted?.maxAge ?? defaultMaxAge, { least: '0s', most: '876000h' });
  const requestTimeoutMs = times.requestTimeout.value ?? 0;
  const deliveryTimeoutMs = times.deliveryTimeout.value ?? 0;
  const addresses = [...new Set(servers)].map((server) => parseServerAddress(server, { defaultPort: 4222 }));
  const problems = [
    ...addresses.flatMap(({ problem }, index) => (problem === undefined ? [] : [`servers[${index}]: ${problem}`])),
    ...subjectProblems('subjectPrefix', spec.subjectPrefix),
    ...subjectProblems('inboxPrefix', spec.inboxPrefix),
    ...streamProblems(spec.stream),
    ...Object.entries(headers).flatMap(([name, value]) => headerProblems(name, value, spec)),
    ...(tls === undefined ? [] : tlsSpecProblems(tls)),
    ...(tls?.mode === 'disable' && tls.handshakeFirst
      ? ['tls.handshakeFirst: has no meaning with mode disable; remove one of the two']
      : []),
    ...Object.entries({ ...times, 'newStream.maxAge': maxAge }).flatMap(([field, { problem }]) =>
      problem === undefined ? [] : [`${field}: ${problem}`],
    ),
    ...(requestTimeoutMs > 0 && deliveryTimeoutMs > 0 && requestTimeoutMs >= deliveryTimeoutMs
      ? [`requestTimeout: must be below deliveryTimeout, found ${requestTimeoutMs} ms and ${deliveryTimeoutMs} ms`]
      : []),
    ...(wanted !== undefined && provisioning === 'existing'
      ? ['newStream: has no meaning with provisioning existing; set it to create or remove newStream']
      : []),
    ...(provisioning === 'create' && (wanted?.replicas ?? 1) < spec.minReplicas
      ? [`newStream.replicas: must be at least minReplicas, found ${wanted?.replicas ?? 1} and ${spec.minReplicas}`]
      : []),
  ];
  if (problems.length > 0)
    throw new SinkError('SPEC_INVALID', `${problems.map((problem) => `$.nats.${problem}`).join('; ')}.`, {
      sinkType: 'nats',
    });
  return Object.freeze({
    ...rest,
    servers: Object.freeze(addresses.flatMap(({ value }) => value ?? [])),
    headers: Object.freeze({ ...headers }),
    ...(tls === undefined ? {} : { tls: Object.freeze({ ...tls }) }),
    requestTimeoutMs,
    connectTimeoutMs: times.connectTimeout.value ?? 0,
    deliveryTimeoutMs,
    ...(provisioning === 'create' ? { newStream: newStream(wanted, maxAge.value ?? 0) } : {}),
  });
}

function newStream(wanted: CompleteNatsSpec['newStream'], maxAgeMs: number): NewStream {
  const { replicas = 1, maxBytes, storage = 'file', discard = 'new' } = wanted ?? {};
  return Object.freeze({ replicas, maxAgeMs, storage, discard, ...(maxBytes === undefined ? {} : { maxBytes }) });
}

function subjectProblems(field: string, subject: string): string[] {
  return /^[\w$/:=@+-]+(?:\.[\w$/:=@+-]+)*$/u.test(subject)
    ? []
    : [
        `${field}: expected words of letters, digits and "-_$/:=@+" with a dot between them, found ${showText(subject)}`,
      ];
}

function streamProblems(stream: string): string[] {
  return /^[\w-]+$/u.test(stream)
    ? []
    : [`stream: expected letters, digits, "_" and "-" alone, found ${showText(stream)}`];
}

function headerProblems(name: string, value: string, { format }: Pick<CompleteNatsSpec, 'format'>): string[] {
  const path = `headers[${showText(name)}]`;
  const lower = name.toLowerCase();
  if (value !== value.trim()) return [`${path}: the value begins or ends with a blank, which no header keeps`];
  if (!/^[\x21-\x39\x3b-\x7e]+$/u.test(name)) return [`${path}: a name is printable ASCII without blanks and ":"`];
  if (/^(?:kollect\.dev\/|nats-)/u.test(lower))
    return [`${path}: names that begin with kollect.dev/ or Nats- are taken`];
  if (lower === 'content-type' || lower === 'content-encoding') return [`${path}: the sink sets it itself`];
  if (format === 'cloudevents' && lower.startsWith('ce-'))
    return [`${path}: with format cloudevents, names that begin with ce- are the sink's own`];
  return [];
}
