import { describe, expect, test } from '@jest/globals';
import {
  documentSchemaVersion,
  joinParts,
  parseDocument,
  SinkError,
  wholeDocument,
  type Item,
  type SealedItem,
} from '@kollect/core';
import type { KafkaRecord } from '../kafka-client.ts';
import {
  document,
  exportedAt,
  items,
  onePartPerItem,
  partsOf,
  removalMessage,
  scope,
  seal,
  snapshotMessages,
} from './messages.fixture.ts';
import { recordSize } from './record-size.ts';

const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('utf8');

const tooLarge = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (SinkError.isInstance(error) && error.code === 'PAYLOAD_TOO_LARGE') return error.message;
    throw error;
  }
  throw new Error('Expected PAYLOAD_TOO_LARGE, and nothing was thrown.');
};

describe('the message of a snapshot', () => {
  test('has the key, the document and the headers of the data contract, then the static ones', async () => {
    const snapshot = await seal();
    const messages = snapshotMessages(snapshot, { ...document, headers: { team: 'portal' } });
    const [record, ...others] = [...messages.records()];
    expect(others).toEqual([]);
    expect(messages.total).toBe(1);
    expect(text(messages.key)).toBe('prod-eu-1:team/all');
    expect(text(record?.key)).toBe('prod-eu-1:team/all');
    expect(text(record?.value)).toBe(text(wholeDocument(snapshot).bytes()));
    expect(record?.timestamp).toBe(Date.parse(exportedAt));
    expect(Object.entries(record?.headers ?? {})).toEqual([
      ['kollect.dev/cluster', 'prod-eu-1'],
      ['kollect.dev/namespace', 'team'],
      ['kollect.dev/inventory', 'all'],
      ['kollect.dev/gvk', 'v1/Pod'],
      ['kollect.dev/generation', '7'],
      ['kollect.dev/checksum', snapshot.checksum],
      ['kollect.dev/schema-version', documentSchemaVersion],
      ['kollect.dev/exported-at', exportedAt],
      ['content-type', 'application/json'],
      ['team', 'portal'],
    ]);
  });

  test('names a kind only where there is one, and a cluster only where there is one', async () => {
    const headersOf = async (changes: Parameters<typeof seal>[0]) =>
      Object.keys(partsOf(await seal(changes), document)[0]?.headers ?? {});
    const differing = (changes: Partial<Item>) => [
      ...items(1),
      ...items(1).map((item) => ({ ...item, ...changes, uid: 'other' })),
    ];
    expect(await headersOf({ items: differing({}) })).toContain('kollect.dev/gvk');
    expect(await headersOf({ items: [] })).not.toContain('kollect.dev/gvk');
    for (const changes of [{ kind: 'Service' }, { version: 'v2' }, { group: 'apps' }])
      expect(await headersOf({ items: differing(changes) })).not.toContain('kollect.dev/gvk');
    expect(await headersOf({ cluster: '' })).not.toContain('kollect.dev/cluster');
  });

  test('says the time in CloudEvents ids, so that going back to old items is a new event, and is otherwise the same each time', async () => {
    const idsOf = async (changes: Parameters<typeof seal>[0], maxMessageBytes?: number) =>
      partsOf(await seal({ items: items(3), ...changes }), {
        format: 'cloudevents',
        ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
      }).map(({ headers }) => headers['ce_id']);
    const ids = [
      ...(await idsOf({})),
      ...(await idsOf({}, 900_000)),
      ...(await idsOf({ exportedAt: '2026-01-31T12:00:00.001Z' })),
      ...(await idsOf({ inventoryName: 'other' })),
      ...(await idsOf({ items: items(3, 'changed') })),
    ];
    expect(new Set(ids).size).toBe(13);
    expect(await idsOf({})).toEqual(ids.slice(0, 3));
  });
});

describe('parts', () => {
  test('carry index and total in their headers, the key of the whole, and join again', async () => {
    const snapshot = await seal({ items: items(4) });
    const records = partsOf(snapshot);
    expect(
      records.map(({ headers }) => [headers['kollect.dev/part-index'], headers['kollect.dev/part-total']]),
    ).toEqual(['0', '1', '2', '3'].map((index) => [index, '4']));
    expect(new Set(records.map(({ key }) => text(key)))).toEqual(new Set(['prod-eu-1:team/all']));
    expect(joinParts(records.map(({ value }) => parseDocument(value ?? ''))).checksum).toBe(snapshot.checksum);
  });

  test.each(['document', 'cloudevents'] as const)('keep the limit by a byte and use it up, as %s', async (format) => {
    const snapshot = await seal({ items: items(120) });
    const whole = partsOf(snapshot, { format, maxMessageBytes: 10_000_000 }) as [KafkaRecord];
    const limit = recordSize(whole[0]);
    expect(partsOf(snapshot, { format, maxMessageBytes: limit })).toHaveLength(1);
    const halves = partsOf(snapshot, { format, maxMessageBytes: limit - 1 });
    expect(halves).toHaveLength(2);
    for (let maxMessageBytes = 3_300; maxMessageBytes < 5_500; maxMessageBytes += 11) {
      const sizes = partsOf(snapshot, { format, maxMessageBytes }).map(recordSize);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(maxMessageBytes);
      // Another item of this size would not have fitted.
      expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(maxMessageBytes - 1_100);
    }
  });

  test('are serialised one at a time, as they are asked for, and again when asked again', async () => {
    const snapshot = await seal({ items: items(5) });
    let reads = 0;
    const watched = snapshot.items.map((item): SealedItem => ({
      ...item,
      attributes: item.attributes,
      get json() {
        reads++;
        return item.json;
      },
    }));
    const messages = snapshotMessages(
      { ...snapshot, items: watched },
      { ...document, maxMessageBytes: onePartPerItem },
    );
    const sized = reads;
    const iterator = messages.records()[Symbol.iterator]();
    expect(reads).toBe(sized);
    const first: unknown = iterator.next().value;
    expect(reads).toBe(sized + 1);
    expect([...messages.records()][0]).toEqual(first);
    expect(messages.total).toBe(5);
  });

  test('an item that fits into no message is refused before anything is serialised, with both limits', async () => {
    const snapshot = await seal({
      items: [...items(1), ...items(1, 'secret'.repeat(800)).map((item) => ({ ...item, uid: 'big', name: 'big' }))],
    });
    const message = tooLarge(() => snapshotMessages(snapshot, { ...document, maxMessageBytes: 4_000 }));
    expect(message).toContain('prod-eu-1:team/all');
    expect(message).toContain('Pod shop/big');
    expect(message).toContain('a message may have 4000 bytes (maxMessageBytes)');
    expect(message).not.toContain('secret');
  });

  test('headers that leave no room for a document are refused as such', async () => {
    const snapshot = await seal();
    expect(
      tooLarge(() =>
        snapshotMessages(snapshot, { ...document, headers: { large: 'x'.repeat(2_000) }, maxMessageBytes: 1_800 }),
      ),
    ).toContain('fewer headers');
  });
});

describe('the message of a removal', () => {
  test('is a tombstone whose headers say which inventory and when, in UTC', () => {
    const record = removalMessage(scope, {
      ...document,
      removedAt: '2026-01-31T14:00:00+01:00',
      headers: { team: 'portal' },
    });
    expect(text(record.key)).toBe('prod-eu-1:team/all');
    expect(record.value).toBeNull();
    expect(record.timestamp).toBe(Date.parse('2026-01-31T13:00:00.000Z'));
    expect(record.headers).toEqual({
      'kollect.dev/cluster': 'prod-eu-1',
      'kollect.dev/namespace': 'team',
      'kollect.dev/inventory': 'all',
      'kollect.dev/schema-version': documentSchemaVersion,
      'kollect.dev/removed-at': '2026-01-31T13:00:00.000Z',
      team: 'portal',
    });
  });

  test('without a time is refused', () => {
    expect(() => removalMessage(scope, { ...document, removedAt: 'yesterday' })).toThrow(
      expect.objectContaining({ code: 'CONTRACT_VIOLATION' }),
    );
  });
});
