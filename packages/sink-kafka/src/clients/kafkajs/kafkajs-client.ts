import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import kafkajs, {
  type CompressionTypes,
  type Kafka,
  type KafkaConfig,
  type Message,
  type Producer,
  type Transaction,
  type logLevel,
} from 'kafkajs';
import { formatServerAddress } from '@kollect/core/authoring';
import { openBrokerSocket } from '../broker-socket.ts';
import { loadCodec } from '../codecs.ts';
import type {
  Acks,
  Compression,
  KafkaClientConfig,
  KafkaClientFactory,
  KafkaLogLine,
  KafkaRecord,
  ProduceBatch,
  TopicDescription,
} from '../../kafka-client.ts';
import { kafkaError } from '../../kafka-errors.ts';
import { brokerAddresses, leadersAmong } from '../broker-address.ts';

/*
 * All that this project knows of kafkajs 2.2.4, the parts that it does not document included: its last release is of February 2023.
 * What they are for: one cluster for producer and metadata, sockets that can be ended, no negative timer, secrets asked for anew.
 */
interface Connection {
  readonly host: string;
  readonly port: number;
  sasl: object | null;
  connect(): Promise<boolean>;
  isConnected(): boolean;
  /** Logs in, where there is something to log in with. */
  authenticate(): Promise<void>;
  /** Undefined until it dials. */
  readonly socket?: Socket;
  /** What came of an answer that is not whole yet. */
  chunks: Uint8Array[];
  bytesBuffered: number;
  bytesNeeded: number;
  processData(bytes: Uint8Array): void;
  send(exchange: Exchange): Promise<unknown>;
  readonly requestQueue: {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
    rejectAll(error: Error): void;
    /** Called with what each answer says, null where it does not say. */
    maybeThrottle(ms: number | null): void;
  };
}

/** A request, and how its answer is read. */
interface Exchange {
  readonly request: { readonly apiName: string };
  readonly response: { decode(bytes: Uint8Array): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
}

interface Broker {
  metadata(topics: readonly string[]): Promise<{
    readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
    readonly topicMetadata: readonly TopicMetadata[];
  }>;
  describeConfigs(request: object): Promise<{
    readonly resources: readonly {
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
    }[];
  }>;
  createTopics(request: object): Promise<unknown>;
  produce(request: object): Promise<unknown>;
  findGroupCoordinator(request: object): Promise<unknown>;
}

interface TopicMetadata {
  readonly topic: string;
  readonly partitionMetadata: readonly {
    readonly partitionId: number;
    readonly leader: number;
    readonly replicas: readonly number[];
    readonly isr: readonly number[];
  }[];
}

interface Cluster {
  readonly targetTopics: Set<string>;
  readonly connectionPoolBuilder: {
    build(to?: { readonly host?: string; readonly port?: number }): Promise<{ readonly pool: readonly Connection[] }>;
  };
  readonly brokerPool: {
    findConnectedBroker(): Promise<Broker>;
    createSeedBroker(): Promise<void>;
    readonly seedBroker?: { connect(): Promise<void> };
  };
  connect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findControllerBroker(): Promise<Broker>;
  /** The partitions by the node that leads them. */
  findLeaderForPartitions(topic: string, partitions: readonly string[]): Readonly<Record<string, readonly number[]>>;
}

// CommonJS: Node finds some of its names, not all.
const { CompressionCodecs, CompressionTypes: types, logLevel: logLevels } = kafkajs;

const acksNumbers: Readonly<Record<Acks, number>> = { all: -1, leader: 1, none: 0 };
const compressionTypes: Readonly<Record<Compression, CompressionTypes>> = {
  none: types.None,
  gzip: types.GZIP,
  snappy: types.Snappy,
  lz4: types.LZ4,
  zstd: types.ZSTD,
};

/** Rides out a new leader or a short restart, about three seconds; the waits are short, for none of them can be cancelled. */
const retry = { retries: 10, initialRetryTime: 100, multiplier: 2, maxRetryTime: 300 };
/** How long `destroy` waits for kafkajs to notice. */
const settleMs = 1_000;
const topicResource = 2;
const transactionCoordinator = 1;
/** Where a broker's number would be. */
const noLeader = -1;
/** Of the length that each answer begins with. */
const lengthBytes = 4;

/** A client on kafkajs. */
export const kafkajsClient: KafkaClientFactory = (config) => {
  registerCodec(config.compression);
  const sockets = new Map<Socket, string>();
  const pending = new Set<Promise<unknown>>();
  let destroyed = false;
  /** For the socket that is made next, and how that one ended. */
  let tls: ConnectionOptions | undefined;
  let failureOfNewest: () => Error | undefined = () => undefined;

  const kafka = new kafkajs.Kafka({
    brokers: [...config.brokers],
    clientId: config.clientId,
    connectionTimeout: config.connectTimeoutMs,
    authenticationTimeout: config.requestTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    retry,
    // Says that there is one; each connection gets its own below.
    ...(config.sasl === undefined ? {} : { sasl: saslOf(config) }),
    logLevel: logLevels.INFO,
    logCreator: () => (entry) => {
      if (!destroyed) forwardLog(entry.level, entry.log, config.log);
    },
    socketFactory: ({ host, port, onConnect }) => {
      const socket = openBrokerSocket({ host, port, egress: config.egress, tls, onConnect });
      let failure: Error | undefined;
      failureOfNewest = () => failure;
      socket.once('error', (error) => (failure = error));
      sockets.set(socket, `${host}:${port}`);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
  });

  /** The connection with what kafkajs does not do: one dial at a time, none after the end, TLS material asked for, the first cause kept. */
  const guard = (connection: Connection): void => {
    const dial = connection.connect.bind(connection);
    let dialling: Promise<boolean> | undefined;
    const connect = async (): Promise<boolean> => {
      if (connection.isConnected()) return true;
      if (destroyed) throw destroyedError();
      const options = (await config.tls())?.for(connection.host);
      if (destroyed) throw destroyedError();
      tls = options;
      // Half an answer of the connection before: kafkajs would read what comes now as the rest of it.
      Object.assign(connection, { chunks: [], bytesBuffered: 0, bytesNeeded: lengthBytes });
      const dialled = dial();
      const failure = failureOfNewest;
      return dialled.catch((error: unknown) => {
        const cause = failure();
        // kafkajs tries a certificate that does not fit again and again; where there is another broker, that one may do better.
        const hopeless = config.brokers.length === 1 && cause !== undefined && !kafkaError(cause).retryable;
        throw Object.assign(error as Error, { cause }, hopeless ? { retriable: false } : {});
      });
    };
    connection.connect = () => (dialling ??= connect().finally(() => (dialling = undefined)));
    if (connection.sasl !== null) connection.sasl = saslOf(config);
    // Thrown from the socket's listener, it would end the host's process.
    const processData = connection.processData.bind(connection);
    connection.processData = (bytes) => {
      try {
        processData(bytes);
      } catch {
        connection.socket?.destroy(new Error('Invalid response'));
      }
    };
    // Errors name the broker that they came from: which one failed, kafkajs says of some alone.
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
    // With nothing to check, kafkajs asks for a timer of a negative delay, of which Node 24 and later warn.
    const queue = connection.requestQueue;
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
    queue.rejectAll = (error) => rejectAll(destroyed ? destroyedError() : error);
  };

  const { cluster, producer, findController } = shareCluster(kafka, config, guard);
  producer.on(producer.events.REQUEST_TIMEOUT, ({ payload: { broker } }) => {
    // kafkajs would send the next request to the same dead end.
    for (const [socket, name] of sockets)
      if (name === broker) socket.destroy(Object.assign(new Error('A request timed out'), { code: 'ETIMEDOUT' }));
  });

  /** Rejects once destroyed, and keeps account of what kafkajs still does. */
  const run = <T>(work: () => Promise<T>): Promise<T> => {
    if (destroyed) return Promise.reject(destroyedError());
    const running = work();
    const settled = running.then(noop, noop).finally(() => pending.delete(settled));
    pending.add(settled);
    return running;
  };

  /** On a connection that may have died while it rested: then on a new one. */
  const withBroker = async <T>(ask: (broker: Broker) => Promise<T>): Promise<T> => {
    try {
      return await ask(await cluster.brokerPool.findConnectedBroker());
    } catch (error) {
      if (destroyed || !nameOf(error).startsWith('KafkaJSConnection')) throw error;
    }
    return ask(await cluster.brokerPool.findConnectedBroker());
  };

  /** kafkajs forgets why no broker names the coordinator of transactions, such as a right that is missing: asked again, one tells. */
  const coordinatorFailure = async (error: unknown): Promise<unknown> => {
    if (nameOf(error) !== 'KafkaJSGroupCoordinatorNotFound') return error;
    const request = { groupId: config.transactionalId, coordinatorType: transactionCoordinator };
    return withBroker((broker) => broker.findGroupCoordinator(request)).then(
      () => error,
      (reason: unknown) => reason,
    );
  };

  // Not in `connect`: without a topic kafkajs asks for the metadata of all, and a broken one of somebody else's is an error to it.
  let ready: Promise<void> | undefined;
  const prepare = (topic: string): Promise<void> => {
    cluster.targetTopics.add(topic);
    ready ??= producer.connect().catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    return ready;
  };
  const send = async (
    { topic, partition, records }: ProduceBatch,
    sender: Pick<Producer | Transaction, 'send'>,
  ): Promise<void> => {
    await sender.send({
      topic,
      acks: acksNumbers[config.acks],
      timeout: config.requestTimeoutMs,
      compression: compressionTypes[config.compression],
      messages: records.map((record) => messageOf(record, partition)),
    });
    // Nobody answers then: that the kernel has the bytes is all there is to know, and `destroy` loses none of those.
    if (config.acks === 'none') await Promise.all([...sockets.keys()].map(flushed));
  };

  return {
    connect: () => run(() => cluster.connect()),
    send: (batch) =>
      run(async () => {
        await prepare(batch.topic);
        await send(batch, producer);
      }),
    transaction: (work) =>
      run(async () => {
        const transaction = await producer.transaction().catch(async (error: unknown) => {
          throw await coordinatorFailure(error);
        });
        try {
          const result = await work(async (batch) => {
            await prepare(batch.topic);
            await send(batch, transaction);
          });
          await transaction.commit();
          return result;
        } catch (error) {
          if (transaction.isActive()) await transaction.abort().catch(noop);
          throw error;
        }
      }),
    describeTopic: (topic, options = {}) =>
      run(async () => {
        const found = await withBroker((broker) => partitionsOf(broker, topic));
        if (found === undefined) return undefined;
        cluster.targetTopics.add(topic);
        const configs = options.configs === true ? await withBroker((broker) => configsOf(broker, topic)) : undefined;
        const authorizedOperations =
          options.permissions === true
            ? await withBroker((broker) => permissionsOn(broker, topic, config.requestTimeoutMs))
            : undefined;
        return {
          ...found,
          ...(configs === undefined ? {} : { configs }),
          ...(authorizedOperations === undefined ? {} : { authorizedOperations }),
        };
      }),
    createTopic: ({ topic, partitions, replicationFactor, configs }) =>
      run(async () => {
        const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
        const request = {
          topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }],
          validateOnly: false,
          timeout: config.requestTimeoutMs,
        };
        try {
          await withBroker((broker) => broker.createTopics(request));
        } catch (error) {
          if (typeOf(error) !== 'NOT_CONTROLLER') throw error;
          // Brokers that still have a ZooKeeper do not forward the request.
          await cluster.refreshMetadata();
          await (await findController()).createTopics(request);
        }
      }),
    async destroy() {
      destroyed = true;
      const error = destroyedError();
      const closed = [...sockets.keys()].map(
        (socket) => new Promise((resolve) => socket.once('close', resolve).destroy(error)),
      );
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise((resolve) => (timer = setTimeout(resolve, settleMs)));
      await Promise.race([Promise.allSettled([...closed, ...pending, producer.disconnect()]), patience]);
      clearTimeout(timer);
    },
  };
};

interface SharedCluster {
  readonly cluster: Cluster;
  readonly producer: Producer;
  readonly findController: () => Promise<Broker>;
}

/** A producer, and the cluster beneath it, which the instance keeps under a symbol. */
function shareCluster(kafka: Kafka, config: KafkaClientConfig, guard: (connection: Connection) => void): SharedCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const internals = kafka as unknown as Record<symbol, (options: object) => Cluster>;
  const createCluster = symbol === undefined ? undefined : internals[symbol];
  if (symbol === undefined || createCluster === undefined)
    throw new Error('This kafkajs is built otherwise than 2.2.4; install that version.');
  let cluster: Cluster | undefined;
  internals[symbol] = (options) => (cluster = createCluster(options));
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    idempotent: config.idempotent,
    maxInFlightRequests: config.idempotent ? 1 : (null as unknown as number),
    ...(config.transactionalId === undefined ? {} : { transactionalId: config.transactionalId }),
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  });
  if (cluster === undefined) throw new Error('This kafkajs is built otherwise than 2.2.4; install that version.');
  const builder = cluster.connectionPoolBuilder;
  const build = builder.build.bind(builder);
  const seeds = brokerAddresses(config.brokers);
  let next = 0;
  builder.build = async (to = {}) => {
    // kafkajs cannot read the address of an IPv6 broker, so it is told host and port.
    const seed = to.host === undefined ? seeds[next++ % seeds.length] : undefined;
    const pool = await build(seed ?? to);
    for (const connection of pool.pool) guard(connection);
    return pool;
  };
  leaveSilentSeeds(cluster);
  refuseLostPartitions(cluster);
  const findController = cluster.findControllerBroker.bind(cluster);
  // kafkajs has nobody else give it the number of a producer, and the one that metadata names may have died just now. Any broker gives one.
  const { brokerPool } = cluster;
  cluster.findControllerBroker = () => brokerPool.findConnectedBroker();
  return { cluster, producer, findController };
}

/** kafkajs asks the next broker of the list where one cannot be dialled, and one that takes the connection and says nothing for ever. */
function leaveSilentSeeds({ brokerPool: pool }: Cluster): void {
  const create = pool.createSeedBroker.bind(pool);
  pool.createSeedBroker = async () => {
    await create();
    const { seedBroker } = pool;
    const connect = seedBroker?.connect.bind(seedBroker);
    if (seedBroker === undefined || connect === undefined) return;
    seedBroker.connect = async () => {
      await connect().catch((error: unknown) => {
        throw nameOf(error) === 'KafkaJSRequestTimeoutError'
          ? Object.assign(error as Error, { name: 'KafkaJSConnectionError' })
          : error;
      });
    };
  };
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

/** kafkajs leaves out a partition that the topic lacks, and resolves the send of what it wrote nowhere; one without a leader would be a broker it does not know. */
function refuseLostPartitions(cluster: Cluster): void {
  const find = cluster.findLeaderForPartitions.bind(cluster);
  cluster.findLeaderForPartitions = (topic, partitions) => {
    const leaders = find(topic, partitions);
    if (Object.values(leaders).flat().length < partitions.length) {
      throw protocolError('The topic does not have the partition', {
        type: 'UNKNOWN_TOPIC_OR_PARTITION',
        code: 3,
        retriable: false,
      });
    }
    if (noLeader in leaders)
      throw protocolError('The partition has no leader', { type: 'LEADER_NOT_AVAILABLE', code: 5, retriable: true });
    return leaders;
  };
}

function protocolError(
  message: string,
  fields: { readonly type: string; readonly code: number; readonly retriable: boolean },
): Error {
  return Object.assign(new Error(message), { name: 'KafkaJSProtocolError', ...fields });
}

type BuiltInProvider = (args: { readonly saslAuthenticate: (exchange: SaslExchange) => Promise<unknown> }) => {
  authenticate(): Promise<void>;
};

interface SaslExchange {
  readonly request: unknown;
  readonly response?: { decode(bytes: Uint8Array): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
}

/** kafkajs puts its own authenticator on the object it is given: this one asks for credentials before each login, and keeps what made it fail. */
function saslOf({ sasl, credentials }: KafkaClientConfig): NonNullable<KafkaConfig['sasl']> {
  let builtIn: BuiltInProvider | undefined;
  const login = { username: '', password: '' };
  let token = '';
  const provider: BuiltInProvider = (args) => ({
    authenticate: async () => {
      const fresh = await credentials();
      Object.assign(login, { username: fresh['username'] ?? '', password: fresh['password'] ?? '' });
      token = fresh['token'] ?? '';
      let failure: unknown;
      const saslAuthenticate = async ({ request, response = refusal }: SaslExchange): Promise<unknown> => {
        try {
          return await args.saslAuthenticate({ request, response });
        } catch (error) {
          failure = error;
          throw error;
        }
      };
      try {
        await builtIn?.({ ...args, saslAuthenticate }).authenticate();
      } catch (error) {
        // kafkajs says "authentication failed" of a connection that broke meanwhile, too, and forgets why.
        throw failure ?? error;
      }
    },
  });
  const options = Object.defineProperty(
    { mechanism: sasl?.mechanism ?? 'plain', oauthBearerProvider: async () => ({ value: token }) },
    'authenticationProvider',
    {
      get: () => (builtIn === undefined ? undefined : provider),
      set: (given: BuiltInProvider) => {
        builtIn = given;
      },
    },
  );
  Object.defineProperties(options, {
    username: { get: () => login.username },
    password: { get: () => login.password },
  });
  return options as unknown as NonNullable<KafkaConfig['sasl']>;
}

/** A broker answers a token that it does not take with a success whose bytes, after their length, tell why; kafkajs would go on as if it had logged in. */
const refusal: NonNullable<SaslExchange['response']> = {
  decode: async (bytes) => bytes.length,
  parse: async (length) => {
    if (Number(length) > lengthBytes)
      throw Object.assign(new Error('The broker refused the token'), {
        name: 'KafkaJSSASLAuthenticationError',
        retriable: false,
      });
  },
};

async function partitionsOf(
  broker: Broker,
  topic: string,
): Promise<Pick<TopicDescription, 'partitions' | 'leaders'> | undefined> {
  try {
    const { brokers, topicMetadata } = await broker.metadata([topic]);
    const found = topicMetadata.find((each) => each.topic === topic)?.partitionMetadata;
    const partitions = found
      ?.map(({ partitionId, leader, replicas, isr }) => ({
        partition: partitionId,
        leader,
        replicas,
        inSyncReplicas: isr,
      }))
      .toSorted((a, b) => a.partition - b.partition);
    return partitions && { partitions, leaders: leadersAmong(brokers, partitions) };
  } catch (error) {
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  }
}

async function configsOf(broker: Broker, topic: string): Promise<TopicDescription['configs']> {
  try {
    const { resources } = await broker.describeConfigs({ resources: [{ type: topicResource, name: topic }] });
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    return Object.fromEntries(
      entries.flatMap(({ configName, configValue }) => (configValue === null ? [] : [[configName, configValue]])),
    );
  } catch (error) {
    if (typeOf(error).endsWith('_AUTHORIZATION_FAILED')) return undefined;
    throw error;
  }
}

/**
 * kafkajs is too old to ask for permissions. A broker looks at those before it looks for the partition: so a record for one that no topic
 * has is refused for the one reason or for the other, and written nowhere.
 */
async function permissionsOn(
  broker: Broker,
  topic: string,
  timeout: number,
): Promise<TopicDescription['authorizedOperations']> {
  const messages = [{ key: Buffer.alloc(0), value: Buffer.alloc(0) }];
  try {
    await broker.produce({
      acks: -1,
      timeout,
      topicData: [{ topic, partitions: [{ partition: 2 ** 31 - 1, firstSequence: 0, messages }] }],
    });
    return undefined;
  } catch (error) {
    const type = typeOf(error);
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return ['WRITE'];
    if (type === 'TOPIC_AUTHORIZATION_FAILED') return [];
    if (type === '') throw error;
    return undefined;
  }
}

function messageOf({ key, value, headers, timestamp }: KafkaRecord, partition: number): Message {
  return {
    key: bytesOf(key),
    value: value === null ? null : bytesOf(value),
    headers: { ...headers },
    timestamp: String(timestamp),
    partition,
  };
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The registry of codecs belongs to all who use kafkajs in this process: only an empty place is filled. */
function registerCodec(compression: Compression): void {
  if (compression === 'none' || compression === 'gzip') return;
  const slots = CompressionCodecs as unknown as Record<number, () => unknown>;
  const type = compressionTypes[compression];
  try {
    slots[type]?.();
  } catch {
    const codec = loadCodec(compression);
    const adapter = {
      compress: (encoder: { readonly buffer: Buffer }) => codec.compress(encoder.buffer),
      decompress: codec.decompress,
    };
    slots[type] = () => adapter;
  }
}

const levels: Readonly<Record<number, KafkaLogLine['level']>> = {
  [logLevels.ERROR]: 'error',
  [logLevels.WARN]: 'warn',
  [logLevels.INFO]: 'info',
  [logLevels.DEBUG]: 'debug',
};

function forwardLog(
  level: logLevel,
  { message, broker }: { readonly message: unknown; readonly broker?: unknown },
  log: KafkaClientConfig['log'],
): void {
  const text = message instanceof Error ? message.message : String(message);
  // Our own bound on retries is meant; and what quotes a message is cut before it does.
  if (text.startsWith('Limiting retries')) return;
  const shown = text.replace(/^(Invalid message\b).*$/su, '$1').slice(0, 300);
  log({ level: levels[level] ?? 'info', message: shown, ...(typeof broker === 'string' ? { broker } : {}) });
}

function destroyedError(): Error {
  return Object.assign(new Error('The client was destroyed'), { name: 'KafkaClientDestroyed', retriable: false });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** The name of the broker's error code, also of one that came with others. */
function typeOf(error: unknown): string {
  const { type, errors } = Object(error) as {
    readonly type?: unknown;
    readonly errors?: readonly { readonly type?: unknown }[];
  };
  const found = type ?? errors?.find((each) => each.type !== undefined)?.type;
  return typeof found === 'string' ? found : '';
}

/** Resolves when what was written before has left this process, or cannot any more. */
function flushed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.writableLength === 0 || socket.destroyed) resolve();
    else socket.write('', () => resolve());
  });
}

function noop(): void {}
