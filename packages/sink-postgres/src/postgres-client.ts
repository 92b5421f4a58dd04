import { Client, type ClientConfig } from 'pg';
import type { Socket } from 'node:net';
import { SinkError, type SinkContext, type SinkErrorCode, type SinkOperation } from '@kollect/core';
import { formatServerAddress, showText, type OperationScope } from '@kollect/core/authoring';
import { sendCancelRequest } from './wire/cancel-request.ts';
import { watchLogin } from './wire/login-watch.ts';
import { maxScramIterations } from './wire/login-requests.ts';
import { checkMessages } from './wire/checked-messages.ts';
import { requireWritable } from './wire/require-writable.ts';
import { postgresLogin, type ConnectionParameters } from './postgres-login.ts';
import { postgresError } from './postgres-errors.ts';
import type { ResolvedPostgresSpec } from './postgres-spec.ts';
import { wireTypes } from './wire/wire-types.ts';

export type PostgresContext = SinkContext<ResolvedPostgresSpec>;

/** One authenticated connection, dialled through the context's egress policy. */
export interface PostgresConnection {
  readonly client: Client;
  /** True once the server or the network ended it. */
  readonly ended: boolean;
  /** Asks the server to end the running statement; resolves when the request was delivered or cannot be, never rejects. */
  cancel(): Promise<void>;
  /** Reads nothing from the server until the other is called: a long result would hold the event loop. */
  pauseReading(): void;
  resumeReading(): void;
  /** The rows that the next statement asks for may be many, and are not kept. */
  expectLongAnswer(): void;
  /** Resets the socket at once: a server that waits for our COPY data listens to nothing else. */
  destroy(): void;
  /** Says good-bye and waits for the socket to close, a second at most. */
  end(): Promise<void>;
}

/**
 * Connects with credentials asked for now, so that a rotated password works; where the login names several servers, to the first that answers
 * and takes writes. Leaves no socket when it rejects.
 */
export async function connect(context: PostgresContext, scope: OperationScope): Promise<PostgresConnection> {
  const { operation } = scope;
  const doing = `connecting to database ${showText(context.spec.database)}`;
  const timeoutMs = context.spec.connectTimeoutMs;
  const reading = { doing: 'reading the credentials', timeoutMs };
  const { servers, readWrite } = await scope.step(reading, () => postgresLogin(context));
  const errors: SinkError[] = [];
  for (const server of servers) {
    try {
      const connection = await connectTo(context, server, { scope, doing });
      if (readWrite) await requireWritable(connection, server, { scope, timeoutMs });
      return connection;
    } catch (thrown) {
      const error = postgresError(thrown, { operation, doing });
      // A login that one server refuses, all of them refuse.
      if (scope.ended !== undefined || !passingCodes.has(error.code) || servers.length === 1) throw error;
      errors.push(error);
    }
  }
  throw noServer(errors, { operation, doing });
}

const passingCodes: ReadonlySet<SinkErrorCode> = new Set(['UNAVAILABLE', 'TIMEOUT', 'OVERLOADED']);

function noServer(
  errors: readonly SinkError[],
  { operation, doing }: { readonly operation: SinkOperation; readonly doing: string },
): SinkError {
  const each = errors.map(({ message }, index) => `(${index + 1}) ${message}`).join(' ');
  return new SinkError('UNAVAILABLE', `None of ${errors.length} servers could be used while ${doing}: ${each}`, {
    sinkType: 'postgres',
    operation,
  });
}

interface ConnectToOptions {
  readonly scope: OperationScope;
  readonly doing: string;
}

async function connectTo(
  context: PostgresContext,
  parameters: ConnectionParameters,
  { scope, doing }: ConnectToOptions,
): Promise<PostgresConnection> {
  const { operation } = scope;
  const { spec } = context;
  const bound = parameters.channelBinding === 'require';
  let socket: Socket | undefined;
  const config: ClientConfig & { readonly scramMaxIterations: number } = {
    host: parameters.host,
    port: parameters.port,
    user: parameters.user,
    // Left out or empty, `pg` would take PGPASSWORD or ~/.pgpass of the host: a function never does.
    password: () => {
      if (bound) login.requireBinding();
      return parameters.password ?? '';
    },
    database: parameters.database,
    ssl: parameters.ssl,
    enableChannelBinding: parameters.channelBinding !== 'disable',
    application_name: spec.applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: wireTypes,
    stream: () => (socket = context.egress.socket()),
    // Left out, `pg` would take these from the host's environment.
    sslnegotiation: 'postgres',
    client_encoding: 'UTF8',
    scramMaxIterations: maxScramIterations,
  };
  const client = new Client(config);
  const messages = checkMessages(client);
  sendAlone(client, startupParameters(context, parameters));
  const login = watchLogin(client);
  // A client that errors while nobody waits for it would otherwise end the host's process.
  let ended = false;
  client.on('error', () => (ended = true));
  client.on('end', () => (ended = true));
  const reset = (): void => {
    ended = true;
    if (socket === undefined) return;
    const stream = streamOf(client);
    // libuv refuses to reset what is shutting down already, and Node then spins for ever when the process ends. TLS gets a plain close, too.
    if (stream === socket && !socket.connecting && !socket.writableEnded && !socket.destroyed) socket.resetAndDestroy();
    stream.destroy();
    socket.destroy();
  };
  try {
    const timeout = { timeoutMs: spec.connectTimeoutMs, timeoutField: 'spec.postgres.connectTimeout' };
    await scope.step({ doing, ...timeout }, () => client.connect());
    if (bound) login.requireBinding();
  } catch (error) {
    reset();
    const at = `${doing} at ${formatServerAddress(parameters)}`;
    if (login.wasCutOff(error))
      throw new SinkError('UNAVAILABLE', `The login was cut off on its way to the server while ${at}.`, {
        sinkType: 'postgres',
        operation,
      });
    throw postgresError(error, { operation, doing: at, phase: 'login' });
  }
  return {
    client,
    get ended() {
      return ended;
    },
    cancel: () => sendCancelRequest({ egress: context.egress, parameters, ...backendKey(client) }),
    pauseReading: () => void streamOf(client).pause(),
    resumeReading: () => void streamOf(client).resume(),
    expectLongAnswer: () => messages.expectLongAnswer(),
    destroy: reset,
    end: async () => {
      if (ended) return reset();
      ended = true;
      await Promise.race([
        client.end().catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, 1_000).unref()),
      ]);
      reset();
    },
  };
}

/** All that the server is told at login, beside the login itself. Options of the host's own where it lets the sink use them. */
function startupParameters(
  { spec, hostIdentity }: PostgresContext,
  { user, database }: ConnectionParameters,
): Readonly<Record<string, string>> {
  const options = hostIdentity.clientConfig ? (process.env['PGOPTIONS'] ?? '') : '';
  return {
    user,
    database,
    ...(spec.applicationName === '' ? {} : { application_name: spec.applicationName }),
    ...(options === '' ? {} : { options }),
  };
}

/** `pg` adds what it finds in `PGOPTIONS`, `PGAPPNAME` and `PGREPLICATION` of the host, and has no way to tell it not to. */
function sendAlone(client: Client, parameters: Readonly<Record<string, string>>): void {
  (client as unknown as { getStartupConf: () => Readonly<Record<string, string>> }).getStartupConf = () => parameters;
}

/** The socket, or TLS above it once that was agreed; `pg` does not type it. */
function streamOf(client: Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** `pg` keeps the key that a cancel request names the backend by, and does not type it. */
function backendKey(client: Client): { readonly processId: number; readonly secretKey: number } {
  const { processID, secretKey } = client as unknown as { processID: number | null; secretKey: number | null };
  return { processId: processID ?? 0, secretKey: secretKey ?? 0 };
}
