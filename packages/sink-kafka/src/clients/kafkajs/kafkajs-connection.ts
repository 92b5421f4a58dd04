import { formatServerAddress } from '@kollect/core/authoring';
import type { KafkaClientConfig } from '../../kafka-client.ts';
import { kafkaError } from '../../kafka-errors.ts';
import { checkAnswerSize, checkBrokerCount, throttleWithinReason } from '../answer-limits.ts';
import { createFrameReader, unreadableAnswer } from '../broker-frames.ts';
import { destroyedError, nameOf } from './kafkajs-errors.ts';
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
  guardDial(connection, guard, guardData(connection));
  if (connection.sasl !== null) connection.sasl = saslOf(guard.config);
  guardRawLogin(connection, guard);
  guardExchanges(connection);
  guardQueue(connection, guard);
}

/** One dial at a time, none after the end, TLS material asked for, the first cause kept. */
function guardDial(
  connection: Connection,
  { config, sockets, isDestroyed }: ConnectionGuard,
  startAnew: () => void,
): void {
  const dial = connection.connect.bind(connection);
  let dialling: Promise<boolean> | undefined;
  const connect = async (): Promise<boolean> => {
    if (connection.isConnected()) return true;
    if (isDestroyed()) throw destroyedError();
    const options = (await config.tls())?.for(connection.host);
    if (isDestroyed()) throw destroyedError();
    sockets.useTls(options);
    startAnew();
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

/** What kafkajs throws from the socket's listener would end the host's process; it is given whole answers, which have an end. */
function guardData(connection: Connection): () => void {
  const processData = connection.processData.bind(connection);
  let read = createFrameReader(processData);
  connection.processData = (bytes) => {
    try {
      read(bytes);
    } catch (error) {
      connection.socket?.destroy(tellingError(error));
    }
  };
  return () => {
    // Half an answer of the connection before: what comes now would be read as the rest of it.
    Object.assign(connection, { chunks: [], bytesBuffered: 0, bytesNeeded: lengthBytes });
    read = createFrameReader(processData);
  };
}

/** Logins of brokers that know no requests for it have no time limit, and never end where the socket does. */
function guardRawLogin(connection: Connection, { config }: ConnectionGuard): void {
  const sendAuthRequest = connection.sendAuthRequest.bind(connection);
  connection.sendAuthRequest = async (exchange) => {
    const { socket } = connection;
    let fail: (error: Error) => void = () => undefined;
    const ended = new Promise<never>((_, reject) => (fail = reject));
    const onClose = (): void => fail(Object.assign(new Error('Closed connection'), { name: 'KafkaJSConnectionError' }));
    socket?.once('close', onClose);
    const timer = setTimeout(
      () => socket?.destroy(Object.assign(new Error('A request timed out'), { code: 'ETIMEDOUT' })),
      config.requestTimeoutMs,
    );
    try {
      return await Promise.race([sendAuthRequest(exchange), ended]);
    } finally {
      clearTimeout(timer);
      socket?.off('close', onClose);
    }
  };
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
  connection.send = (asked) => {
    const { apiKey, apiName } = asked.request;
    const response = apiName === 'Metadata' ? withLeaderless(asked.response) : asked.response;
    return exchange({ ...asked, response: withinReason(response, apiKey) }).catch(named);
  };
}

/** What cannot be read fails as such, and not with what JavaScript says of it. */
function withinReason({ decode, parse }: Exchange['response'], apiKey: number): Exchange['response'] {
  return {
    decode: async (bytes) => {
      try {
        checkAnswerSize(apiKey, bytes.length);
        return await decode(bytes);
      } catch (error) {
        throw tellingError(error);
      }
    },
    parse: async (decoded) => {
      try {
        return await parse(decoded);
      } catch (error) {
        throw tellingError(error);
      }
    },
  };
}

function tellingError(error: unknown): Error {
  const { code } = Object(error) as { readonly code?: unknown };
  const tells = nameOf(error).startsWith('KafkaJS') || code === 'LISTENER_EXPECTS_TLS';
  return tells ? (error as Error) : unreadableAnswer();
}

function guardQueue({ requestQueue: queue }: Connection, { config, isDestroyed }: ConnectionGuard): void {
  // With nothing to check, kafkajs asks for a timer of a negative delay, of which Node 24 and later warn.
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
  const throttle = queue.maybeThrottle.bind(queue);
  queue.maybeThrottle = (asked) => {
    const ms = throttleWithinReason(asked ?? 0);
    if (ms > 0) config.onThrottle?.(ms);
    throttle(ms);
  };
  // kafkajs goes on with a warning, and a broker may send such for ever.
  const fulfil = queue.fulfillRequest.bind(queue);
  queue.fulfillRequest = (answer) => {
    if (!queue.inflight.has(answer.correlationId)) throw unreadableAnswer();
    fulfil(answer);
  };
  // What a dying socket says is retried, after a pause that cannot be cut short.
  const rejectAll = queue.rejectAll.bind(queue);
  queue.rejectAll = (error) => rejectAll(isDestroyed() ? destroyedError() : error);
}

/** kafkajs takes a partition without a leader for a fault of the whole topic, whose other partitions may be written. */
function withLeaderless(response: Exchange['response']): Exchange['response'] {
  const parse = (decoded: unknown): Promise<unknown> => {
    const metadata = decoded as {
      readonly brokers: readonly unknown[];
      readonly topicMetadata: readonly TopicMetadata[];
    };
    checkBrokerCount(metadata.brokers.length);
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
