import { isIP } from 'node:net';
import type { SinkErrorCode } from '../../contract/errors/errors.ts';
import { readQuietly } from '../../contract/errors/thrown.ts';
import { errorChain } from './error-chain.ts';
import type { Fault } from './fault.ts';

/** Failures of sockets, name resolution and TLS: the server has not answered yet in its own protocol. */
export type NetworkFaultKind =
  | 'refused'
  | 'lost'
  | 'unresolved'
  | 'unreachable'
  | 'timeout'
  | 'aborted'
  | 'resources'
  | 'untrusted'
  | 'expired'
  | 'not-yet-valid'
  | 'revoked'
  | 'other-name'
  | 'own-certificate'
  | 'no-tls'
  | 'tls'
  | 'protocol';

export interface NetworkFault {
  readonly kind: NetworkFaultKind;
  readonly code: SinkErrorCode;
  /** The code that said so, such as `ECONNREFUSED`, for the message. */
  readonly errorCode?: string;
  /** Whom the socket was for, where it says: an IP address. */
  readonly peer?: { readonly host: string; readonly port: number };
}

const kinds: Readonly<Record<NetworkFaultKind, { readonly code: SinkErrorCode; readonly codes: string }>> = {
  refused: { code: 'UNAVAILABLE', codes: 'ECONNREFUSED' },
  lost: {
    code: 'UNAVAILABLE',
    codes: `ECONNRESET ECONNABORTED EPIPE ENOTCONN ERR_STREAM_DESTROYED ERR_STREAM_PREMATURE_CLOSE ERR_STREAM_WRITE_AFTER_END
      ERR_SOCKET_CLOSED ERR_SOCKET_CLOSED_BEFORE_CONNECTION UND_ERR_SOCKET UND_ERR_CLOSED UND_ERR_DESTROYED`,
  },
  unresolved: {
    code: 'UNAVAILABLE',
    codes: 'ENOTFOUND EAI_AGAIN EAI_NODATA EAI_NONAME EAI_FAIL ENODATA ENONAME ESERVFAIL',
  },
  unreachable: {
    code: 'UNAVAILABLE',
    codes: 'EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENETRESET EADDRNOTAVAIL EPERM EACCES',
  },
  timeout: {
    code: 'TIMEOUT',
    codes: `ETIMEDOUT ETIMEOUT ESOCKETTIMEDOUT ERR_SOCKET_CONNECTION_TIMEOUT ERR_TLS_HANDSHAKE_TIMEOUT UND_ERR_CONNECT_TIMEOUT
      UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT`,
  },
  aborted: { code: 'ABORTED', codes: 'ABORT_ERR UND_ERR_ABORTED' },
  resources: { code: 'OVERLOADED', codes: 'EMFILE ENFILE ENOBUFS ENOMEM EADDRINUSE' },
  untrusted: {
    code: 'TLS_FAILED',
    codes: `SELF_SIGNED_CERT_IN_CHAIN DEPTH_ZERO_SELF_SIGNED_CERT UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT
      UNABLE_TO_GET_ISSUER_CERT_LOCALLY CERT_UNTRUSTED CERT_SIGNATURE_FAILURE CERT_CHAIN_TOO_LONG INVALID_CA`,
  },
  expired: { code: 'TLS_FAILED', codes: 'CERT_HAS_EXPIRED' },
  'not-yet-valid': { code: 'TLS_FAILED', codes: 'CERT_NOT_YET_VALID' },
  revoked: { code: 'TLS_FAILED', codes: 'CERT_REVOKED' },
  'other-name': { code: 'TLS_FAILED', codes: 'HOSTNAME_MISMATCH ERR_TLS_CERT_ALTNAME_INVALID' },
  'own-certificate': { code: 'TLS_FAILED', codes: '' },
  'no-tls': {
    code: 'TLS_FAILED',
    codes:
      'ERR_SSL_WRONG_VERSION_NUMBER ERR_SSL_PACKET_LENGTH_TOO_LONG ERR_SSL_HTTP_REQUEST ERR_SSL_HTTPS_PROXY_REQUEST',
  },
  tls: { code: 'TLS_FAILED', codes: 'EPROTO' },
  protocol: {
    code: 'BACKEND_ERROR',
    codes: 'UND_ERR_HEADERS_OVERFLOW UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  },
};

const byCode: ReadonlyMap<string, NetworkFaultKind> = new Map(
  Object.entries(kinds).flatMap(([kind, { codes }]) =>
    codes
      .split(/\s+/u)
      .filter((code) => code !== '')
      .map((code) => [code, kind as NetworkFaultKind] as const),
  ),
);

/** Families of codes, and alerts of the other side by the names that OpenSSL gives them: most are about our certificate. */
const byPattern: readonly (readonly [RegExp, NetworkFaultKind])[] = [
  [
    /ALERT_(?:BAD|UNSUPPORTED|REVOKED|EXPIRED|UNKNOWN)_CERT|ALERT_CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_ACCESS_DENIED|CERTIFICATE_REQUIRED/iu,
    'own-certificate',
  ],
  [/^(?:ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|CRL_|UNABLE_TO_)/u, 'tls'],
  [/^HPE_/u, 'protocol'],
];

const byName: ReadonlyMap<unknown, NetworkFaultKind> = new Map([
  ['AbortError', 'aborted'],
  ['TimeoutError', 'timeout'],
  // Of undici, without a code.
  ['HTTPParserError', 'protocol'],
]);

/** What a socket, name resolution or TLS says went wrong: by the innermost error that has a code of theirs; undefined where none has. */
export function networkFault(thrown: unknown): NetworkFault | undefined {
  return errorChain(thrown)
    .toReversed()
    .map(faultOf)
    .find((fault) => fault !== undefined);
}

function faultOf(thrown: unknown): NetworkFault | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const [code, name, address, port] = ['code', 'name', 'address', 'port'].map((field) => readQuietly(thrown, field));
  const kind = (typeof code === 'string' ? kindOf(code) : undefined) ?? byName.get(name);
  if (kind === undefined) return undefined;
  return {
    kind,
    code: kinds[kind].code,
    ...(typeof code === 'string' ? { errorCode: code } : {}),
    ...(isAddress(address) && typeof port === 'number' ? { peer: { host: address, port } } : {}),
  };
}

function isAddress(address: unknown): address is string {
  return typeof address === 'string' && isIP(address) !== 0;
}

function kindOf(code: string): NetworkFaultKind | undefined {
  return byCode.get(code) ?? byPattern.find(([pattern]) => pattern.test(code))?.[1];
}

export interface NetworkWords {
  /** What is called, in the middle of a sentence: `the broker`, `PostgreSQL`. */
  readonly server: string;
  /** Where the block of the sink stands, for remedies: `spec.kafka`. */
  readonly specPath: string;
  /** What to do where the sink knows better than core. */
  readonly remedies?: Partial<Readonly<Record<NetworkFaultKind, string>>>;
}

const sentences: Readonly<Record<NetworkFaultKind, (server: string, specPath: string) => readonly [string, string?]>> =
  {
    refused: (server) => [
      `Nothing answers at the address of ${server}`,
      'Check host and port, that the server runs, and that its firewall lets this process in.',
    ],
    lost: (server) => [`The connection to ${server} was lost`],
    unresolved: (server) => [
      `The host name of ${server} cannot be resolved`,
      'Check the host, and the DNS of this process.',
    ],
    unreachable: (server) => [
      `The network of ${server} cannot be reached`,
      'Check routes, firewalls and network policies between this process and the server.',
    ],
    timeout: (server) => [`${capital(server)} did not answer in time`],
    aborted: () => ['The operation was aborted'],
    resources: () => [
      'This process or machine has too many files and sockets open, or no memory for them',
      'Raise the limit of open files.',
    ],
    untrusted: (server) => [
      `The certificate of ${server} is signed by a CA that this sink does not trust`,
      'Give the CA to the connection of the sink.',
    ],
    expired: (server) => [
      `The certificate of ${server} has expired`,
      'Renew it, or correct the clock of this machine.',
    ],
    'not-yet-valid': (server) => [
      `The certificate of ${server} is not valid yet`,
      'Renew it, or correct the clock of this machine.',
    ],
    revoked: (server) => [`The certificate of ${server} was revoked`, 'Renew it.'],
    'other-name': (server, specPath) => [
      `The certificate of ${server} carries another name`,
      `Dial it by that name, or set ${specPath}.tls.serverName.`,
    ],
    'own-certificate': (server) => [
      `${capital(server)} did not take our certificate`,
      'Give the connection of the sink a client certificate that the CA of the server signed.',
    ],
    'no-tls': (_, specPath) => [
      'What answers at the address does not speak TLS',
      `Name the port that speaks TLS, or set ${specPath}.tls.mode to disable where the network is trusted.`,
    ],
    tls: () => [
      'The TLS handshake failed',
      'Check CA, client certificate, key and TLS version on both sides, and that the port speaks TLS.',
    ],
    protocol: (server) => [
      `What answers at the address does not speak the protocol of ${server}`,
      'Check host and port.',
    ],
  };

/** The fault in words, with what to do about it. */
export function describeNetworkFault(
  { kind, code }: NetworkFault,
  { server, specPath, remedies }: NetworkWords,
): Fault {
  const [what, usual] = sentences[kind](server, specPath);
  const remedy = remedies?.[kind] ?? usual;
  return { code, what, ...(remedy === undefined ? {} : { remedy }) };
}

/** `the broker` at the head of a sentence. */
export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
