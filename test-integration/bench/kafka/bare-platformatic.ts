import { compatibilityPartitioner, Producer, ProduceAcks } from '@platformatic/kafka';
import type { BareClient, ContenderOptions } from './contender.ts';

/** @platformatic/kafka as its documentation shows it, idempotent as the sink is. */
export async function createBarePlatformatic({ broker, topic, benchCase }: ContenderOptions): Promise<BareClient> {
  const producer = new Producer({
    clientId: 'bench',
    bootstrapBrokers: [broker],
    idempotent: true,
    acks: ProduceAcks.ALL,
    compression: benchCase.compression,
    partitioner: compatibilityPartitioner,
  });
  return {
    async send(key, value, headers = {}) {
      const bytes = new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]));
      await producer.send({ messages: [{ topic, key, value, headers: bytes }] });
    },
    close: () => producer.close(),
  };
}
