import { describe, expect, test } from '@jest/globals';
import { parseDocument } from '@kollect/core';
import { makeItems, makeSnapshot } from '@kollect/sink-testkit';
import { CloudEvent, Kafka, type KafkaMessage } from 'cloudevents';
import type { KafkaRecord } from '../../packages/sink-kafka/src/kafka-client.ts';
import { removalMessage, snapshotMessages } from '../../packages/sink-kafka/src/publishing/messages.fixture.ts';

const options = { format: 'cloudevents', headers: { team: 'portal' }, maxMessageBytes: 8_000 } as const;
const scope = { cluster: 'arn:aws:eks:eu-1:1/clüster #1', inventoryNamespace: 'team', inventoryName: 'all' };

/** The message as another client hands it to the SDK of CloudEvents. */
function consumed({ key, value, headers }: KafkaRecord): KafkaMessage<Buffer> {
  const bytes = Buffer.from(value ?? []);
  return { key: Buffer.from(key).toString('utf8'), value: bytes, body: bytes, headers: { ...headers } };
}

describe('the SDK of CloudEvents', () => {
  test('accepts every part as a valid event, with our attributes and our document', async () => {
    const snapshot = await makeSnapshot({ ...scope, items: makeItems({ count: 40, seed: 3 }) });
    const records = [...snapshotMessages(snapshot, options).records()];
    expect(records.length).toBeGreaterThan(2);
    const events = records.map((record) => Kafka.toEvent(consumed(record)) as CloudEvent<object>);
    for (const [index, event] of events.entries()) {
      expect(event.validate()).toBe(true);
      expect(event).toMatchObject({
        specversion: '1.0',
        type: 'dev.kollect.inventory.exported',
        source: '/clusters/arn%3Aaws%3Aeks%3Aeu-1%3A1%2Fcl%C3%BCster%20%231/inventories/team/all',
        subject: 'team/all',
        time: snapshot.exportedAt,
        datacontenttype: 'application/json',
        partitionkey: `${scope.cluster}:team/all`,
      });
      expect(records[index]?.headers['ce_partitionkey']).toBe(event['partitionkey']);
      expect(parseDocument(JSON.stringify(event.data))).toMatchObject({
        checksum: snapshot.checksum,
        partIndex: index,
        partTotal: records.length,
      });
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(records.length);
  });

  test('and writes the same headers for the same event', async () => {
    const snapshot = await makeSnapshot({ ...scope, count: 1 });
    const [record] = [...snapshotMessages(snapshot, options).records()] as [KafkaRecord];
    const event = Kafka.toEvent(consumed(record)) as CloudEvent<object>;
    const { headers } = Kafka.binary(event) as unknown as { readonly headers: Record<string, unknown> };
    // It writes the content type twice, where the binding wants it in content-type alone.
    const written = Object.entries(headers).filter(
      ([name, text]) => text !== undefined && name !== 'ce_datacontenttype',
    );
    expect(written).toHaveLength(8);
    expect(record.headers).toMatchObject(Object.fromEntries(written));
  });

  test('accepts the attributes of a removal, which has no data', () => {
    const { headers, value } = removalMessage(scope, { ...options, removedAt: '2026-01-31T12:00:00Z' });
    const attributes = Object.fromEntries(
      Object.entries(headers).flatMap(([name, text]) => (name.startsWith('ce_') ? [[name.slice(3), text]] : [])),
    );
    const event = new CloudEvent(attributes);
    expect(event.validate()).toBe(true);
    expect(event).toMatchObject({
      type: 'dev.kollect.inventory.removed',
      time: '2026-01-31T12:00:00.000Z',
      subject: 'team/all',
    });
    expect(value).toBeNull();
    expect(headers).not.toHaveProperty('content-type');
  });
});
