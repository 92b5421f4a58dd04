/** What went wrong between us and the server, by a name of ours: nothing of what it said is kept. */
export type NatsFailureKind =
  | 'authorization'
  | 'login-expired'
  | 'denied-publish'
  | 'denied-subscribe'
  | 'no-nats'
  | 'huge-answer'
  | 'no-headers'
  | 'needs-tls'
  | 'no-tls'
  | 'no-responders'
  | 'too-many-connections'
  | 'stale'
  | 'payload'
  | 'timeout'
  | 'lost'
  | 'other';

export interface NatsFailure extends Error {
  readonly natsFailure: NatsFailureKind;
}

export function natsFailure(kind: NatsFailureKind): NatsFailure {
  return Object.assign(new Error('NATS'), { natsFailure: kind });
}

const said: readonly (readonly [RegExp, NatsFailureKind])[] = [
  [/^permissions violation for publish/iu, 'denied-publish'],
  [/^permissions violation for subscription/iu, 'denied-subscribe'],
  [/^(?:user|account) authentication (?:expired|revoked)/iu, 'login-expired'],
  [/authorization violation|authentication timeout|^user authentication/iu, 'authorization'],
  [/^maximum (?:account |user )?(?:active )?connections/iu, 'too-many-connections'],
  [/^maximum payload/iu, 'payload'],
  [/^stale connection/iu, 'stale'],
  [/^secure connection/iu, 'needs-tls'],
  [/^(?:server shutdown|slow consumer)/iu, 'lost'],
];

/** What a line `-ERR 'text'` means. */
export function failureSaid(text: string): NatsFailureKind {
  return said.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
}

/** What JetStream answered: the number of its error. */
export interface JetStreamFailure extends Error {
  readonly jetStream: number;
}

export function jetStreamFailure(code: number): JetStreamFailure {
  return Object.assign(new Error('JetStream'), { jetStream: code });
}

/** The number of JetStream's error, where that is what was thrown. */
export function jetStreamCode(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'jetStream' in error ? error.jetStream : undefined;
  return typeof code === 'number' ? code : undefined;
}

const harmless: ReadonlySet<unknown> = new Set(['denied-publish', 'no-responders', 'payload']);

/** What went wrong on the connection, where that is what was thrown. */
export function failureKind(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'natsFailure' in error ? error.natsFailure : undefined;
}

/** False for what a server says of one message alone: the connection can go on. */
export function endsConnection(error: unknown): boolean {
  return jetStreamCode(error) === undefined && !harmless.has(failureKind(error));
}
