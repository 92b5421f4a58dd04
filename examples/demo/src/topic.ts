import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readSnapshots, type IncomingMessage, type InventoryEvent } from '@kollect/sink-kafka';
import { Consumer } from '@platformatic/kafka';

export const topic = 'kollect_demo';

/** The sink's resource, as an operator has it. */
export function kafkaResource(brokers: readonly string[]) {
  return {
    name: 'kafka',
    config: {
      type: 'kafka',
      kafka: {
        brokers: [...brokers],
        topic,
        topicProvisioning: 'create',
        newTopic: { partitions: 3, replicationFactor: 1 },
      },
    },
  } as const;
}

/** All messages of the topic, read as any consumer reads them. */
export async function readTopic(brokers: readonly string[]): Promise<readonly IncomingMessage[]> {
  const consumer = new Consumer({
    clientId: 'kollect-demo',
    groupId: `kollect-demo-${randomUUID()}`,
    bootstrapBrokers: [...brokers],
  });
  try {
    const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
    const left = new Map([...ends.entries()].filter(([, end]) => end > 0n));
    const messages: IncomingMessage[] = [];
    if (left.size === 0) return messages;
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 100 });
    const whole = new Promise<void>((resolve) => {
      stream.on('data', (message) => {
        messages.push(message);
        if (message.offset + 1n >= (left.get(message.partition) ?? 0n)) left.delete(message.partition);
        if (left.size === 0) resolve();
      });
    });
    await Promise.race([whole, once(stream, 'error').then(([error]) => Promise.reject(error))]);
    return messages;
  } finally {
    await consumer.close(true);
  }
}

/** What the messages say, joined and verified. */
export async function readEvents(messages: readonly IncomingMessage[]): Promise<readonly InventoryEvent[]> {
  const events: InventoryEvent[] = [];
  for await (const event of readSnapshots(messages)) events.push(event);
  return events;
}
