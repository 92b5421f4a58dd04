import {
  apiVersionsV1,
  clientSoftwareName,
  clientSoftwareVersion,
  Connection,
  NetworkError,
  type Broker,
  type Callback,
  type ConnectionOptions,
} from '@platformatic/kafka';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { KafkaClientConfig } from '../../kafka-client.ts';
import { guardExchanges, guardListeners } from './platformatic-guard.ts';
import { saslOptions } from './platformatic-sasl.ts';

const keepAliveDelayMs = 10_000;
const nothing = new Uint8Array();

export interface DialOptions {
  readonly config: KafkaClientConfig;
  /** How it is greeted and checked; absent: not encrypted. */
  readonly tls: TlsOptions | undefined;
  readonly maxInflights: number;
  /** The name of the broker, for errors. */
  readonly broker: string;
  /** Called with the milliseconds that the broker asks to wait. */
  readonly onThrottle: (ms: number) => void;
  /** The connections that are not ended. */
  readonly open: Set<Connection>;
}

/** Dials the address and logs in, or asks what the broker speaks; rejects with why it ended. */
export function dial(
  address: Broker,
  { config, tls, maxInflights, broker, onThrottle, open }: DialOptions,
): Promise<Connection> {
  const sasl = saslOptions(config);
  const options: ConnectionOptions = {
    connectTimeout: config.connectTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    maxInflights,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
  };
  const connection = new Connection(config.clientId, options);
  guardExchanges(connection, { broker, onThrottle });
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
    guardListeners(connection.socket);
    connection.socket.setKeepAlive(true, keepAliveDelayMs);
  });
}

export function flushConnection({ socket }: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(nothing, (error) => {
      if (error == null) resolve();
      else reject(new NetworkError('Connection closed before all was written.', { cause: error }));
    });
  });
}

/** The library's own close waits until everything is written, which to a broker that hangs is never. */
export async function destroyConnection(connection: Connection): Promise<void> {
  connection.close(() => undefined);
  // Undefined until it dials, whatever its type says.
  const socket = connection.socket as Connection['socket'] | undefined;
  if (socket === undefined || socket.closed) return;
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await gone;
}
