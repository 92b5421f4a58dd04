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
    ['BACKEND_ERROR', { message: 'received invalid response: 48' }],
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

  test('a missing object is named in the words of the server', () => {
    const error = Object.assign(new Error('permission denied for table items'), { code: '42501' });
    expect(postgresError(error).message).toContain(': permission denied for table items. Grant what');
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
