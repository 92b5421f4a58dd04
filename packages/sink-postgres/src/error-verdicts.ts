import type { Fault } from '@kollect/core/authoring';

const unavailable = (what: string, remedy?: string): Fault => ({
  code: 'UNAVAILABLE',
  what,
  ...(remedy === undefined ? {} : { remedy }),
});
const overloaded = (what: string, remedy: string): Fault => ({ code: 'OVERLOADED', what, remedy });
const invalid = (what: string): Fault => ({
  code: 'SNAPSHOT_INVALID',
  what,
  remedy: 'Find the item whose attributes hold such a value, or seal the snapshot with the sanitize option.',
});
const mismatch = (
  what: string,
  remedy = 'Compare the table with what postgresDdl(spec) prints; testConnection() and provisioning: existing name each difference.',
): Fault => ({ code: 'SCHEMA_MISMATCH', what, remedy });
const broken = unavailable('The connection to PostgreSQL was lost');
export const wrongLogin: Fault = {
  code: 'AUTHENTICATION_FAILED',
  what: 'PostgreSQL refused the login',
  remedy: 'Check username, password, client certificate and pg_hba.conf.',
};
export const noDatabase: Fault = {
  code: 'NOT_FOUND',
  what: 'The database does not exist',
  remedy: 'Create it, or correct spec.postgres.database.',
};
export const tooManyConnections = overloaded(
  'PostgreSQL or its pooler has no connection left',
  'Lower spec.postgres.poolSize or raise the limit of the server.',
);

const closedDatabase: Fault = {
  code: 'PERMISSION_DENIED',
  what: 'The database lets nobody in',
  remedy: 'Run ALTER DATABASE … ALLOW_CONNECTIONS true, or correct spec.postgres.database.',
};

const notSupported: Fault = {
  code: 'BACKEND_ERROR',
  what: 'The server does not support what the sink needs',
  remedy: 'Use PostgreSQL 13 or newer, and a plain or hash partitioned table.',
};
const readOnly = unavailable(
  'The server is read-only',
  'The host must lead to the primary, after a failover to the new one: the sink connects again. A dsn may name several hosts and target_session_attrs=read-write.',
);

/** Of two sessions that make the same object, one meets this and succeeds when it tries again; whether the name belongs to another table, provisioning finds out. */
const nameTaken: Fault = {
  code: 'SCHEMA_MISMATCH',
  what: 'A name that the sink needs for a table or an index is taken already',
  remedy: 'Where this stays, the name belongs to something else: rename that, or set another spec.postgres.table.',
  retryable: true,
};

/** By SQLSTATE; where the five characters are missing here, by the first two. */
const bySqlState: Readonly<Record<string, Fault>> = {
  '08': broken,
  '0A': notSupported,
  '22': invalid('PostgreSQL cannot store a value of the snapshot'),
  '22001': mismatch('A value is longer than its column takes'),
  '22003': invalid('A number of the snapshot is out of the range PostgreSQL holds'),
  '22021': invalid('A text of the snapshot is no valid UTF-8 for PostgreSQL'),
  '22023': { code: 'BACKEND_ERROR', what: 'The server refused a parameter' },
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
  '25006': readOnly,
  '25P03': unavailable('The server ended a session that was idle in its transaction'),
  '25P04': { code: 'TIMEOUT', what: 'The transaction ran longer than transaction_timeout of the server' },
  '28': wrongLogin,
  '3D': noDatabase,
  '3F': {
    code: 'NOT_FOUND',
    what: 'The schema does not exist',
    remedy: 'Create it, or correct spec.postgres.schema.',
  },
  '40': unavailable('The server ended the transaction because of another one'),
  '42': { code: 'BACKEND_ERROR', what: 'The server refused a statement' },
  '42501': {
    code: 'PERMISSION_DENIED',
    what: 'The user lacks a privilege',
    remedy: 'Grant what postgresDdl(spec) lists at its end.',
  },
  '42703': mismatch('The table lacks a column'),
  '42804': mismatch('A column has another type'),
  '42809': mismatch('A relation is of another kind'),
  '42P01': {
    code: 'NOT_FOUND',
    what: 'The table does not exist',
    remedy: 'Apply postgresDdl(spec), or use provisioning: create.',
  },
  '42P07': nameTaken,
  '42710': nameTaken,
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
  '55': { code: 'BACKEND_ERROR', what: 'An object of the server is not in a state to be used' },
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

/** What of a server's error decides, beside its SQLSTATE. */
export interface SqlStateFacts {
  /** Where in the source of PostgreSQL the error was raised; absent where the error is a pooler's. */
  readonly routine: string | undefined;
  /** The schema of the object that the error is about. */
  readonly schema: string | undefined;
  /** Looked at for SQLSTATEs that mean several things; never shown. */
  readonly message: string;
}

/** What a server meant by its SQLSTATE. */
export function sqlStateFault(sqlState: string, facts: SqlStateFacts): Fault {
  // Two sessions that made the same object at once meet in the catalogue.
  if (sqlState === '23505' && facts.schema === 'pg_catalog')
    return unavailable('Another session made the same object at the same time');
  if (sqlState === '0A000') return unsupported(facts);
  if (sqlState === '55000' && facts.routine === 'CheckMyDatabase') return closedDatabase;
  return (
    bySqlState[sqlState] ??
    bySqlState[sqlState.slice(0, 2)] ?? { code: 'BACKEND_ERROR', what: 'The server refused a statement' }
  );
}

/** Not always an old server: a standby, and tables with rules or policies, say the same. */
function unsupported({ routine, message }: SqlStateFacts): Fault {
  if (
    /recovery|standby/iu.test(message) ||
    /^(check_transaction_read_only|PreventCommandDuringRecovery)$/u.test(routine ?? '')
  )
    return readOnly;
  if (/row-level security|\brules?\b/iu.test(message) || routine === 'RewriteQuery')
    return mismatch(
      'Rules or row security of the table forbid what the sink does',
      'Drop the rules of the table, and let the role of the sink bypass its policies.',
    );
  return notSupported;
}
