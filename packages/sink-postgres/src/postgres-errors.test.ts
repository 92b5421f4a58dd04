import { describe, expect, test } from '@jest/globals';
import { SinkError, type SinkErrorCode } from '@kollect/core';
import { isConnectionBroken, postgresError } from './postgres-errors.ts';

/** Sixty characters that no message may show. */
const rowData = 'ROW-DATA-4711';

interface Case {
  readonly code?: string;
  readonly message?: string;
  readonly name?: string;
  readonly schema?: string;
  readonly severity?: string;
  /** Where in its source PostgreSQL raised the error; poolers do not say. */
  readonly routine?: string;
}

const failure = ({ name, message, ...fields }: Case) => {
  const error = Object.assign(new Error(message ?? rowData), fields, {
    detail: `Key (a)=(${rowData})`,
    where: `COPY t, line 1: "${rowData}"`,
    hint: rowData,
    internalQuery: rowData,
  });
  if (name !== undefined) error.name = name;
  return error;
};

type Expected = readonly [code: SinkErrorCode, retryable: boolean, broken: boolean];
const unavailable = (broken: boolean): Expected => ['UNAVAILABLE', true, broken];
const overloaded = (broken: boolean): Expected => ['OVERLOADED', true, broken];
const terminal = (code: SinkErrorCode, broken = false): Expected => [code, false, broken];
const timeout = (broken: boolean): Expected => ['TIMEOUT', true, broken];

describe('SQLSTATE', () => {
  test.each<readonly [string, Expected, Partial<Case>?]>([
    ['08000', unavailable(true)],
    ['08001', unavailable(true)],
    ['08003', unavailable(true)],
    ['08004', unavailable(true)],
    ['08006', unavailable(true)],
    ['08P01', unavailable(true)],
    ['08P01', overloaded(true), { message: 'no more connections allowed (max_client_conn)' }],
    ['08P01', overloaded(true), { message: 'query_wait_timeout' }],
    ['08P01', terminal('NOT_FOUND', true), { message: 'no such database: inventory' }],
    ['08P01', terminal('AUTHENTICATION_FAILED', true), { message: 'SASL authentication failed' }],
    ['08P01', terminal('AUTHENTICATION_FAILED', true), { message: 'no such user: kollect' }],
    ['08P01', terminal('SPEC_INVALID', true), { message: 'unsupported startup parameter: statement_timeout' }],
    ['08P01', unavailable(true), { message: 'server conn crashed?' }],
    ['0A000', terminal('BACKEND_ERROR')],
    ['0A000', unavailable(false), { message: 'cannot set transaction read-write mode during recovery' }],
    ['0A000', unavailable(false), { message: 'auf einem Standby', routine: 'check_transaction_read_only' }],
    ['0A000', terminal('SCHEMA_MISMATCH'), { message: 'COPY FROM not supported with row-level security' }],
    [
      '0A000',
      terminal('SCHEMA_MISMATCH'),
      { message: 'INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules' },
    ],
    ['21000', terminal('BACKEND_ERROR')],
    ['22001', terminal('SCHEMA_MISMATCH')],
    ['22003', terminal('SNAPSHOT_INVALID')],
    ['22007', terminal('SNAPSHOT_INVALID')],
    ['22021', terminal('SNAPSHOT_INVALID')],
    ['22023', terminal('BACKEND_ERROR')],
    ['22P02', terminal('SNAPSHOT_INVALID')],
    ['22P03', terminal('BACKEND_ERROR')],
    ['22P04', terminal('BACKEND_ERROR')],
    ['22P05', terminal('SNAPSHOT_INVALID')],
    ['23502', terminal('SCHEMA_MISMATCH')],
    ['23503', terminal('SCHEMA_MISMATCH')],
    ['23505', terminal('CONFLICT')],
    ['23505', unavailable(false), { schema: 'pg_catalog' }],
    ['23514', terminal('SCHEMA_MISMATCH')],
    ['25006', unavailable(true)],
    ['25P02', terminal('BACKEND_ERROR')],
    ['25P03', unavailable(true)],
    ['25P04', timeout(true)],
    ['26000', terminal('BACKEND_ERROR')],
    ['28000', terminal('AUTHENTICATION_FAILED')],
    ['28P01', terminal('AUTHENTICATION_FAILED')],
    ['3D000', terminal('NOT_FOUND')],
    ['3F000', terminal('NOT_FOUND')],
    ['40001', unavailable(false)],
    ['40003', unavailable(false)],
    ['40P01', unavailable(false)],
    ['42501', terminal('PERMISSION_DENIED')],
    ['42601', terminal('BACKEND_ERROR')],
    ['42703', terminal('SCHEMA_MISMATCH')],
    ['42804', terminal('SCHEMA_MISMATCH')],
    ['42809', terminal('SCHEMA_MISMATCH')],
    ['42P01', terminal('NOT_FOUND')],
    ['42P05', terminal('BACKEND_ERROR')],
    ['42P07', ['SCHEMA_MISMATCH', true, false]],
    ['42710', ['SCHEMA_MISMATCH', true, false]],
    ['42P10', terminal('SCHEMA_MISMATCH')],
    ['53000', overloaded(false)],
    ['53100', overloaded(false)],
    ['53200', overloaded(false)],
    ['53300', overloaded(true)],
    ['54000', terminal('PAYLOAD_TOO_LARGE')],
    ['54001', terminal('SNAPSHOT_INVALID')],
    ['55006', unavailable(false)],
    ['55P03', timeout(false)],
    ['57000', unavailable(false)],
    ['57014', timeout(false)],
    ['57P01', unavailable(true)],
    ['57P02', unavailable(true)],
    ['57P03', unavailable(true)],
    ['57P04', terminal('NOT_FOUND', true)],
    ['57P05', unavailable(true)],
    ['58000', unavailable(true)],
    ['58030', unavailable(true)],
    ['P0001', terminal('BACKEND_ERROR')],
    ['XX000', ['BACKEND_ERROR', true, true]],
    ['XX000', overloaded(true), { message: 'Max client connections reached' }],
    ['XX001', terminal('BACKEND_ERROR', true)],
    ['XX002', terminal('BACKEND_ERROR', true)],
    ['ZZ999', terminal('BACKEND_ERROR')],
    ['42601', terminal('BACKEND_ERROR', true), { severity: 'FATAL' }],
  ])('%s becomes %j', (code, [expected, retryable, broken], more = {}) => {
    const error = failure({ code, ...more });
    expect(postgresError(error)).toMatchObject({ code: expected, retryable, sinkType: 'postgres' });
    expect(postgresError(error).message).toContain(`SQLSTATE ${code}`);
    expect(isConnectionBroken(error)).toBe(broken);
  });
});

describe('the words of poolers and proxies, which say nearly everything with one SQLSTATE', () => {
  test.each<readonly [SinkErrorCode, string, string?]>([
    ['SPEC_INVALID', 'transaction blocks not allowed in statement pooling mode', '08P01'],
    ['SPEC_INVALID', 'unsupported startup parameter: options', '08P01'],
    ['SPEC_INVALID', 'Endpoint ID is not specified. Either please upgrade the postgres client library (libpq)'],
    ['SPEC_INVALID', 'Inconsistent project name inferred from SNI (a) and project option (b).'],
    ['OVERLOADED', 'no more connections allowed (max_client_conn)', '08P01'],
    ['OVERLOADED', 'client connections exceeded (max_db_client_connections)', '08P01'],
    ['OVERLOADED', 'query_wait_timeout', '08P01'],
    [
      'OVERLOADED',
      'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size',
    ],
    [
      'OVERLOADED',
      '(EMAXCLIENTSESSION) max clients reached in session mode - max clients are limited to pool_size: 15',
    ],
    ['OVERLOADED', '(EMAXCLIENTCONN) max client connections reached, limit: 200'],
    ['OVERLOADED', 'Max client connections reached'],
    ['OVERLOADED', 'Max pools count reached'],
    ['OVERLOADED', 'Unable to check out process from the pool due to timeout'],
    ['OVERLOADED', 'Too many connections attempts'],
    [
      'OVERLOADED',
      'Your account or project has exceeded the compute time quota. Upgrade your plan to increase limits.',
    ],
    ['UNAVAILABLE', 'The endpoint has been disabled. Enable it using Neon API and retry.'],
    ['UNAVAILABLE', 'The endpoint has been disabled. Enable it using the API and retry.', '28000'],
    ['UNAVAILABLE', 'Circuit breaker open: Unable to establish connection to upstream database'],
    ['UNAVAILABLE', 'server login has been failing, try again later (server_login_retry)', '08P01'],
    ['AUTHENTICATION_FAILED', 'Tenant or user not found'],
    ['AUTHENTICATION_FAILED', '(ENOTFOUND) tenant/user postgres.abc not found'],
    ['AUTHENTICATION_FAILED', '(ENOIDENTIFIER) no tenant identifier provided (external_id or sni_hostname required)'],
    ['AUTHENTICATION_FAILED', 'password authentication failed', '08P01'],
    ['AUTHENTICATION_FAILED', 'SASL authentication failed', '08P01'],
    ['AUTHENTICATION_FAILED', 'no such user: kollect', '08P01'],
    ['NOT_FOUND', 'no such database: inventory', '08P01'],
    ['NOT_FOUND', 'database "inventory" does not exist', '08P01'],
    ['NOT_FOUND', "The requested endpoint could not be found, or you don't have access to it."],
    ['PERMISSION_DENIED', 'Address not in tenant allow_list: {10, 0, 0, 1}'],
    ['PERMISSION_DENIED', 'This IP address 10.0.0.1 is not allowed to connect to this endpoint. Please add it'],
    ['TLS_FAILED', 'SSL required', '08P01'],
    ['TLS_FAILED', 'SSL connection is required'],
    ['TLS_FAILED', 'connection is insecure (try using `sslmode=require`)'],
    ['BACKEND_ERROR', 'DbHandler exited'],
  ])('%s: %s', (code, message, sqlState = 'XX000') => {
    const error = failure({ code: sqlState, message, severity: 'FATAL' });
    expect(postgresError(error, { phase: 'login' })).toMatchObject({ code });
    // At the login the words are shown; afterwards an error may hold a row.
    expect(postgresError(error, { phase: 'login' }).message).toContain(`: ${JSON.stringify(message)}.`);
    expect(postgresError(error)).toMatchObject({ code });
    expect(postgresError(error).message).not.toContain(message);
  });

  test.each([
    ['XX000', 'password of the row is not allowed'],
    ['08P01', 'no such user: x'],
    ['XX000', 'Tenant or user not found'],
  ])('%s "%s" of PostgreSQL or a trigger is none of them', (code, message) => {
    const error = postgresError(failure({ code, message, routine: 'exec_stmt_raise' }));
    expect(error.code).toBe(code === 'XX000' ? 'BACKEND_ERROR' : 'UNAVAILABLE');
    expect(error.message).not.toContain(message);
  });

  test('what is loosely like them is none of them', () => {
    expect(postgresError(failure({ code: 'XX000', message: 'could not open the password file' })).code).toBe(
      'BACKEND_ERROR',
    );
    expect(postgresError(failure({ code: '08P01', message: 'operation not allowed' })).code).toBe('UNAVAILABLE');
  });
});

describe('sockets, TLS and the driver', () => {
  test.each<readonly [SinkErrorCode, Case]>([
    ...[
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ERR_STREAM_DESTROYED',
      'ERR_STREAM_PREMATURE_CLOSE',
    ].map((code) => ['UNAVAILABLE', { code }] as const),
    ['TIMEOUT', { code: 'ETIMEDOUT' }],
    ['OVERLOADED', { code: 'EMFILE' }],
    ...[
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_HAS_EXPIRED',
      'CERT_NOT_YET_VALID',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'ERR_OSSL_PEM_NO_START_LINE',
      'CERT_SIGNATURE_FAILURE',
      'EPROTO',
    ].map((code) => ['TLS_FAILED', { code }] as const),
    ['TLS_FAILED', { message: 'The server does not support SSL connections' }],
    ['TLS_FAILED', { message: 'There was an error establishing an SSL connection' }],
    ['UNAVAILABLE', { message: 'Connection terminated unexpectedly' }],
    ['UNAVAILABLE', { message: 'Connection terminated' }],
    ['UNAVAILABLE', { message: 'Client has encountered a connection error and is not queryable' }],
    ['UNAVAILABLE', { message: 'Client was closed and is not queryable' }],
    ['TIMEOUT', { message: 'Connection terminated due to connection timeout' }],
    ['TIMEOUT', { message: 'timeout expired' }],
    ['TIMEOUT', { message: 'Query read timeout' }],
    ['TIMEOUT', { message: 'timeout exceeded when trying to connect' }],
    ['AUTHENTICATION_FAILED', { message: 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string' }],
    ['AUTHENTICATION_FAILED', { message: 'Password must be a string' }],
    ['AUTHENTICATION_FAILED', { message: 'SASL: Only mechanism(s) SCRAM-SHA-256 are supported' }],
    ['AUTHENTICATION_FAILED', { message: 'SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match' }],
    ['BACKEND_ERROR', { message: 'SASL: SCRAM-SERVER-FIRST-MESSAGE: nonce missing' }],
    ['BACKEND_ERROR', { message: 'SASL: Last message was not SASLInitialResponse' }],
    ['BACKEND_ERROR', { message: 'received invalid response: 48' }],
    ['BACKEND_ERROR', { message: 'Received unexpected dataRow message from backend.' }],
    ['ABORTED', { name: 'AbortError', code: 'ABORT_ERR' }],
    ['TIMEOUT', { name: 'TimeoutError' }],
    ['UNAVAILABLE', { message: 'something new' }],
  ])('%s: %j', (code, fields) => {
    const error = failure(fields);
    expect(postgresError(error)).toMatchObject({ code });
    expect(isConnectionBroken(error)).toBe(true);
  });

  test.each([undefined, null, 'text', 7, {}])('what is no error at all: %j', (thrown) => {
    expect(postgresError(thrown)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(isConnectionBroken(thrown)).toBe(true);
  });
});

describe('what is told', () => {
  const codes = [
    '08P01',
    '22P02',
    '22P05',
    '22003',
    '22021',
    '23505',
    '23502',
    '23514',
    '54000',
    '57014',
    'P0001',
    'XX000',
    '40P01',
    'ECONNRESET',
    'ZZ999',
  ];
  test.each(codes)('%s: no row data, and the original error is not kept', (code) => {
    // Constraint violations quote names alone in their message; a value stands in detail, where and hint.
    const message = code.startsWith('23')
      ? 'null value in column "gvk" of relation "t" violates not-null constraint'
      : rowData;
    const error = postgresError(failure({ code, message }), { operation: 'export', doing: 'writing items' });
    expect(`${error.stack ?? ''}${JSON.stringify(error)}${JSON.stringify(Object.values(error))}`).not.toContain(
      rowData,
    );
    expect(error.cause).toBeUndefined();
    expect(error.operation).toBe('export');
    expect(error.message).toContain('while writing items');
  });

  test('table, column and constraint are named', () => {
    const error = Object.assign(new Error('x'), {
      code: '23505',
      table: 'items',
      column: 'gvk',
      constraint: 'items_pkey',
    });
    expect(postgresError(error).message).toContain(
      '(SQLSTATE 23505, table "items", column "gvk", constraint "items_pkey")',
    );
  });

  test("the object is named where PostgreSQL's own check denied it, and no word of anybody else's", () => {
    const denied = (message: string, routine: string) =>
      postgresError(Object.assign(new Error(message), { code: '42501', routine })).message;
    expect(denied('permission denied for table items', 'aclcheck_error')).toBe(
      'The user lacks a privilege on table "items" (SQLSTATE 42501). Grant what postgresDdl(spec) lists at its end.',
    );
    expect(denied(`permission denied for table ${rowData}`, 'exec_stmt_raise')).not.toContain(rowData);
    expect(denied(`permission denied for table "a ${rowData}"`, 'aclcheck_error')).not.toContain(rowData);
  });

  test.each(['42501', '22023', '42703', '42P01', '23505', '28000', '0A000', 'P0001'])(
    '%s raised by a trigger: nothing of its message and its fields',
    (code) => {
      const raised = { code, routine: 'exec_stmt_raise', table: rowData, column: rowData, constraint: rowData };
      expect(postgresError(Object.assign(new Error(rowData), raised)).message).not.toContain(rowData);
    },
  );

  test('a field that does not look like a name is not shown', () => {
    const fields = {
      code: '23505',
      table: `{"payload": "${rowData}"}`,
      column: `a\n${rowData}`,
      constraint: 'c'.repeat(64),
    };
    expect(postgresError(Object.assign(new Error('x'), fields)).message).toMatch(/\(SQLSTATE 23505\)/);
    expect(postgresError(failure({ code: `select '${rowData}'` })).message).not.toContain(rowData);
  });

  test('a SinkError passes through and gains what it lacks', () => {
    const known = new SinkError('CONFLICT', 'mine');
    expect(postgresError(known, { operation: 'export' })).toMatchObject({
      code: 'CONFLICT',
      message: 'mine',
      operation: 'export',
      sinkType: 'postgres',
    });
    const complete = new SinkError('CONFLICT', 'mine', { sinkType: 'postgres', operation: 'plan' });
    expect(postgresError(complete, { operation: 'export' })).toBe(complete);
    expect(isConnectionBroken(known)).toBe(false);
    expect(isConnectionBroken(new SinkError('ABORTED', 'gone'))).toBe(true);
  });
});
