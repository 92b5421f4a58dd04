import type { KeyPair } from './certificates.ts';

/** What a broker listens with. `tls` and `mtls` have no passwords; `expired` and `elsewhere` are `tls` with a certificate that is out of date, or of another host. */
export type KafkaListener = 'plaintext' | 'sasl' | 'saslTls' | 'tls' | 'mtls' | 'expired' | 'elsewhere' | 'proxied';

/** A user who may log in with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, and with an unsecured token of OAUTHBEARER. */
export interface KafkaUser {
  readonly username: string;
  readonly password: string;
}

/** All that is needed to reach a Kafka, as plain data: it goes through the environment to test workers. */
export interface KafkaConnection {
  /** How the server was started. */
  readonly kind: 'containers' | 'local' | 'redpanda';
  /** Of Kafka where it is known, otherwise of the image. */
  readonly version: string;
  readonly host: string;
  /** The brokers' ids, in the order of the addresses in `listeners`. */
  readonly nodes: readonly number[];
  /** One `host:port` for each node; empty where the server does not listen that way. */
  readonly listeners: Readonly<Record<KafkaListener, readonly string[]>>;
  /** The plaintext listener's addresses, joined by commas. */
  readonly bootstrap: string;
  /** `admin` may do everything, as anonymous clients may; `writer` may write and describe topics that begin with `writerPrefix`; `outsider` may do nothing. */
  readonly users: Readonly<Record<'admin' | 'writer' | 'outsider', KafkaUser>>;
  readonly writerPrefix: string;
  /** The authority of the servers' certificates, PEM. */
  readonly ca: string;
  /** An authority that has nothing to do with the server, PEM. */
  readonly foreignCa: string;
  /** For `mtls`: `valid` may do everything, as `User:CN=kollect-client`. */
  readonly clientCertificates: Readonly<Record<'valid' | 'expired' | 'foreign', KeyPair>>;
  /** The container with Kafka's tools in it and the address of a broker from there, where the server runs in one. */
  readonly container?: { readonly name: string; readonly bootstrap: string };
}

/** The principal that a client certificate of `mtls` is. */
export const CERTIFICATE_PRINCIPAL = 'CN=kollect-client';

/** A token that the `oauthbearer` mechanism takes for the user: nobody signed it. */
export function unsecuredToken(
  username: string,
  { lifetimeSeconds = 3_600 }: { readonly lifetimeSeconds?: number } = {},
): string {
  const now = Date.now() / 1_000;
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode({ alg: 'none' })}.${encode({ sub: username, iat: now - 1, exp: now + lifetimeSeconds })}.`;
}
