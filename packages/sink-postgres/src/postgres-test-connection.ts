import { isIP } from 'node:net';
import { SinkError, type ConnectionReport } from '@kollect/core';
import {
  createConnectionTest,
  formatServerAddress,
  showText,
  type ConnectionTest,
  type OperationScope,
  type Remedies,
  type ServerAddress,
} from '@kollect/core/authoring';
import { connect, type PostgresConnection, type PostgresContext } from './postgres-client.ts';
import { connectionParameters, type ConnectionParameters } from './postgres-login.ts';
import { postgresError } from './postgres-errors.ts';
import {
  checkClock,
  checkDatabase,
  checkPrivileges,
  checkSchema,
  checkTable,
  checkVersion,
  checkWritable,
} from './schema/server-checks.ts';
import { rehearse } from './rehearsal.ts';
import { askForTls } from './wire/tls-handshake.ts';

/**
 * Tries what an export needs, a step at a time: credentials, resolve, connect, tls, authenticate, database, schema, table, privileges, then
 * writable, version and clock of the server, and at last an export that is rolled back. Leaves nothing written. Rejects only when aborted.
 */
export async function testConnection(context: PostgresContext, scope: OperationScope): Promise<ConnectionReport> {
  const { spec, egress } = context;
  const timeoutMs = spec.connectTimeoutMs;
  const on = createConnectionTest({ scope, egress, timeoutMs, remedies });
  let connection: PostgresConnection | undefined;
  try {
    const servers = await on.credentials(context, (credentials, tls) => {
      const value = connectionParameters({ spec, credentials, tls }).servers;
      const where = value.map(formatServerAddress).join(', ');
      return { found: `User ${showText(value[0].user)} on ${where}.`, value };
    });
    const encrypted = await encrypt(on, servers);
    const loggingIn = { doing: 'logging in', after: encrypted, timeoutMs: undefined };
    const session = await on.step({ name: 'authenticate', ...loggingIn }, async (_, step) => {
      const opened = await login(context, step);
      if (!SinkError.isInstance(opened)) connection = opened;
      return { found: `The server accepted user ${showText(servers?.[0].user ?? '')}.`, value: opened };
    });
    const asking = { doing: 'asking which database this is', after: session };
    const client = await on.step({ name: 'database', ...asking }, (opened) => {
      // The server looks at the login first: an error of the database means that the login was accepted.
      if (SinkError.isInstance(opened)) throw opened;
      return checkDatabase(opened.client);
    });
    const inSchema = await on.step({ name: 'schema', doing: 'looking at the schema', after: client }, (sql) =>
      checkSchema(sql, spec),
    );
    const table = await on.step({ name: 'table', doing: 'looking at the table', after: inSchema }, (sql) =>
      checkTable(sql, spec),
    );
    const granted = await on.step({ name: 'privileges', doing: 'reading privileges', after: table }, (sql) =>
      checkPrivileges(sql, spec),
    );
    const writing = { doing: 'asking whether the server is read-only', after: client };
    const writable = await on.step({ name: 'writable', ...writing }, checkWritable);
    await on.step({ name: 'version', doing: 'asking for the version', after: client }, checkVersion);
    await on.step({ name: 'clock', doing: 'asking for the time', after: client }, checkClock);
    // All that was found fine stays fine only if an export succeeds: it has the last word.
    const ready = granted === undefined || writable === undefined ? undefined : connection;
    const rehearsing = { doing: 'rehearsing an export', after: ready, timeoutMs: undefined };
    await on.step({ name: 'export', ...rehearsing }, (opened, step) => rehearse(context, opened, step));
    return on.report();
  } finally {
    await connection?.end();
  }
}

/** Resolve, connect and tls. */
async function encrypt(
  on: ConnectionTest,
  servers: readonly ConnectionParameters[] | undefined,
): Promise<true | undefined> {
  const connected = await on.connect(await on.resolve(servers?.map(({ host, port }) => ({ host, port }))));
  const sslOf = ({ host, port }: ServerAddress): ConnectionParameters['ssl'] =>
    servers?.find((server) => server.host === host && server.port === port)?.ssl ?? false;
  if (connected !== undefined && connected[0] !== undefined && sslOf(connected[0]) !== false)
    return on.tls({
      after: connected,
      // A pooler may choose the database by the server name; an IP address is none.
      tls: (server) => ({ ...(isIP(server.host) === 0 ? { servername: server.host } : {}), ...sslOf(server) }),
      upgrade: askForTls,
    });
  return on.step({ name: 'tls', doing: 'looking at the spec', after: connected }, async () => ({
    found: 'Not encrypted: spec.postgres.tls.mode is disable.',
    value: true,
  }));
}

/** A connection, or the error of the database where the login itself was accepted. */
async function login(context: PostgresContext, scope: OperationScope): Promise<PostgresConnection | SinkError> {
  try {
    return await connect(context, scope);
  } catch (thrown) {
    const error = postgresError(thrown, scope);
    if (error.code === 'NOT_FOUND' || error.code === 'PERMISSION_DENIED') return error;
    throw error;
  }
}

const remedies: Remedies = {
  AUTHENTICATION_FAILED:
    'Check username, password or client certificate, and what pg_hba.conf demands of this user from this address.',
  PERMISSION_DENIED: 'Grant what postgresDdl(spec) lists at its end.',
  SCHEMA_MISMATCH: 'Change the table to match what postgresDdl(spec) prints, or name another table.',
  OVERLOADED: 'Lower poolSize, or give the server more connections or room.',
  TIMEOUT: 'Check firewall and load of the server, or raise connectTimeout.',
  BACKEND_ERROR: 'Check that PostgreSQL 13 or newer answers at host and port, and read its log.',
};
