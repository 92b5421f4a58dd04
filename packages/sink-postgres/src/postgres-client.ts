import { Client } from 'pg';
import type { Socket } from 'node:net';
import type { SinkContext, SinkOperation } from '@kollect/core';
import { formatServerAddress, showText } from '@kollect/core/authoring';
import { sendCancelRequest } from './wire/cancel-request.ts';
import { connectionParameters, type ConnectionParameters } from './postgres-login.ts';
import { endedBySignal, limitedBy } from './wire/deadline.ts';
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
  /** Resets the socket at once: a server that waits for our COPY data listens to nothing else. */
  destroy(): void;
  /** Says good-bye and waits for the socket to close, a second at most. */
  end(): Promise<void>;
}

export interface ConnectOptions {
  readonly signal: AbortSignal;
  readonly operation: SinkOperation;
}

/** Connects with credentials asked for now, so that a rotated password works. Leaves no socket when it rejects. */
export async function connect(
  context: PostgresContext,
  { signal, operation }: ConnectOptions,
): Promise<PostgresConnection> {
  const { spec } = context;
  const doing = `connecting to database ${showText(spec.database)}`;
  if (signal.aborted) throw endedBySignal(signal, { operation, doing });
  const [credentials, tls] = await limitedBy(
    { signal, operation, doing },
    Promise.all([context.credentials(), context.tls()]),
  );
  const parameters = connectionParameters({ spec, credentials, tls });
  let socket: Socket | undefined;
  const client = new Client({
    host: parameters.host,
    port: parameters.port,
    user: parameters.user,
    // Left out or empty, `pg` would take PGPASSWORD or ~/.pgpass of the host: a function never does.
    password: () => parameters.password ?? '',
    database: parameters.database,
    ssl: parameters.ssl,
    application_name: spec.applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: wireTypes,
    stream: () => (socket = context.egress.socket()),
    // Left out, `pg` would take these from the host's environment.
    sslnegotiation: 'postgres',
    client_encoding: 'UTF8',
  });
  sendAlone(client, startupParameters(context, parameters));
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
    await limitedBy({ signal, operation, doing, timeoutMs: spec.connectTimeoutMs }, client.connect());
  } catch (error) {
    reset();
    throw postgresError(error, {
      operation,
      doing: `${doing} at ${formatServerAddress(parameters)}`,
      phase: 'login',
    });
  }
  return {
    client,
    get ended() {
      return ended;
    },
    cancel: () => sendCancelRequest({ egress: context.egress, parameters, ...backendKey(client) }),
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

/** A connected client for what needs no pool; its owner ends it. */
export async function connectClient(
  context: PostgresContext,
  { signal }: { readonly signal: AbortSignal },
): Promise<Client> {
  return (await connect(context, { signal, operation: 'test-connection' })).client;
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
