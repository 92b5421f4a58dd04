import { createReportBuilder, type ReportBuilder, type SinkErrorCode } from '@kollect/core';
import { postgresError } from './postgres-errors.ts';

/** Collects the steps of a connection test of PostgreSQL. */
export function postgresReportBuilder(signal: AbortSignal): ReportBuilder {
  return createReportBuilder({
    signal,
    remedies,
    classify: (thrown) => postgresError(thrown, { operation: 'test-connection' }),
  });
}

const readTheMessage = 'Read what was found; docs/errors.md explains the code.';

const remedies: Readonly<Record<SinkErrorCode, string>> = {
  SNAPSHOT_INVALID: readTheMessage,
  CREDENTIALS_UNAVAILABLE:
    'Look at why the operator cannot read the Secret: its name, its namespace, the permission to get it.',
  SPEC_INVALID: 'Correct the spec, or the credentials that belong to it.',
  CONFLICT: readTheMessage,
  DELETE_LIMIT: readTheMessage,
  PAYLOAD_TOO_LARGE: readTheMessage,
  AUTHENTICATION_FAILED:
    'Check username, password or client certificate, and what pg_hba.conf demands of this user from this address.',
  PERMISSION_DENIED: 'Grant what postgresDdl(spec) lists at its end.',
  EGRESS_DENIED: 'Use a server that the egress policy of the operator allows, or have the policy changed.',
  TLS_FAILED:
    'Give the CA that signed the certificate of the server, dial it by a name that the certificate carries, or set tls.serverName.',
  NOT_FOUND: 'Create what is missing, or correct the name in the spec.',
  SCHEMA_MISMATCH: 'Change the table to match what postgresDdl(spec) prints, or name another table.',
  UNAVAILABLE: 'Check host, port and firewall, and that the server runs.',
  OVERLOADED: 'Lower poolSize, or give the server more connections or room.',
  TIMEOUT: 'Check firewall and load of the server, or raise connectTimeout.',
  ABORTED: 'Run the test again.',
  BACKEND_ERROR: 'Check that PostgreSQL 13 or newer answers at host and port, and read its log.',
  CONTRACT_VIOLATION: readTheMessage,
};
