import { formatServerAddress } from '@kollect/core/authoring';
import type { KafkaClientConfig } from '../../kafka-client.ts';
import { needsTlsCode } from '../../client-words.ts';
import { kafkaError } from '../../kafka-errors.ts';
import { destroyedError } from './kafkajs-errors.ts';
import { lengthBytes, noLeader, type Connection, type Exchange, type TopicMetadata } from './kafkajs-internals.ts';
import { saslOf } from './kafkajs-sasl.ts';
import type { ClientSockets } from './kafkajs-sockets.ts';

export interface ConnectionGuard {
  readonly config: KafkaClientConfig;
  readonly sockets: ClientSockets;
  readonly isDestroyed: () => boolean;
}

/** Has the connection do what kafkajs leaves out; each part says what. */
export function guardConnection(connection: Connection, guard: ConnectionGuard): void {
  guardDial(connection, guard);
  if (connection.sasl !== null) connection.sasl = saslOf(guard.config);
  guardData(connection);
  guardExchanges(connection);
  guardQueue(connection, guard);
}

/** One dial at a time, none after the end, TLS material asked for, the first cause kept. */
function guardDial(connection: Connection, { config, sockets, isDestroyed }: ConnectionGuard): void {
  const dial = connection.connect.bind(connection);
  let dialling: Promise<boolean> | undefined;
  const connect = async (): Promise<boolean> => {
    if (connection.isConnected()) return true;
    if (isDestroyed()) throw destroyedError();
    const options = (await config.tls())?.for(connection.host);
    if (isDestroyed()) throw destroyedError();
    sockets.useTls(options);
    // Half an answer of the connection before: kafkajs would read what comes now as the rest of it.
    Object.assign(connection, { chunks: [], bytesBuffered: 0, bytesNeeded: lengthBytes });
    const dialled = dial();
    const failure = sockets.failureOfNewest();
    return dialled.catch((error: unknown) => {
      const cause = failure();
      // kafkajs tries a certificate that does not fit again and again; where there is another broker, that one may do better.
      const hopeless = config.brokers.length === 1 && cause !== undefined && !kafkaError(cause).retryable;
      throw Object.assign(error as Error, { cause }, hopeless ? { retriable: false } : {});
    });
  };
  connection.connect = () => (dialling ??= connect().finally(() => (dialling = undefined)));
}

/** What kafkajs throws from the socket's listener would end the host's process. */
function guardData(connection: Connection): void {
  const processData = connection.processData.bind(connection);
  connection.processData = (bytes) => {
    if (connection.bytesBuffered === 0 && isTlsAlert(bytes)) {
      connection.socket?.destroy(Object.assign(new Error('The listener expects TLS'), { code: needsTlsCode }));
      return;
    }
    try {
      processData(bytes);
    } catch {
      connection.socket?.destroy(new Error('Invalid response'));
    }
  };
}

/** What a listener with TLS says to whoever speaks without; as the length of an answer it would be 350 MB. */
function isTlsAlert(bytes: Uint8Array): boolean {
  return bytes[0] === 0x15 && bytes[1] === 0x03;
}

/** Errors name the broker that they came from: which one failed, kafkajs says of some alone. */
function guardExchanges(connection: Connection): void {
  const named = (error: unknown): never => {
    const broker = formatServerAddress(connection);
    throw error instanceof Error && !('broker' in error && error.broker !== undefined)
      ? Object.assign(error, { broker })
      : error;
  };
  const authenticate = connection.authenticate.bind(connection);
  connection.authenticate = () => authenticate().catch(named);
  const exchange = connection.send.bind(connection);
  connection.send = (asked) =>
    exchange(
      asked.request.apiName === 'Metadata' ? { ...asked, response: withLeaderless(asked.response) } : asked,
    ).catch(named);
}

function guardQueue({ requestQueue: queue }: Connection, { config, isDestroyed }: ConnectionGuard): void {
  // With nothing to check, kafkajs asks for a timer of a negative delay, of which Node 24 and later warn.
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
  const throttle = queue.maybeThrottle.bind(queue);
  queue.maybeThrottle = (ms) => {
    if (ms !== null && ms > 0) config.onThrottle?.(ms);
    throttle(ms);
  };
  // What a dying socket says is retried, after a pause that cannot be cut short.
  const rejectAll = queue.rejectAll.bind(queue);
  queue.rejectAll = (error) => rejectAll(isDestroyed() ? destroyedError() : error);
}

/** kafkajs takes a partition without a leader for a fault of the whole topic, whose other partitions may be written. */
function withLeaderless(response: Exchange['response']): Exchange['response'] {
  const parse = (decoded: unknown): Promise<unknown> => {
    const metadata = decoded as { readonly topicMetadata: readonly TopicMetadata[] };
    const topicMetadata = metadata.topicMetadata.map((topic) => ({
      ...topic,
      partitionMetadata: topic.partitionMetadata.map((partition) =>
        partition.leader === noLeader ? { ...partition, partitionErrorCode: 0 } : partition,
      ),
    }));
    return response.parse({ ...metadata, topicMetadata });
  };
  return { decode: response.decode, parse };
}
