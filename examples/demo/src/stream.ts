import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { readSnapshots, type InventoryEvent } from '@kollect/sink-nats';

export const stream = 'kollect_demo';

/** The sink's resource, as an operator has it. */
export function natsResource(servers: readonly string[]) {
  return {
    name: 'nats',
    config: { type: 'nats', nats: { servers: [...servers], stream, provisioning: 'create' } },
  } as const;
}

/** What the messages of the stream say, read as any consumer reads them, joined and verified. */
export async function readStream(servers: readonly string[]): Promise<readonly InventoryEvent[]> {
  const connection = await connect({ servers: [...servers] });
  try {
    const consumer = await jetstream(connection).consumers.get(stream);
    const { num_pending: total } = await consumer.info();
    const events: InventoryEvent[] = [];
    if (total === 0) return events;
    const messages = await consumer.fetch({ max_messages: total, expires: 5_000 });
    for await (const event of readSnapshots(messages)) events.push(event);
    return events;
  } finally {
    await connection.close();
  }
}
