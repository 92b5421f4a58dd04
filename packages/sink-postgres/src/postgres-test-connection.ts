import { isIP, type Socket } from 'node:net';
import { SinkError, type ConnectionReport, type Finding } from '@kollect/core';
import { certificateExpiry, formatServerAddress, showText } from '@kollect/core/authoring';
import { connect, type PostgresConnection, type PostgresContext } from './postgres-client.ts';
import { postgresReportBuilder } from './connection-report.ts';
import { postgresLogin, type ConnectionParameters } from './postgres-login.ts';
import { limitedBy } from './wire/deadline.ts';
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
import { startTls } from './wire/tls-handshake.ts';

export interface TestConnectionOptions {
  readonly context: PostgresContext;
  readonly signal: AbortSignal;
}

const operation = 'test-connection';

/**
 * Tries what an export needs, a step at a time: credentials, resolve, connect, tls, authenticate, database, schema, table, privileges, then
 * writable, version and clock of the server, and at last an export that is rolled back. Leaves nothing written. Rejects only when aborted.
 */
export async function testConnection({ context, signal }: TestConnectionOptions): Promise<ConnectionReport> {
  const { spec, egress } = context;
  const { step, report } = postgresReportBuilder(signal);
  const limited = <T>(doing: string, promise: Promise<T>): Promise<T> =>
    limitedBy({ signal, operation, doing, timeoutMs: spec.connectTimeoutMs }, promise);
  let socket: Socket | undefined;
  let connection: PostgresConnection | undefined;
  try {
    const parameters = await step('credentials', context, async () => {
      const { servers } = await limited('reading the credentials', postgresLogin(context));
      const where = servers.map(formatServerAddress).join(', ');
      return { found: `User ${showText(servers[0].user)} on ${where}.`, value: servers };
    });
    const resolved = await step('resolve', parameters, async (servers) =>
      firstOf(servers, async (to) => {
        const addresses = await limited(`resolving ${to.host}`, resolve(context, to.host));
        return `${to.host} is ${addresses.join(', ')}.`;
      }),
    );
    const connected = await step('connect', resolved, async (servers) =>
      firstOf(servers, async (to) => {
        socket?.destroy();
        socket = await egress.dial({ host: to.host, port: to.port, signal, timeoutMs: spec.connectTimeoutMs });
        socket.on('error', () => undefined);
        return `${formatServerAddress(to)} accepts connections.`;
      }),
    );
    const encrypted = await step('tls', connected, async ([to]) => {
      if (to === undefined || to.ssl === false || socket === undefined)
        return { found: 'Not encrypted: spec.postgres.tls.mode is disable.', value: true };
      const handshake = new AbortController();
      const started = startTls(socket, to, AbortSignal.any([signal, handshake.signal]));
      try {
        const channel = await limited('shaking hands', started);
        const subject = `the certificate of ${formatServerAddress(to)}`;
        const expiry = certificateExpiry(channel.getPeerCertificate(), { subject });
        channel.on('error', () => undefined);
        channel.destroy();
        const { found = `${subject} does not say how long it is valid`, warning } = expiry ?? {};
        return {
          found: `${channel.getProtocol() ?? 'TLS'}; ${found}.`,
          value: true,
          ...(warning === undefined ? {} : { warning }),
        };
      } finally {
        handshake.abort();
      }
    });
    socket?.destroy();
    const session = await step('authenticate', encrypted, async () => {
      const opened = await login(context, signal);
      if (!SinkError.isInstance(opened)) connection = opened;
      return { found: `The server accepted user ${showText(parameters?.[0]?.user ?? '')}.`, value: opened };
    });
    const client = await step('database', session, async (opened) => {
      // The server looks at the login first: an error of the database means that the login was accepted.
      if (SinkError.isInstance(opened)) throw opened;
      return limited('asking which database this is', checkDatabase(opened.client));
    });
    const inSchema = await step('schema', client, (on) => limited('looking at the schema', checkSchema(on, spec)));
    const table = await step('table', inSchema, (on) => limited('looking at the table', checkTable(on, spec)));
    const granted = await step('privileges', table, (on) => limited('reading privileges', checkPrivileges(on, spec)));
    const writable = await step('writable', client, (on) =>
      limited('asking whether the server is read-only', checkWritable(on)),
    );
    await step('version', client, (on) => limited('asking for the version', checkVersion(on)));
    await step('clock', client, (on) => limited('asking for the time', checkClock(on)));
    // All that was found fine stays fine only if an export succeeds: it has the last word.
    const ready = granted === undefined || writable === undefined ? undefined : connection;
    await step('export', ready, (on) => rehearse(context, on, signal));
    return report();
  } finally {
    socket?.destroy();
    await connection?.end();
  }
}

/** The servers from the first that answers on: an export takes the first that does and takes writes. Throws what the first met where none does. */
async function firstOf(
  servers: readonly ConnectionParameters[],
  attempt: (server: ConnectionParameters) => Promise<string>,
): Promise<Finding<readonly ConnectionParameters[]>> {
  const failures: string[] = [];
  let failure: unknown;
  for (const [index, server] of servers.entries()) {
    try {
      return { found: [...failures, await attempt(server)].join(' '), value: servers.slice(index) };
    } catch (error) {
      failure ??= error;
      failures.push(postgresError(error, { operation }).message);
    }
  }
  throw failure;
}

/** Addresses that the egress policy allows. */
async function resolve({ egress }: PostgresContext, host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) {
    egress.check(host);
    return [host];
  }
  return new Promise((settle, reject) => {
    egress.lookup(host, { all: true }, (error, found) => {
      if (error !== null) reject(postgresError(error, { operation, doing: `resolving ${showText(host)}` }));
      else settle(Array.isArray(found) ? found.map(({ address }) => address) : [found]);
    });
  });
}

/** A connection, or the error of the database where the login itself was accepted. */
async function login(context: PostgresContext, signal: AbortSignal): Promise<PostgresConnection | SinkError> {
  try {
    return await connect(context, { signal, operation });
  } catch (thrown) {
    const error = postgresError(thrown, { operation });
    if (error.code === 'NOT_FOUND' || error.code === 'PERMISSION_DENIED') return error;
    throw error;
  }
}
