import {
  findErrorBy,
  kGetApi,
  kGetBootstrapConnection,
  kGetConnection,
  kMetadata,
  kPerformWithRetry,
  NetworkError,
  Producer,
  ProtocolError,
  ResponseError,
  UnsupportedError,
  type API,
  type Broker,
  type Callback,
  type CallbackWithPromise,
  type ClusterMetadata,
  type Connection,
  type MetadataOptions,
} from '@platformatic/kafka';
import { brokerAddresses } from '../broker-address.ts';
import type { KafkaClientConfig } from '../../kafka-client.ts';
import { answerWith } from './platformatic-answers.ts';
import { createConnections, type BrokerConnections } from './platformatic-connections.ts';
import { mended, withErrorCode } from './platformatic-mends.ts';

/** Rides out a new leader or a short restart, about three seconds. What takes longer is the caller's to try again. */
const retries = 10;
/** As Java's producer: a leader that moved is noticed at the next send anyway. */
const metadataMaxAgeMs = 300_000;

/** An API of the broker with its arguments, as the library's own clients call it. */
export interface BrokerRequest {
  readonly api: string;
  readonly arguments: readonly unknown[];
  /** `any` broker, whose answer counts whatever it says; or the controller, which may have moved and is then asked again. */
  readonly to: 'any' | 'controller';
}

class MetadataNeededError extends NetworkError {
  constructor() {
    super('The topic is not known, or no longer.');
  }
}

/** The library's producer on our connections, mended where it fails us; each member says why. */
export class GuardedProducer extends Producer {
  readonly #bootstrap: readonly Broker[];
  readonly #connections: BrokerConnections;
  readonly #partitions = new Map<string, number>();

  constructor(config: KafkaClientConfig) {
    super({
      clientId: config.clientId,
      bootstrapBrokers: [...config.brokers],
      compression: config.compression,
      idempotent: config.idempotent,
      ...(config.transactionalId === undefined ? {} : { transactionalId: config.transactionalId }),
      timeout: config.requestTimeoutMs,
      metadataMaxAge: metadataMaxAgeMs,
      autocreateTopics: false,
      retries,
      retryDelay: (client, operation, attempt, _retries, error) => {
        config.log({
          level: 'debug',
          message: `Attempt ${String(attempt)} of "${operation}" failed and is made again.`,
        });
        return client instanceof GuardedProducer ? client.#delay(attempt, error) : 0;
      },
    });
    this.#bootstrap = brokerAddresses(config.brokers);
    // More than one request in flight loses the order of an idempotent producer's sequence numbers when one is sent again.
    this.#connections = createConnections(config, { maxInflights: config.idempotent ? 1 : 5 });
    // A version of the library that dials past us must fail, and not escape the egress policy.
    const refuse = (): never => {
      throw new UnsupportedError(
        'This version of @platformatic/kafka is built otherwise than 2.12.1; install that version.',
      );
    };
    Object.assign(this.connections, { get: refuse, getFirstAvailable: refuse });
  }

  /** Resolves when the system has taken all that was sent. */
  flush(): Promise<void> {
    return this.#connections.flush();
  }

  /** Fails whatever waits, and ends every connection. */
  async destroy(): Promise<void> {
    // First, so that what fails with its connection is not tried again.
    const closing = this.close(true);
    await this.#connections.close();
    await closing;
  }

  /** Tells which partition will be written, so that one the topic lacks is refused: the library would write to another or throw in a callback. */
  expectPartition(topic: string, partition: number): void {
    this.#partitions.set(topic, Math.max(partition, this.#partitions.get(topic) ?? 0));
  }

  /** Sends to a topic that is known: the library numbers the records before anything else happens. */
  async sendPrepared(topic: string, send: () => Promise<unknown>): Promise<void> {
    for (;;) {
      await this.metadata({ topics: [topic], retries });
      try {
        await send();
        return;
      } catch (error) {
        if (!(error instanceof MetadataNeededError)) throw error;
      }
    }
  }

  /** Sends one request, again where that may help. */
  request<Response>({ api: name, arguments: given, to }: BrokerRequest): Promise<Response> {
    return new Promise((resolve, reject) => {
      const attempt = (retry: Callback<Response>, count: number): void => {
        const onConnection: Callback<Connection> = (error, connection) => {
          if (error !== null || connection === undefined) return retry(error);
          this[kGetApi]<unknown[], Response>(name, (error, api) => {
            if (error !== null || api === undefined) return retry(error);
            (api as (connection: Connection, ...rest: unknown[]) => void)(connection, ...given, retry);
          });
        };
        if (to === 'any') return this[kGetBootstrapConnection](onConnection, count);
        this[kMetadata]({ topics: [], forceUpdate: true, retries: 0 }, (error, metadata) => {
          const controller = metadata?.brokers.get(metadata.controllerId);
          if (controller === undefined) return retry(error ?? new ProtocolError('NOT_CONTROLLER'));
          this[kGetConnection](controller, onConnection);
        });
      };
      const settle = (error: Error | null, response?: Response): void =>
        error === null ? resolve(response as Response) : reject(error);
      void this[kPerformWithRetry](
        name,
        attempt,
        settle,
        0,
        [],
        (error) => to === 'any' && error instanceof ResponseError,
      );
    });
  }

  /** Nothing is tried again once closed; nor is the list of APIs, for whoever asks for it tries again itself, and attempts would multiply. */
  override [kPerformWithRetry]<Result>(
    operation: string,
    work: (callback: Callback<Result>, attempt: number) => void,
    callback: CallbackWithPromise<Result>,
    ...[attempt, errors, shouldSkipRetry, limit]: [
      attempt?: number,
      errors?: Error[],
      shouldSkipRetry?: (error: Error) => boolean,
      limit?: number,
    ]
  ): void | Promise<Result> {
    const skip = (error: Error): boolean => this.closed || shouldSkipRetry?.(error) === true;
    return super[kPerformWithRetry](
      operation,
      work,
      callback,
      attempt,
      errors,
      skip,
      operation === 'listApis' ? 0 : limit,
    );
  }

  override [kGetConnection](broker: Broker, callback: Callback<Connection>): void {
    void answerWith(this.#connections.get(broker), callback);
  }

  override [kGetBootstrapConnection](callback: Callback<Connection>, attempt = 0): void {
    const brokers = [...this.#bootstrap, ...(this.currentMetadata?.brokers.values() ?? [])];
    const offset = attempt % brokers.length;
    void answerWith(this.#connections.first([...brokers.slice(offset), ...brokers.slice(0, offset)]), callback);
  }

  override [kMetadata](options: MetadataOptions, callback: CallbackWithPromise<ClusterMetadata>): void {
    const [topic] = options.topics ?? [];
    // A send that waited here would number its records by a count that another, failing one began anew meanwhile: the broker would take
    // them for records it has, and acknowledge without writing.
    if (topic !== undefined && options.retries === undefined && !this.#isKnown(topic))
      return callback(new MetadataNeededError(), undefined);
    super[kMetadata](options, (error, metadata) => {
      if (error !== null || metadata === undefined) callback(withErrorCode(error), metadata);
      else
        callback(null, {
          ...metadata,
          topics: new Map(
            [...metadata.topics].map(([name, topic]) => [name, this.#withExpectedPartitions(name, topic)]),
          ),
        });
    });
  }

  override [kGetApi]<Arguments extends unknown[], Response>(
    name: string,
    callback: Callback<API<Arguments, Response>>,
  ): void {
    super[kGetApi]<Arguments, Response>(name, (error, api) => {
      if (api === undefined) return callback(error);
      callback(null, mended(name, api as unknown as API<unknown[], unknown>) as unknown as API<Arguments, Response>);
    });
  }

  /** The library keeps to the leader it knows while it tries again. */
  #delay(attempt: number, error: Error): number {
    if (findErrorBy(error, 'hasStaleMetadata', true) !== null) this.clearMetadata();
    // The previous transaction is being completed, which takes milliseconds.
    const first = findErrorBy(error, 'apiId', 'CONCURRENT_TRANSACTIONS') === null ? 100 : 20;
    return Math.min(300, first * 2 ** (attempt - 1));
  }

  #isKnown(topic: string): boolean {
    const known = this.currentMetadata?.topics.get(topic);
    return known !== undefined && known.lastUpdate >= Date.now() - metadataMaxAgeMs;
  }

  /** A partition that the topic lacks has no leader: so the library looks for it anew, and fails the send where it stays away. */
  #withExpectedPartitions<Topic extends (ClusterMetadata['topics'] extends Map<string, infer Each> ? Each : never)>(
    name: string,
    topic: Topic,
  ): Topic {
    const expected = this.#partitions.get(name) ?? 0;
    if (topic.partitions.length > expected) return topic;
    const missing = { leader: -1, leaderEpoch: -1, replicas: [], isr: [], offlineReplicas: [] };
    const partitions = Array.from({ length: expected + 1 }, (_, partition) => topic.partitions[partition] ?? missing);
    return { ...topic, partitions, partitionsCount: partitions.length };
  }
}
