import {
  apiVersionsV1,
  clientSoftwareName,
  clientSoftwareVersion,
  Connection,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  UserError,
  type Broker,
  type Callback,
  type ConnectionOptions,
} from '@platformatic/kafka';
import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { SinkError, type Egress } from '@kollect/core';
import { formatServerAddress } from '@kollect/core/authoring';
import type { KafkaClientConfig } from '../../kafka-client.ts';
import { saslOptions } from './platformatic-sasl.ts';

const keepAliveDelayMs = 10_000;
const longestThrottleMs = 600_000;
const nothing = new Uint8Array();

/** One connection for each broker, made when it is asked for and again after it ended. */
export interface BrokerConnections {
  get(broker: Broker | undefined): Promise<Connection>;
  /** The first that answers, tried in turn; those that did not lately come last. */
  first(brokers: readonly Broker[]): Promise<Connection>;
  /** Resolves when the system has taken all that was written; rejects where a connection ended before. */
  flush(): Promise<void>;
  /** Destroys every socket at once; resolves when they are gone. */
  close(): Promise<void>;
}

/**
 * In place of the library's pool, which dials by name and takes neither a socket nor a lookup: each name is resolved and checked here, and
 * the library is told the address; TLS goes by the name. Certificates are asked for at every connect.
 */
export function createConnections(
  config: KafkaClientConfig,
  { maxInflights }: { readonly maxInflights: number },
): BrokerConnections {
  // By name and port: behind one address, a proxy may tell brokers apart by the server name.
  const connections = new Map<string, Promise<Connection>>();
  const open = new Set<Connection>();
  /** When a broker did not answer: one that takes connections and says nothing costs a time limit at each try. */
  const failures = new Map<string, number>();
  /** Until when a broker asked to be left alone: it reads nothing of this connection before, and a new one would evade its quota. */
  const throttles = new Map<string, number>();
  const ended = new AbortController();
  let closed = false;

  const get = async (broker: Broker | undefined): Promise<Connection> => {
    if (closed) throw closedError();
    if (broker === undefined) throw new ProtocolError('LEADER_NOT_AVAILABLE');
    const name = formatServerAddress(broker);
    const waitMs = (throttles.get(name) ?? 0) - performance.now();
    if (waitMs > 0) {
      await pause(waitMs, undefined, { signal: ended.signal }).catch(() => undefined);
      return get(broker);
    }
    const known = connections.get(name);
    if (known !== undefined) {
      const connection = await known;
      if (connection.isConnected() && connection.socket.readyState === 'open') return connection;
      if (connection.status === 'reauthenticating') {
        await connection.ready();
        return connection;
      }
      // It ended; whoever comes first dials anew.
      if (connections.get(name) === known) connections.delete(name);
      return get(broker);
    }
    const dialling = dialBroker(broker);
    connections.set(name, dialling);
    const forget = (): void => {
      if (connections.get(name) === dialling) connections.delete(name);
    };
    try {
      const connection = await dialling;
      connection.once('close', forget);
      connection.once('error', forget);
      return connection;
    } catch (error) {
      forget();
      throw error;
    }
  };

  const dialBroker = async (broker: Broker): Promise<Connection> => {
    const name = formatServerAddress(broker);
    let failure: unknown;
    try {
      const [addresses, sinkTls] = await Promise.all([allowedAddresses(config.egress, broker.host), config.tls()]);
      // The library dials an address, and would take that for the server name.
      const tls = sinkTls === undefined ? undefined : { servername: '', ...sinkTls.for(broker.host) };
      for (const address of addresses) {
        if (closed) throw closedError();
        try {
          const connection = watch(await dial({ host: address, port: broker.port }, tls), name, (ms) => {
            throttles.set(name, performance.now() + Math.min(ms, longestThrottleMs));
            config.onThrottle?.(ms);
          });
          failures.delete(name);
          config.log({ level: 'debug', message: 'Connected.', broker: name });
          return connection;
        } catch (error) {
          failure = error;
        }
      }
    } catch (error) {
      failure = error;
    }
    if (closed) throw closedError();
    const cause = causeOf(failure);
    failures.set(name, performance.now());
    config.log({ level: 'warn', message: 'The connection failed.', broker: name });
    throw new NetworkError(`Connection to ${name} failed.`, { cause, canRetry: isPassing(cause), broker: name });
  };

  const dial = (address: Broker, tls: TlsOptions | undefined): Promise<Connection> => {
    const sasl = saslOptions(config);
    const options: ConnectionOptions = {
      connectTimeout: config.connectTimeoutMs,
      requestTimeout: config.requestTimeoutMs,
      maxInflights,
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    };
    const connection = new Connection(config.clientId, options);
    open.add(connection);
    const end = (): void => {
      open.delete(connection);
      void destroyConnection(connection);
    };
    // Stays for good: an error that nobody listens to would end the host's process. And after a refused login the library leaves its half
    // of the socket to the broker.
    let ended: Error | undefined;
    connection.on('error', (error) => {
      ended = error;
      queueMicrotask(end);
    });
    connection.once('close', end);
    return new Promise((resolve, reject) => {
      const settle: Callback<unknown> = (error) => {
        if (error === null) return resolve(connection);
        end();
        reject(ended ?? error);
      };
      void connection.connect(address.host, address.port, (error) => {
        // With TLS 1.3 a broker refuses our certificate after the handshake, and the library would tell of a closed connection. What takes a
        // connection and answers nothing is no broker either, and there may be others.
        if (error === null && sasl === undefined)
          apiVersionsV1.api(connection, clientSoftwareName, clientSoftwareVersion, settle);
        else settle(error);
      });
      connection.socket.setKeepAlive(true, keepAliveDelayMs);
    });
  };

  return {
    get,
    async first(brokers) {
      const errors: Error[] = [];
      const failedAt = (broker: Broker): number => failures.get(formatServerAddress(broker)) ?? 0;
      for (const broker of brokers.toSorted((a, b) => failedAt(a) - failedAt(b))) {
        try {
          return await get(broker);
        } catch (error) {
          if (closed || brokers.length === 1) throw error;
          errors.push(error as Error);
        }
      }
      throw new MultipleErrors('Cannot connect to any broker.', errors);
    },
    async flush() {
      await Promise.all([...open].filter((connection) => connection.isConnected()).map(flushConnection));
    },
    async close() {
      closed = true;
      ended.abort();
      await Promise.all([...open].map(destroyConnection));
    },
  };
}

export function closedError(): NetworkError {
  return new NetworkError('The client is closed.', { canRetry: false, closed: true });
}

/** Errors of the connection say which broker they came from, which need not be one of the spec; and what answers say of quotas is told. */
function watch(connection: Connection, broker: string, onThrottle: (ms: number) => void): Connection {
  const send = connection.send.bind(connection);
  connection.send = (apiKey, version, payload, parser, requestTags, responseTags, callback) =>
    send(apiKey, version, payload, parser, requestTags, responseTags, (error, answer) => {
      const { throttleTimeMs } = Object(answer) as { readonly throttleTimeMs?: unknown };
      if (typeof throttleTimeMs === 'number' && throttleTimeMs > 0) onThrottle(throttleTimeMs);
      callback(error instanceof Error ? Object.assign(error, { broker }) : error, answer);
    });
  return connection;
}

/** What the name resolves to, as far as the policy allows; throws EGRESS_DENIED where nothing is left. */
async function allowedAddresses(egress: Egress, host: string): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await lookupAll(egress, host) : [host];
  for (const address of addresses) egress.check(address, host);
  return addresses;
}

function lookupAll(egress: Egress, host: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    egress.lookup(host, { all: true }, (error, found) => {
      if (error === null) resolve(typeof found === 'string' ? [found] : found.map(({ address }) => address));
      else reject(error);
    });
  });
}

/** What the library wrapped; a login that ended with its connection was not refused, and a handshake that did says nothing of TLS. */
function causeOf(failure: unknown): Error {
  if (!(failure instanceof Error)) return new Error('unknown');
  if (!(failure.cause instanceof Error)) return failure;
  const { code } = failure.cause as { readonly code?: unknown };
  return failure instanceof NetworkError || failure instanceof UserError || code === NetworkError.code
    ? causeOf(failure.cause)
    : failure;
}

/** Whether another attempt may fare better: not after a refused login, with a certificate that does not fit or against the policy. */
function isPassing(cause: Error): boolean {
  if (SinkError.isInstance(cause)) return cause.retryable;
  const { code, syscall, canRetry } = cause as {
    readonly code?: unknown;
    readonly syscall?: unknown;
    readonly canRetry?: unknown;
  };
  return syscall !== undefined || code === 'ECONNRESET' || canRetry === true;
}

function flushConnection({ socket }: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(nothing, (error) => {
      if (error == null) resolve();
      else reject(new NetworkError('Connection closed before all was written.', { cause: error }));
    });
  });
}

/** The library's own close waits until everything is written, which to a broker that hangs is never. */
async function destroyConnection(connection: Connection): Promise<void> {
  connection.close(() => undefined);
  // Undefined until it dials, whatever its type says.
  const socket = connection.socket as Connection['socket'] | undefined;
  if (socket === undefined || socket.closed) return;
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await gone;
}
