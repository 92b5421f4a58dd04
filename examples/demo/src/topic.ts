import { randomUUID } from 'node:crypto';
import { readSnapshots, type InventoryEvent } from '@kollect/sink-kafka';
import { Kafka, type KafkaMessage } from 'kafkajs';

export const topic = 'kollect_demo';

/** The sink's resource, as an operator has it. */
export function kafkaResource(brokers: readonly string[]) {
  return {
    name: 'kafka',
    config: { type: 'kafka', kafka: { brokers: [...brokers], topic, topicProvisioning: 'create', newTopic: { partitions: 3, replicationFactor: 1 } } },
  } as const;
}

/** A message of the topic, as a consumer gets it. */
export type TopicMessage = KafkaMessage & { readonly partition: number };

/** All messages of the topic, read as any consumer reads them. */
export async function readTopic(brokers: readonly string[]): Promise<readonly TopicMessage[]> {
  const kafka = new Kafka({ clientId: 'kollect-demo', brokers: [...brokers], logCreator: () => () => undefined });
  const groupId = `kollect-demo-${randomUUID()}`;
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId });
  await Promise.all([admin.connect(), consumer.connect()]);
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    const left = new Map(offsets.filter(({ high, low }) => BigInt(high) > BigInt(low)).map(({ partition, high }) => [partition, BigInt(high)]));
    const messages: TopicMessage[] = [];
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      if (left.size === 0) return resolve();
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      void consumer
        .run({
          eachMessage: async ({ partition, message }) => {
            messages.push({ ...message, partition });
            if (BigInt(message.offset) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition);
            if (left.size === 0) resolve();
          },
        })
        .catch(reject);
    });
    return messages;
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

/** What the messages say, joined and verified. */
export async function readEvents(messages: readonly TopicMessage[]): Promise<readonly InventoryEvent[]> {
  const events: InventoryEvent[] = [];
  for await (const event of readSnapshots(messages)) events.push(event);
  return events;
}
