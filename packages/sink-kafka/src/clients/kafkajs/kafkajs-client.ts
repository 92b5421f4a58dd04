import kafkajs, { type Producer, type Transaction } from 'kafkajs';
import type { KafkaClientFactory, ProduceBatch } from '../../kafka-client.ts';
import { shareCluster } from './kafkajs-cluster.ts';
import { guardConnection } from './kafkajs-connection.ts';
import { guardDecoder } from './kafkajs-decoding.ts';
import { destroyedError, nameOf, typeOf } from './kafkajs-errors.ts';
import type { Broker } from './kafkajs-internals.ts';
import { forwardLog } from './kafkajs-log.ts';
import { acksNumbers, compressionTypes, messageOf, registerCodec } from './kafkajs-records.ts';
import { saslOf } from './kafkajs-sasl.ts';
import { createSockets } from './kafkajs-sockets.ts';
import { configsOf, partitionsOf, permissionsOn } from './kafkajs-topics.ts';

/** Rides out a new leader or a short restart, about three seconds; the waits are short, for none of them can be cancelled. */
const retry = { retries: 10, initialRetryTime: 100, multiplier: 2, maxRetryTime: 300 };
/** How long `destroy` waits for kafkajs to notice. */
const settleMs = 1_000;
const transactionCoordinator = 1;

/** A client on kafkajs. */
export const kafkajsClient: KafkaClientFactory = (config) => {
  registerCodec(config.compression);
  guardDecoder();
  const sockets = createSockets(config.egress);
  const pending = new Set<Promise<unknown>>();
  let destroyed = false;

  const kafka = new kafkajs.Kafka({
    brokers: [...config.brokers],
    clientId: config.clientId,
    connectionTimeout: config.connectTimeoutMs,
    authenticationTimeout: config.requestTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    retry,
    // Says that there is one; each connection gets its own below.
    ...(config.sasl === undefined ? {} : { sasl: saslOf(config) }),
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => {
      if (!destroyed) forwardLog(entry.level, entry.log, config.log);
    },
    socketFactory: sockets.make,
  });

  const { cluster, producer, findController } = shareCluster(kafka, config, (connection) =>
    guardConnection(connection, { config, sockets, isDestroyed: () => destroyed }),
  );
  producer.on(producer.events.REQUEST_TIMEOUT, ({ payload: { broker } }) => {
    // kafkajs would send the next request to the same dead end.
    sockets.drop(broker, Object.assign(new Error('A request timed out'), { code: 'ETIMEDOUT' }));
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
    if (config.acks === 'none') await sockets.flush();
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
        // kafkajs keeps what it knows for five minutes, and would send to no partition that came since.
        const known = cluster.brokerPool.metadata?.topicMetadata.find((each) => each.topic === topic);
        if (known !== undefined && known.partitionMetadata.length !== found.partitions.length)
          await cluster.refreshMetadata();
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
    createTopic: ({ topic, partitions, replicationFactor, configs }, { validateOnly = false } = {}) =>
      run(async () => {
        const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
        const request = {
          topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }],
          validateOnly,
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
      const closed = sockets.destroy(destroyedError());
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise((resolve) => (timer = setTimeout(resolve, settleMs)));
      await Promise.race([Promise.allSettled([closed, ...pending, producer.disconnect()]), patience]);
      clearTimeout(timer);
    },
  };
};

function noop(): void {}
