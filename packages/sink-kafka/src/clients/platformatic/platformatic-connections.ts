import { MultipleErrors, NetworkError, ProtocolError, type Broker, type Connection } from '@platformatic/kafka';
import { setTimeout as pause } from 'node:timers/promises';
import { formatServerAddress } from '@kollect/core/authoring';
import type { KafkaClientConfig } from '../../kafka-client.ts';
import { allowedAddresses } from './platformatic-addresses.ts';
import { destroyConnection, dial, flushConnection } from './platformatic-dial.ts';
import { causeOf, closedError, isPassing } from './platformatic-failures.ts';

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
      const onThrottle = (ms: number): void => {
        throttles.set(name, performance.now() + ms);
        config.onThrottle?.(ms);
      };
      const options = { config, tls, maxInflights, broker: name, onThrottle, open };
      for (const address of addresses) {
        if (closed) throw closedError();
        try {
          const connection = await dial({ host: address, port: broker.port }, options);
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
