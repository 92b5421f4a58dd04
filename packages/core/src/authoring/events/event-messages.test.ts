import { describe, expect, test } from '@jest/globals';
import { httpBinding, kafkaBinding, natsBinding, type EventBinding } from './event-binding.ts';
import { removalMessage, snapshotMessages, type EventMessage } from './event-messages.ts';
import { consumed, document, items, partsOf, scope, seal } from './events.fixture.ts';
import { readSnapshots } from './read-snapshots.ts';

const odd = { cluster: 'köln "1" 100%/a:b', inventoryNamespace: 'tëam', inventoryName: 'äll' };

const headersOf = async (binding: EventBinding): Promise<EventMessage['headers']> =>
  partsOf(await seal(odd), { ...document, binding, format: 'cloudevents' })[0]?.headers ?? {};

describe('bindings', () => {
  test('Kafka carries any text as it is', async () => {
    expect(await headersOf(kafkaBinding)).toMatchObject({
      'kollect.dev/cluster': odd.cluster,
      'kollect.dev/inventory': 'äll',
      ce_subject: 'tëam/äll',
      'content-type': 'application/json',
    });
  });

  test('NATS has the names of Kafka, the prefix of its own binding and printable ASCII alone', async () => {
    expect(await headersOf(natsBinding)).toMatchObject({
      'kollect.dev/cluster': 'k%C3%B6ln%20%221%22%20100%25/a:b',
      'ce-subject': 't%C3%ABam/%C3%A4ll',
    });
  });

  test('HTTP gets names that are tokens, and values that node:http takes', async () => {
    const headers = await headersOf(httpBinding);
    expect(headers).toMatchObject({ 'kollect-cluster': 'k%C3%B6ln%20%221%22%20100%25/a:b', 'ce-specversion': '1.0' });
    for (const [name, value] of Object.entries(headers)) {
      expect(name).toMatch(/^[a-z0-9-]+$/);
      expect(() => new Headers([[name, value]])).not.toThrow();
      expect(decodeURIComponent(value)).toBeDefined();
    }
  });

  test.each([['kafka', kafkaBinding] as const, ['nats', natsBinding] as const, ['http', httpBinding] as const])(
    'what is written for %s is read back, removals included',
    async (_name, binding) => {
      const messages = [
        ...partsOf(await seal({ items: items(3) }), { binding }),
        removalMessage(scope, { ...document, binding, removedAt: '2026-02-01T00:00:00.000Z' }),
      ];
      const types: string[] = [];
      for await (const event of readSnapshots(consumed(messages), { binding }))
        types.push(event.type === 'removed' ? `removed ${event.removedAt}` : event.type);
      expect(types).toEqual(['snapshot', 'removed 2026-02-01T00:00:00.000Z']);
    },
  );
});

test('the limit counts what the transport counts, and the total is known before anything is serialised', async () => {
  const snapshot = await seal({ items: items(10) });
  const framed = (framing: number) =>
    snapshotMessages(snapshot, {
      ...document,
      maxMessageBytes: 4_000,
      messageBytes: ({ valueBytes }) => framing + (valueBytes ?? 0),
    });
  expect([framed(0).total, framed(2_000).total]).toEqual([3, 10]);
  expect([...framed(0).messages()].every(({ value }) => (value?.byteLength ?? 0) <= 4_000)).toBe(true);
  expect(() => framed(4_000)).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE', sinkType: 'test' }));
});
