import type { SinkErrorCode } from '@kollect/core';

/** What an error means for an export, in words of ours. */
export interface Verdict {
  readonly code: SinkErrorCode;
  readonly what: string;
  readonly remedy?: string;
  /** Where the code alone would say otherwise. */
  readonly retryable?: boolean;
  /** The server's message names objects and never values, so it may be shown. */
  readonly quoteServer?: true;
}

const unavailable = (what: string, remedy?: string): Verdict => ({
  code: 'UNAVAILABLE',
  what,
  ...(remedy === undefined ? {} : { remedy }),
});
const overloaded = (what: string, remedy: string): Verdict => ({ code: 'OVERLOADED', what, remedy });
const invalid = (what: string): Verdict => ({
  code: 'SNAPSHOT_INVALID',
  what,
  remedy: 'Find the item whose attributes hold such a value, or seal the snapshot with the sanitize option.',
});
const mismatch = (what: string): Verdict => ({
  code: 'SCHEMA_MISMATCH',
  what,
  remedy:
    'Compare the table with what postgresDdl(spec) prints; testConnection() and provisioning: existing name each difference.',
  quoteServer: true,
});
const lost = 'The connection to PostgreSQL was lost';
const broken = unavailable(lost);
const wrongLogin: Verdict = {
  code: 'AUTHENTICATION_FAILED',
  what: 'PostgreSQL refused the login',
  remedy: 'Check username, password, client certificate and pg_hba.conf.',
  quoteServer: true,
};
const noDatabase: Verdict = {
  code: 'NOT_FOUND',
  what: 'The database does not exist',
  remedy: 'Create it, or correct spec.postgres.database.',
  quoteServer: true,
};
const tooManyConnections = overloaded(
  'PostgreSQL or its pooler has no connection left',
  'Lower spec.postgres.poolSize or raise the limit of the server.',
);

/** By SQLSTATE; where the five characters are missing here, by the first two. */
const bySqlState: Readonly<Record<string, Verdict>> = {
  '08': broken,
  '0A': {
    code: 'BACKEND_ERROR',
    what: 'The server does not support what the sink needs',
    remedy: 'Use PostgreSQL 13 or newer.',
    quoteServer: true,
  },
  '22': invalid('PostgreSQL cannot store a value of the snapshot'),
  '22001': mismatch('A value is longer than its column takes'),
  '22003': invalid('A number of the snapshot is out of the range PostgreSQL holds'),
  '22021': invalid('A text of the snapshot is no valid UTF-8 for PostgreSQL'),
  '22023': { code: 'BACKEND_ERROR', what: 'The server refused a parameter', quoteServer: true },
  '22P02': invalid('PostgreSQL cannot read a value of the snapshot'),
  '22P03': {
    code: 'BACKEND_ERROR',
    what: 'The server could not read the binary data of the sink',
    remedy: 'A bug in the sink: please report it.',
  },
  '22P04': {
    code: 'BACKEND_ERROR',
    what: 'The server could not read the COPY data of the sink',
    remedy: 'A bug in the sink: please report it.',
  },
  '22P05': invalid('A text of the snapshot holds a character that PostgreSQL cannot store, such as U+0000'),
  '23': mismatch('A constraint of the table refused a row'),
  '23505': {
    code: 'CONFLICT',
    what: 'A row with the same key is there already and belongs to somebody else',
    remedy: 'Where two clusters hold the same objects, set clusterInKey: true on both sinks.',
  },
  '25006': unavailable(
    'The server is read-only',
    'After a failover the host must lead to the new primary; the sink connects again.',
  ),
  '25P03': unavailable('The server ended a session that was idle in its transaction'),
  '25P04': { code: 'TIMEOUT', what: 'The transaction ran longer than transaction_timeout of the server' },
  '28': wrongLogin,
  '3D': noDatabase,
  '3F': {
    code: 'NOT_FOUND',
    what: 'The schema does not exist',
    remedy: 'Create it, or correct spec.postgres.schema.',
    quoteServer: true,
  },
  '40': unavailable('The server ended the transaction because of another one'),
  '42': { code: 'BACKEND_ERROR', what: 'The server refused a statement', quoteServer: true },
  '42501': {
    code: 'PERMISSION_DENIED',
    what: 'The user lacks a privilege',
    remedy: 'Grant what postgresDdl(spec) lists at its end.',
    quoteServer: true,
  },
  '42703': mismatch('The table lacks a column'),
  '42804': mismatch('A column has another type'),
  '42809': mismatch('A relation is of another kind'),
  '42P01': {
    code: 'NOT_FOUND',
    what: 'The table does not exist',
    remedy: 'Apply postgresDdl(spec), or use provisioning: create.',
    quoteServer: true,
  },
  '42P07': { ...mismatch('A relation of that name appeared meanwhile'), retryable: true },
  '42710': { ...mismatch('An object of that name appeared meanwhile'), retryable: true },
  '42P10': mismatch('The table has no unique key over the columns the sink needs'),
  '53': overloaded('The server is out of a resource', 'The export is tried again; look at the log of the server.'),
  '53100': overloaded('The disk of the server is full', 'Free or add space.'),
  '53200': overloaded('The server is out of memory', 'The export is tried again; look at the log of the server.'),
  '53300': tooManyConnections,
  '54': {
    code: 'PAYLOAD_TOO_LARGE',
    what: 'An item is larger than PostgreSQL takes',
    remedy: 'A key may have 2 704 bytes, a text in a payload 256 MiB.',
  },
  '54001': invalid('An item is nested deeper than the stack of the server allows'),
  '55': { code: 'BACKEND_ERROR', what: 'An object of the server is not in a state to be used', quoteServer: true },
  '55006': unavailable('An object of the server is in use'),
  '55P03': {
    code: 'TIMEOUT',
    what: 'Another session held a lock for too long',
    remedy: 'The export is tried again; look for long transactions on the table.',
  },
  '57': unavailable('The server asked for the session to end'),
  '57014': {
    code: 'TIMEOUT',
    what: 'The statement was cancelled: it ran into spec.postgres.statementTimeout, or an administrator ended it',
  },
  '57P01': unavailable('The server is shutting down, or an administrator ended the session'),
  '57P02': unavailable('The server crashed'),
  '57P03': unavailable('The server is starting, stopping or recovering'),
  '57P04': { ...noDatabase, what: 'The database was dropped' },
  '58': unavailable('The server met an error of its system'),
  P0: {
    code: 'BACKEND_ERROR',
    what: 'A trigger or function on the table raised an error',
    remedy: 'The log of the server holds its message, which may quote rows and is not shown here.',
  },
  XX: {
    code: 'BACKEND_ERROR',
    what: 'The server met an internal error',
    remedy: 'The log of the server holds its message.',
    retryable: true,
  },
  XX001: {
    code: 'BACKEND_ERROR',
    what: 'The server found corrupted data',
    remedy: 'Ask the administrator: the table or its storage is damaged.',
  },
  XX002: {
    code: 'BACKEND_ERROR',
    what: 'The server found a corrupted index',
    remedy: 'Ask the administrator to reindex the table.',
  },
};

/** PgBouncer says nearly everything with 08P01, so its words decide. */
const byPoolerMessage: readonly (readonly [RegExp, Verdict])[] = [
  [
    /no more connections allowed|query_wait_timeout|too many (connections|clients)|max_client_conn|max client connections/i,
    tooManyConnections,
  ],
  [/no such database|database .* does not exist/i, noDatabase],
  [/no such user|auth(entication)? failed|password|not allowed|SASL/i, wrongLogin],
  [
    /unsupported startup parameter/i,
    {
      code: 'SPEC_INVALID',
      what: 'The pooler refused a startup parameter',
      remedy: 'Add it to ignore_startup_parameters of PgBouncer.',
      quoteServer: true,
    },
  ],
];

/** What a server or pooler meant by its SQLSTATE; `message` is looked at for the codes that mean several things. */
export function sqlStateVerdict(sqlState: string, message: string, schema?: unknown): Verdict {
  if (sqlState === '08P01' || sqlState === 'XX000') {
    const known = byPoolerMessage.find(([pattern]) => pattern.test(message));
    if (known !== undefined) return known[1];
  }
  // Two sessions that made the same object at once meet in the catalogue.
  if (sqlState === '23505' && schema === 'pg_catalog')
    return unavailable('Another session made the same object at the same time');
  return (
    bySqlState[sqlState] ??
    bySqlState[sqlState.slice(0, 2)] ?? { code: 'BACKEND_ERROR', what: 'The server refused a statement' }
  );
}

const refused = unavailable(
  'No PostgreSQL answers at the address',
  'Check host and port, and that the server runs and its firewall lets this process in.',
);
const unresolved = unavailable('The host name cannot be resolved', 'Check the host, and the DNS of this process.');
const unreachable = unavailable('The network of the server cannot be reached');
const timedOut: Verdict = { code: 'TIMEOUT', what: 'PostgreSQL did not answer in time' };
const tls = (what: string, remedy: string): Verdict => ({ code: 'TLS_FAILED', what, remedy });
const untrusted = tls(
  'The certificate of the server is signed by a CA that this sink does not trust',
  'Give the CA to the connection of the sink.',
);
const expired = (what: string) => tls(what, 'Renew it, or correct the clock of this machine.');

/** Codes of sockets, name resolution and TLS. */
const byClientCode: Readonly<Record<string, Verdict>> = {
  ECONNREFUSED: refused,
  ECONNRESET: broken,
  ECONNABORTED: broken,
  EPIPE: broken,
  ERR_STREAM_DESTROYED: broken,
  ERR_STREAM_PREMATURE_CLOSE: broken,
  ERR_STREAM_WRITE_AFTER_END: broken,
  ERR_SOCKET_CLOSED: broken,
  ETIMEDOUT: timedOut,
  ERR_SOCKET_CONNECTION_TIMEOUT: timedOut,
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  EAI_NODATA: unresolved,
  EHOSTUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ENETUNREACH: unreachable,
  ENETDOWN: unreachable,
  EADDRNOTAVAIL: unreachable,
  EMFILE: overloaded('This process has too many files and sockets open', 'Raise its limit of open files.'),
  ENFILE: overloaded('This machine has too many files and sockets open', 'Raise its limit of open files.'),
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_UNTRUSTED: untrusted,
  INVALID_CA: untrusted,
  CERT_HAS_EXPIRED: expired('The certificate of the server has expired'),
  CERT_NOT_YET_VALID: expired('The certificate of the server is not valid yet'),
  CERT_REVOKED: tls('The certificate of the server was revoked', 'Renew it.'),
  HOSTNAME_MISMATCH: tls(
    'The certificate of the server carries another name',
    'Dial it by that name, or set spec.postgres.tls.serverName.',
  ),
  ERR_TLS_CERT_ALTNAME_INVALID: tls(
    'The certificate of the server carries another name',
    'Dial it by that name, or set spec.postgres.tls.serverName.',
  ),
};

const otherTls = tls('The TLS handshake failed', 'Check CA, client certificate, key and TLS version on both sides.');
const noTls = tls(
  'The server does not offer TLS',
  'Turn TLS on at the server, or set spec.postgres.tls.mode to disable where the network is trusted.',
);

/** What `pg` and its pool say without a code. */
const byClientMessage: readonly (readonly [RegExp, Verdict])[] = [
  [/^AbortError$/, { code: 'ABORTED', what: 'The operation was aborted' }],
  [/^TimeoutError$/, timedOut],
  [/timeout/i, timedOut],
  [/does not support SSL/i, noTls],
  [/SSL connection/i, otherTls],
  [/^SASL|password must be a string/i, wrongLogin],
  [
    /Connection terminated|connection error and is not queryable|was closed and is not queryable|Connection ended|socket/i,
    broken,
  ],
  [
    /invalid response|unknown (authenticationOk )?message/i,
    {
      code: 'BACKEND_ERROR',
      what: 'What answers at the address does not speak the PostgreSQL protocol',
      remedy: 'Check host and port.',
    },
  ],
];

/** What an error without SQLSTATE means: by the code of socket or TLS, else by the words of `pg`. */
export function clientErrorVerdict(code: unknown, message: string): Verdict {
  if (typeof code === 'string') {
    const known = byClientCode[code];
    if (known !== undefined) return known;
    if (/^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|EPROTO$)/.test(code)) return otherTls;
  }
  return byClientMessage.find(([pattern]) => pattern.test(message))?.[1] ?? unknownFault;
}

const unknownFault = unavailable('The client of PostgreSQL failed in a way the sink does not know');
