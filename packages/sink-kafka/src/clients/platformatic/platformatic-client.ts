import { ProduceAcks, ProtocolError } from '@platformatic/kafka';
import type { Acks, KafkaClient, KafkaClientFactory, KafkaRecord, ProduceBatch } from '../../kafka-client.ts';
import { closedError } from './platformatic-failures.ts';
import { GuardedProducer } from './platformatic-producer.ts';
import { createTopic, describeTopic } from './platformatic-topics.ts';

type VendorTransaction = Awaited<ReturnType<GuardedProducer['beginTransaction']>>;

const acksNumbers: Readonly<Record<Acks, number>> = {
  all: ProduceAcks.ALL,
  leader: ProduceAcks.LEADER,
  none: ProduceAcks.NO_RESPONSE,
};

/** A client on `@platformatic/kafka`, to be passed to the sink in place of the default. */
export const platformaticClient: KafkaClientFactory = (config) => {
  // A transaction needs both, whatever the config says.
  const transactional = config.transactionalId !== undefined;
  const producer = new GuardedProducer({ ...config, idempotent: config.idempotent || transactional });
  const pending = new Set<(error: Error) => void>();
  /** Settles when the client is destroyed, whatever the library is waiting for. */
  const untilClosed = <T>(work: () => Promise<T>): Promise<T> => {
    if (producer.closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      pending.add(reject);
      const settle = (action: () => void): void => {
        pending.delete(reject);
        action();
      };
      work().then(
        (result) => settle(() => resolve(result)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  };

  const produce = async (
    { topic, partition, records }: ProduceBatch,
    transaction?: VendorTransaction,
  ): Promise<void> => {
    producer.expectPartition(topic, partition);
    const messages = records.map((record) => messageOf(record, topic, partition));
    const acks = acksNumbers[config.acks];
    try {
      await producer.sendPrepared(topic, () =>
        transaction === undefined ? producer.send({ messages, acks }) : transaction.send({ messages }),
      );
    } catch (error) {
      const { partitionsCount = Infinity } = producer.currentMetadata?.topics.get(topic) ?? {};
      if (partition < partitionsCount) throw error;
      // Without its cause, which says that this partition has no leader.
      throw new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION');
    }
    // Nobody acknowledges; but what this process still holds would be lost with `destroy`.
    if (config.acks === 'none') await producer.flush();
  };

  // One at a time, for the producer has one transaction.
  let previous: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const running = previous.then(work);
    previous = running.catch(() => undefined);
    return running;
  };
  // After a failure the broker may hold a transaction of ours, or know other sequence numbers than we do: a new epoch ends both.
  let unsure = false;
  const begin = async (): Promise<VendorTransaction> => {
    try {
      const transaction = await producer.beginTransaction({});
      if (unsure) await producer.initIdempotentProducer({});
      unsure = false;
      return transaction;
    } catch (error) {
      await producer.transaction?.cancel();
      throw error;
    }
  };
  const runTransaction = async <T>(work: (send: KafkaClient['send']) => Promise<T>): Promise<T> => {
    const transaction = await begin();
    let sending: Promise<unknown> | undefined;
    // In turn: the library registers the partitions of one send at a time, and takes a second one for done.
    const send = (batch: ProduceBatch): Promise<void> => {
      const sent = (sending ?? Promise.resolve()).then(() => produce(batch, transaction));
      sending = sent.catch(() => undefined);
      return untilClosed(() => sent);
    };
    try {
      const result = await work(send);
      await sending;
      // The broker refuses to end a transaction that it has heard nothing of.
      await (sending === undefined ? transaction.cancel() : transaction.commit());
      return result;
    } catch (error) {
      unsure = true;
      await sending;
      await transaction.abort().catch(() => undefined);
      await producer.transaction?.cancel();
      throw error;
    }
  };
  const transaction: KafkaClient['transaction'] = (work) => untilClosed(() => inTurn(() => runTransaction(work)));

  return {
    connect: () =>
      untilClosed(async () => {
        await producer.metadata({ topics: [], forceUpdate: true, retries: 0 });
        if (transactional) await inTurn(async () => (await begin()).cancel());
        else if (config.idempotent) await producer.initIdempotentProducer({});
      }),
    send: (batch) => (transactional ? transaction((send) => send(batch)) : untilClosed(() => produce(batch))),
    transaction,
    describeTopic: (topic, options = {}) => untilClosed(() => describeTopic(producer, topic, options)),
    createTopic: (topic, { validateOnly = false } = {}) =>
      untilClosed(() => createTopic(producer, topic, { timeoutMs: config.requestTimeoutMs, validateOnly })),
    async destroy() {
      for (const reject of pending) reject(closedError());
      pending.clear();
      await producer.destroy().catch(() => undefined);
    },
  };
};

function messageOf(
  { key, value, headers, timestamp }: KafkaRecord,
  topic: string,
  partition: number,
): Parameters<GuardedProducer['send']>[0]['messages'][number] {
  return {
    topic,
    partition,
    key: bytesOf(key),
    // The library's type knows no tombstone; its encoder writes null as one.
    value: (value === null ? null : bytesOf(value)) as Buffer,
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
    timestamp: BigInt(timestamp),
  };
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
