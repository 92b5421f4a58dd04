import { describe, expect, test } from '@jest/globals';
import { readSnapshots, type IncomingMessage, type InventoryEvent } from '@kollect/core';
import type { Message, MessagesStream } from '@platformatic/kafka';
import type { EachMessagePayload } from 'kafkajs';
import { exportedAt, removalOf, scope } from './messages.fixture.ts';

async function read(messages: readonly IncomingMessage[]): Promise<InventoryEvent[]> {
  const events: InventoryEvent[] = [];
  for await (const event of readSnapshots(messages)) events.push(event);
  return events;
}

describe('messages as clients hand them out', () => {
  test('kafkajs: a record of headers, buffers, offsets as text', async () => {
    const { key, headers } = removalOf(scope, exportedAt);
    const message: EachMessagePayload['message'] = {
      key: Buffer.from(key),
      value: null,
      offset: '12345678901234567890',
      timestamp: '0',
      attributes: 0,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          name.endsWith('removed-at') ? [Buffer.from(value), 'second'] : Buffer.from(value),
        ]),
      ),
    };
    const [event] = await read([{ topic: 't', partition: 1, ...message }]);
    expect(event).toMatchObject({
      type: 'removed',
      removedAt: exportedAt,
      committable: { topic: 't', partition: 1, offset: 12345678901234567891n },
    });
  });

  test('@platformatic/kafka: a map of buffers, offsets as bigint', async () => {
    const { key, headers } = removalOf(scope, exportedAt);
    const map = new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]));
    const readsStream: (stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>) => AsyncIterable<InventoryEvent> =
      readSnapshots;
    expect(readsStream).toBe(readSnapshots);
    const message: Pick<
      Message<Buffer, Buffer | undefined>,
      'topic' | 'partition' | 'offset' | 'key' | 'value' | 'headers'
    > = {
      topic: 't',
      partition: 1,
      offset: 7n,
      key: Buffer.from(key),
      value: undefined,
      headers: map,
    };
    expect((await read([message]))[0]).toMatchObject({ type: 'removed', removedAt: exportedAt });
    expect(
      (
        await read([{ ...message, headers: new Map([...map].map(([name, value]) => [String(name), String(value)])) }])
      )[0],
    ).toMatchObject({ removedAt: exportedAt });
  });
});
