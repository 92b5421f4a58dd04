import { createEgressPolicy, createSinkRegistry, type KollectSink } from '@kollect/core';
import type { KafkaClient, KafkaClientFactory, ProduceBatch, TopicDescription } from './kafka-client.ts';
import { createKafkaSink } from './kafka-sink.ts';
import type { KafkaSpec } from './kafka-spec-schema.ts';

/** A request that a test lets end. */
export interface Gate {
  readonly batch: ProduceBatch;
  open(): void;
  fail(error: Error): void;
}

export interface FakeCluster {
  readonly factory: KafkaClientFactory;
  /** What was acknowledged, in order. */
  readonly log: ProduceBatch[];
  /** Requests in flight, where `held` is set. */
  readonly gates: Gate[];
  held: boolean;
  clients: number;
  /** Of the clients that have one, in the order in which they were made. */
  readonly transactionalIds: string[];
  destroyed: number;
  describes: number;
  transactions: string[];
  topic: TopicDescription | undefined;
  connect: () => Promise<void>;
  describe: () => Promise<TopicDescription | undefined>;
  /** After a transaction was asked for. */
  begin: () => Promise<void>;
}

export function partitionsOf(count: number, configs?: Readonly<Record<string, string>>): TopicDescription {
  const partitions = Array.from({ length: count }, (_, partition) => ({
    partition,
    leader: 1,
    replicas: [1],
    inSyncReplicas: [1],
  }));
  return { partitions, ...(configs === undefined ? {} : { configs }) };
}

/** A cluster in memory behind the port that both clients have. */
export function createFakeCluster(topic: TopicDescription | undefined = partitionsOf(1)): FakeCluster {
  const cluster: FakeCluster = {
    factory: ({ transactionalId }) => {
      cluster.clients += 1;
      if (transactionalId !== undefined) cluster.transactionalIds.push(transactionalId);
      return createFakeClient(cluster);
    },
    log: [],
    gates: [],
    held: false,
    clients: 0,
    transactionalIds: [],
    destroyed: 0,
    describes: 0,
    transactions: [],
    topic,
    connect: () => Promise.resolve(),
    describe: async () => cluster.topic,
    begin: () => Promise.resolve(),
  };
  return cluster;
}

function createFakeClient(cluster: FakeCluster): KafkaClient {
  const send: KafkaClient['send'] = async (batch) => {
    if (cluster.held) {
      await new Promise<void>((resolve, reject) => {
        cluster.gates.push({ batch, open: resolve, fail: reject });
      });
    }
    cluster.log.push(batch);
  };
  return {
    connect: () => cluster.connect(),
    send,
    async transaction(work) {
      cluster.transactions.push('begin');
      await cluster.begin();
      try {
        const result = await work(send);
        cluster.transactions.push('commit');
        return result;
      } catch (error) {
        cluster.transactions.push('abort');
        throw error;
      }
    },
    async describeTopic() {
      cluster.describes += 1;
      return cluster.describe();
    },
    async createTopic({ partitions, configs }, { validateOnly = false } = {}) {
      if (validateOnly) return;
      cluster.topic = partitionsOf(partitions, configs);
    },
    async destroy() {
      cluster.destroyed += 1;
    },
  };
}

/** A sink over the fake cluster. */
export function sinkOver(cluster: FakeCluster, spec: Partial<KafkaSpec> = {}): KollectSink {
  const registry = createSinkRegistry([createKafkaSink({ client: cluster.factory })], { egress: createEgressPolicy() });
  return registry.create(
    { type: 'kafka', kafka: { brokers: ['127.0.0.1:9092'], topic: 'inventory', ...spec } },
    { name: 'events' },
  );
}

/** Lets everything that is ready run. */
export async function turn(times = 10): Promise<void> {
  for (let count = 0; count < times; count += 1) await new Promise((resolve) => setImmediate(resolve));
}
