import type { Kafka, Producer } from 'kafkajs';
import { brokerAddresses } from '../broker-address.ts';
import type { KafkaClientConfig } from '../../kafka-client.ts';
import { kafkaError } from '../../kafka-errors.ts';
import { nameOf, protocolError } from './kafkajs-errors.ts';
import { noLeader, type Broker, type Cluster, type Connection } from './kafkajs-internals.ts';

export interface SharedCluster {
  readonly cluster: Cluster;
  readonly producer: Producer;
  readonly findController: () => Promise<Broker>;
}

/** A producer, and the cluster beneath it, which the instance keeps under a symbol. */
export function shareCluster(
  kafka: Kafka,
  config: KafkaClientConfig,
  guard: (connection: Connection) => void,
): SharedCluster {
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
  leaveSilentSeeds(cluster, seeds.length);
  refuseLostPartitions(cluster);
  const findController = cluster.findControllerBroker.bind(cluster);
  // kafkajs has nobody else give it the number of a producer, and the one that metadata names may have died just now. Any broker gives one.
  const { brokerPool } = cluster;
  cluster.findControllerBroker = () => brokerPool.findConnectedBroker();
  return { cluster, producer, findController };
}

/**
 * kafkajs asks the next broker of the list where one cannot be dialled, and one that takes the connection and says nothing again and again: a pass
 * over all that had to wait for one is enough, and so is one answer that no other attempt will change.
 */
function leaveSilentSeeds({ brokerPool: pool }: Cluster, seeds: number): void {
  const create = pool.createSeedBroker.bind(pool);
  let failed = 0;
  let silent = false;
  const startPass = (): void => {
    failed = 0;
    silent = false;
  };
  pool.createSeedBroker = async () => {
    await create();
    const { seedBroker } = pool;
    const connect = seedBroker?.connect.bind(seedBroker);
    if (seedBroker === undefined || connect === undefined) return;
    seedBroker.connect = async () => {
      try {
        await connect();
        startPass();
      } catch (error) {
        failed += 1;
        const { code, retryable } = kafkaError(error);
        silent ||= code === 'TIMEOUT';
        const hopeless = failed >= seeds && (silent || (seeds === 1 && !retryable));
        if (hopeless) startPass();
        const moveOn = nameOf(error) === 'KafkaJSRequestTimeoutError' ? { name: 'KafkaJSConnectionError' } : {};
        throw Object.assign(error as Error, moveOn, hopeless ? { retriable: false } : {});
      }
    };
  };
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
