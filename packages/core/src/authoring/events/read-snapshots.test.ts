import { describe, expect, test } from '@jest/globals';
import { wholeDocument } from '../../contract/document/document.ts';
import { mergeItems } from '../../contract/snapshot/merge-items.ts';
import { parseDocument, snapshotFromDocument } from '../../contract/document/read-document.ts';
import type { SnapshotInput } from '../../contract/snapshot/seal-snapshot.ts';
import type { InventorySnapshot, Item } from '../../contract/snapshot/snapshot.ts';
import type { IncomingMessage } from './incoming-message.ts';
import type { EventMessage } from './event-messages.ts';
import { consumed, document, items, partsOf, removalOf, scope, seal } from './events.fixture.ts';
import type { InventoryEvent } from './read-events.ts';
import { readSnapshots, type ReadSnapshotsOptions } from './read-snapshots.ts';

const minute = (number: number): string => `2026-01-31T12:${String(number).padStart(2, '0')}:00.000Z`;
const snapshotAt = (number: number, changes: Partial<SnapshotInput> = {}, count = 3): Promise<InventorySnapshot> =>
  seal({ exportedAt: minute(number), items: items(count, `at ${number}`), ...changes });

async function read(messages: readonly IncomingMessage[], options?: ReadSnapshotsOptions): Promise<InventoryEvent[]> {
  const events: InventoryEvent[] = [];
  for await (const event of readSnapshots(messages, options)) events.push(event);
  return events;
}

const readRecords = (records: readonly EventMessage[], options?: ReadSnapshotsOptions) =>
  read(consumed(records), options);

/** `snapshot 12:01`, `removed`, `skipped torn 2/3`: events as short as they can be told apart. */
function brief(event: InventoryEvent): string {
  if (event.type === 'snapshot') return `snapshot ${event.document.exportedAt.slice(11, 16)}`;
  if (event.type === 'removed') return 'removed';
  return `skipped ${event.reason}${event.parts === undefined ? '' : ` ${event.parts.received}/${event.parts.total}`}`;
}

const committable = ({ committable: at }: InventoryEvent) => (at === undefined ? undefined : Number(at.offset));

describe('reading snapshots', () => {
  test('a whole document comes as it was sealed, with its place', async () => {
    const snapshot = await seal();
    const [event, ...others] = await read(consumed(partsOf(snapshot, document), { partition: 3, from: 41 }));
    expect(others).toEqual([]);
    expect(event).toEqual({
      type: 'snapshot',
      scope,
      document: parseDocument(wholeDocument(snapshot).bytes()),
      complete: true,
      position: { topic: 'inventory', partition: 3, offset: 41n },
      committable: { topic: 'inventory', partition: 3, offset: 42n },
    });
  });

  test('parts become one document, in whatever order and however often they come', async () => {
    const snapshot = await snapshotAt(1, { incompleteTargets: ['nodes'] }, 5);
    const [a, b, c, d, e] = partsOf(snapshot) as [EventMessage, EventMessage, EventMessage, EventMessage, EventMessage];
    for (const order of [
      [a, b, c, d, e],
      [e, c, a, a, d, b],
      [d, d, a, b, c, e],
    ]) {
      const [event, ...others] = await readRecords(order);
      expect(others).toEqual([]);
      if (event?.type !== 'snapshot') throw new Error('No snapshot came.');
      expect(event.document).toEqual(parseDocument(wholeDocument(snapshot).bytes()));
      expect(await snapshotFromDocument(event.document)).toEqual(snapshot);
    }
  });

  test('a consumer that keeps what was cut short ends with what a store has', async () => {
    const kind = (targetName: string, count: number, text: string) =>
      items(count, text).map((item) => ({ ...item, targetName, uid: `${targetName} ${item.uid}` }));
    const [pods, nodes] = [kind('pods', 3, 'old'), kind('nodes', 2, 'old')];
    const cut = { items: kind('pods', 1, 'new'), incompleteTargets: ['team/pods'] };
    const records = [
      ...partsOf(await snapshotAt(1, { items: [...pods, ...nodes] })),
      ...partsOf(await snapshotAt(2, cut), document),
    ];
    let held: readonly Item[] = [];
    const complete: boolean[] = [];
    for (const event of await readRecords(records)) {
      if (event.type !== 'snapshot') throw new Error('No snapshot came.');
      complete.push(event.complete);
      held = event.complete ? event.document.items : mergeItems(event.document, held);
    }
    expect(complete).toEqual([true, false]);
    expect(held).toEqual([...kind('pods', 1, 'new'), ...pods.slice(1)]);
  });

  test('both formats are the same to a reader', async () => {
    const [plain] = await readRecords(partsOf(await snapshotAt(1)));
    const [event] = await readRecords(partsOf(await snapshotAt(1), { format: 'cloudevents' }));
    expect(event).toEqual(plain);
  });

  test('what came already is a duplicate, whole or in parts', async () => {
    const parts = partsOf(await snapshotAt(1));
    const [whole] = partsOf(await snapshotAt(1), document) as [EventMessage];
    expect((await readRecords([...parts, ...parts, whole])).map(brief)).toEqual([
      'snapshot 12:01',
      ...Array<string>(4).fill('skipped duplicate'),
    ]);
  });

  test('what is older than the last is superseded', async () => {
    const [older] = partsOf(await snapshotAt(1), document) as [EventMessage];
    const events = await readRecords([...partsOf(await snapshotAt(2)), ...partsOf(await snapshotAt(1)), older]);
    expect(events.map(brief)).toEqual(['snapshot 12:02', ...Array<string>(4).fill('skipped superseded')]);
    expect(events.at(-1)).toMatchObject({ scope, exportedAt: minute(1) });
  });

  test('a newer export of the same items is news, unless it was asked to be none', async () => {
    const records = await Promise.all(
      [1, 2, 3].map(async (number) =>
        partsOf(await seal({ exportedAt: minute(number), generation: number === 3 ? 8 : 7 }), document),
      ),
    );
    expect((await readRecords(records.flat())).map(brief)).toEqual([
      'snapshot 12:01',
      'snapshot 12:02',
      'snapshot 12:03',
    ]);
    // A new generation says something else, with the same items.
    expect((await readRecords(records.flat(), { skipUnchanged: true })).map(brief)).toEqual([
      'snapshot 12:01',
      'skipped unchanged',
      'snapshot 12:03',
    ]);
  });

  test('and it is news after a removal, asked or not', async () => {
    const [first, second] = await Promise.all(
      [1, 3].map(async (number) => partsOf(await seal({ exportedAt: minute(number) }), document)),
    );
    const records = [...(first ?? []), removalOf(scope, minute(2)), ...(second ?? [])];
    expect((await readRecords(records, { skipUnchanged: true })).map(brief)).toEqual([
      'snapshot 12:01',
      'removed',
      'snapshot 12:03',
    ]);
  });

  test('going back to old items is news', async () => {
    const records = await Promise.all(
      ['a', 'b', 'a'].map(async (text, index) =>
        partsOf(await seal({ exportedAt: minute(index), items: items(2, text) })),
      ),
    );
    expect((await readRecords(records.flat(), { skipUnchanged: true })).map(brief)).toEqual([
      'snapshot 12:00',
      'snapshot 12:01',
      'snapshot 12:02',
    ]);
  });

  test('inventories of other names, clusters and topics are others', async () => {
    const others = [{ inventoryName: 'other' }, { inventoryNamespace: 'other' }, { cluster: 'other' }, { cluster: '' }];
    const snapshots = await Promise.all([snapshotAt(2), ...others.map((changes) => snapshotAt(1, changes))]);
    expect((await readRecords(snapshots.flatMap((snapshot) => partsOf(snapshot)))).map(brief)).toEqual([
      'snapshot 12:02',
      ...Array<string>(4).fill('snapshot 12:01'),
    ]);
    const message = consumed(partsOf(await seal(), document))[0] as IncomingMessage;
    expect((await read([message, { ...message, topic: 'another' }])).map(brief)).toEqual([
      'snapshot 12:00',
      'snapshot 12:00',
    ]);
  });
});

describe('sets that are torn', () => {
  test('a newer snapshot begins before the older is whole', async () => {
    const [older, newer] = [partsOf(await snapshotAt(1)), partsOf(await snapshotAt(2))];
    const events = await readRecords([...older.slice(0, 2), ...newer]);
    expect(events.map(brief)).toEqual(['snapshot 12:02', 'skipped torn 2/3']);
    expect(events[1]).toMatchObject({ scope, exportedAt: minute(1), parts: { received: 2, total: 3 } });
  });

  test('a newer one that never becomes whole does not take the older one with it', async () => {
    const [older, newer] = [partsOf(await snapshotAt(1)), partsOf(await snapshotAt(2))];
    const [a, b, c] = older as [EventMessage, EventMessage, EventMessage];
    expect((await readRecords([a, ...newer.slice(0, 2), b, c])).map(brief)).toEqual([
      'snapshot 12:01',
      'skipped incomplete 2/3',
    ]);
  });

  test('an attempt that was cut otherwise makes room for the next', async () => {
    const snapshot = await snapshotAt(1, {}, 6);
    const cut = (maxMessageBytes: number) => partsOf(snapshot, { maxMessageBytes, headers: {} });
    // Three parts each: of two items, and of three, two and one.
    const even = cut(3_200);
    const sizes = even.map(({ value }) => parseDocument(value ?? '').itemCount);
    expect(sizes).toEqual([2, 2, 2]);
    const [head, , tail] = otherwise(snapshot, [3, 2, 1]) as [EventMessage, EventMessage, EventMessage];
    expect((await readRecords([head, ...even])).map(brief)).toEqual(['snapshot 12:01']);
    const mixed = await readRecords([tail, ...even]);
    expect(mixed.map(brief)).toEqual(['skipped invalid 3/3', 'snapshot 12:01']);
    expect(mixed[0]).toMatchObject({ scope, error: { code: 'SNAPSHOT_INVALID', operation: 'read' } });
  });

  test('an attempt in fewer parts is a set of its own', async () => {
    const snapshot = await snapshotAt(1, {}, 6);
    const [head] = otherwise(snapshot, [4, 2]) as [EventMessage];
    expect((await readRecords([head, ...partsOf(snapshot)])).map(brief)).toEqual([
      'snapshot 12:01',
      'skipped torn 1/2',
    ]);
  });

  test('one that got no further part is given up after so many messages', async () => {
    const parts = partsOf(await snapshotAt(1)).slice(0, 2);
    const others = await Promise.all(
      [1, 2, 3, 4].map(async (number) => partsOf(await snapshotAt(number, { inventoryName: 'other' }), document)),
    );
    const events = await readRecords([...parts, ...others.flat()], { maxPendingMessages: 2 });
    expect(events.map(brief)).toEqual([
      'snapshot 12:01',
      'snapshot 12:02',
      'snapshot 12:03',
      'skipped torn 2/3',
      'snapshot 12:04',
    ]);
    expect(events.map(committable)).toEqual([0, 0, 5, 5, 6]);
  });

  test('more bytes than may wait are let go, the set that waits longest first', async () => {
    const of = async (inventoryName: string, count = 3) => partsOf(await snapshotAt(1, { inventoryName }, count));
    const [a, b] = [await of('a'), await of('b')];
    const bytes = a.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);
    const events = await readRecords([...a.slice(0, 2), ...b], { maxPendingBytes: bytes });
    expect(events.map(brief)).toEqual(['skipped limit 2/3', 'snapshot 12:01']);
    expect(events[0]).toMatchObject({ scope: { inventoryName: 'a' } });
    // What was let go counts no more, and neither does what was delivered.
    const again = await readRecords([...a.slice(0, 2), ...b, ...(await of('c')), ...(await of('d'))], {
      maxPendingBytes: bytes,
    });
    expect(again.map(brief)).toEqual(['skipped limit 2/3', ...Array<string>(3).fill('snapshot 12:01')]);
    const [c, d] = [await of('c', 4), await of('d')] as [EventMessage[], EventMessage[]];
    const busy = await readRecords([...c.slice(0, 1), ...d.slice(0, 1), ...c.slice(1)], { maxPendingBytes: bytes });
    expect(busy.map(brief)).toEqual(['skipped limit 1/3', 'snapshot 12:01']);
    // A part that came again counts once.
    expect(
      (await readRecords([...a.slice(0, 2), ...a.slice(0, 2), ...a], { maxPendingBytes: bytes })).map(brief),
    ).toEqual(['snapshot 12:01']);
    expect((await readRecords(await of('e', 5), { maxPendingBytes: bytes })).map(brief)).toEqual([
      'skipped limit 4/5',
      'skipped incomplete 1/5',
    ]);
  });
});

describe('removals', () => {
  const first = async () => partsOf(await snapshotAt(1));

  test('end an inventory, once', async () => {
    const events = await readRecords([
      ...(await first()),
      removalOf(scope, minute(2)),
      removalOf(scope, minute(2)),
      ...partsOf(await snapshotAt(3)),
    ]);
    expect(events.map(brief)).toEqual(['snapshot 12:01', 'removed', 'skipped duplicate', 'snapshot 12:03']);
    expect(events[1]).toMatchObject({ scope, removedAt: minute(2) });
  });

  test('are fenced as snapshots are, in both directions', async () => {
    const late = await readRecords([...partsOf(await snapshotAt(3)), removalOf(scope, minute(2))]);
    expect(late.map(brief)).toEqual(['snapshot 12:03', 'skipped superseded']);
    const revenant = await readRecords([removalOf(scope, minute(2)), ...partsOf(await snapshotAt(1), document)]);
    expect(revenant.map(brief)).toEqual(['removed', 'skipped superseded']);
  });

  test('tear what was not whole', async () => {
    const events = await readRecords([...(await first()).slice(0, 1), removalOf(scope, minute(2))]);
    expect(events.map(brief)).toEqual(['removed', 'skipped torn 1/3']);
  });

  test('by a tombstone that does not say when, too; what was delivered before does not come back', async () => {
    const bare = { ...removalOf(scope, minute(2)), headers: {} };
    const events = await readRecords([
      ...(await first()),
      bare,
      bare,
      ...(await first()),
      ...partsOf(await snapshotAt(0)),
      ...partsOf(await snapshotAt(4)),
    ]);
    expect(events.map(brief)).toEqual([
      'snapshot 12:01',
      'removed',
      'skipped duplicate',
      ...Array<string>(3).fill('skipped duplicate'),
      ...Array<string>(3).fill('skipped superseded'),
      'snapshot 12:04',
    ]);
    expect(events[1]).not.toHaveProperty('removedAt');
  });
});

describe('messages that make no sense', () => {
  const good = async () => partsOf(await seal(), document)[0] as EventMessage;
  const damaged: [string, (record: EventMessage) => Partial<IncomingMessage>][] = [
    ['no JSON', () => ({ value: Buffer.from('hello') })],
    ['an empty value', () => ({ value: Buffer.alloc(0) })],
    ['another JSON', () => ({ value: '{"a":1}' })],
    ['bytes that are no UTF-8', () => ({ value: Buffer.from([0xff, 0xfe]) })],
    ['no key', () => ({ key: null })],
    ['a key that is no UTF-8', () => ({ key: Buffer.from([0xff]) })],
    ['the key of another inventory', () => ({ key: 'prod-eu-1:team/other' })],
    ['a tombstone without a key', () => ({ key: null, value: null })],
    ['a tombstone whose key is no UTF-8', () => ({ key: Buffer.from('team/\xff', 'latin1'), value: null })],
    ['a tombstone of something else', () => ({ key: 'user-17', value: null })],
    ['a tombstone with another time', () => ({ value: null, headers: { 'kollect.dev/removed-at': 'yesterday' } })],
    [
      'a changed item',
      ({ value }) => ({
        value: Buffer.from(value ?? [])
          .toString('utf8')
          .replace('web-000', 'web-001'),
      }),
    ],
    ['a time to come', () => ({ value: null, headers: { 'kollect.dev/removed-at': '2999-01-01T00:00:00.000Z' } })],
  ];

  test.each(damaged)('%s is skipped, and reading goes on', async (_name, change) => {
    const record = await good();
    const [broken, whole] = consumed([record, record]) as [IncomingMessage, IncomingMessage];
    const events = await read([{ ...broken, ...change(record) }, whole]);
    expect(events.map(brief)).toEqual(['skipped invalid', 'snapshot 12:00']);
    expect(events[0]).toMatchObject({ error: { code: 'SNAPSHOT_INVALID', operation: 'read' } });
    expect(events.map(committable)).toEqual([1, 2]);
  });

  test('an export from the future is refused, and shuts nobody out', async () => {
    const now = () => new Date(minute(10));
    const records = [...partsOf(await snapshotAt(21), document), ...partsOf(await snapshotAt(20), document)];
    expect((await readRecords(records, { now })).map(brief)).toEqual(['skipped invalid', 'snapshot 12:20']);
  });

  test('parts whose items do not have the checksum are refused', async () => {
    const [a, b, c] = consumed(partsOf(await snapshotAt(1))) as [IncomingMessage, IncomingMessage, IncomingMessage];
    const changed = Buffer.from(b.value as Uint8Array)
      .toString('utf8')
      .replace('at 1', 'at 2');
    const swap = (message: IncomingMessage, from: number, to: number): IncomingMessage => ({
      ...message,
      value: Buffer.from(message.value as Uint8Array)
        .toString('utf8')
        .replace(`"partIndex":${from}`, `"partIndex":${to}`),
    });
    expect((await read([a, { ...b, value: changed }, c])).map(brief)).toEqual([
      'skipped invalid 3/3',
      'skipped incomplete 3/3',
    ]);
    expect((await read([swap(a, 0, 1), swap(b, 1, 0), c])).map(brief)).toEqual([
      'skipped invalid 3/3',
      'skipped incomplete 3/3',
    ]);
  });

  test('no event shows what is in an item', async () => {
    const events = await Promise.all(
      damaged.map(async ([, change]) => read([{ ...consumed([await good()])[0], ...change(await good()) }])),
    );
    expect(events.flat().every(({ type }) => type === 'skipped')).toBe(true);
    expect(
      events
        .flat()
        .map((event) => (event.type === 'skipped' ? String(event.error) : ''))
        .join(),
    ).not.toMatch(/filler|üü|user-17/);
  });
});

describe('what may be committed', () => {
  test('is never beyond the first part of a set that is not whole', async () => {
    const parts = partsOf(await snapshotAt(1));
    const [one, two] = await Promise.all(
      [1, 2].map(async (number) => partsOf(await snapshotAt(number, { inventoryName: 'other' }), document)),
    );
    const events = await readRecords([...(one ?? []), ...parts.slice(0, 2), ...(two ?? []), ...parts.slice(2)]);
    expect(events.map(brief)).toEqual(['snapshot 12:01', 'snapshot 12:02', 'snapshot 12:01']);
    expect(events.map(committable)).toEqual([1, 1, 5]);
  });

  test('is told for each partition', async () => {
    const parts = consumed(partsOf(await snapshotAt(1)).slice(0, 2), { partition: 1, from: 1 });
    const other = consumed(partsOf(await snapshotAt(1, { inventoryName: 'other' }), document), {
      partition: 2,
      from: 7,
    });
    const events = await read([...parts, ...other]);
    expect(events[0]?.committable).toEqual({ topic: 'inventory', partition: 2, offset: 8n });
    expect(events[1]).not.toHaveProperty('committable');
  });

  test('is not told of messages without offsets', async () => {
    const { offset: _offset, ...message } = consumed(partsOf(await seal(), document))[0] as IncomingMessage;
    const [event] = await read([message]);
    expect(event?.type).toBe('snapshot');
    expect(event).not.toHaveProperty('committable');
  });
});

describe('a source', () => {
  test('is closed by whoever stops reading, and its failure is the reader’s', async () => {
    let closed = false;
    async function* source() {
      try {
        yield* consumed(partsOf(await snapshotAt(1), document));
        throw new Error('the broker went away');
      } finally {
        closed = true;
      }
    }
    for await (const event of readSnapshots(source())) {
      expect(event.type).toBe('snapshot');
      break;
    }
    expect(closed).toBe(true);
    await expect(async () => {
      for await (const event of readSnapshots(source())) expect(event.type).toBe('snapshot');
    }).rejects.toThrow('the broker went away');
  });
});

/** Parts with as many items as told, as another exporter might cut them. */
function otherwise(snapshot: InventorySnapshot, counts: readonly number[]): EventMessage[] {
  const { items, ...fields } = parseDocument(wholeDocument(snapshot).bytes());
  const [record] = partsOf(snapshot, document) as [EventMessage];
  let from = 0;
  return counts.map((itemCount, partIndex) => {
    const part = {
      ...fields,
      partIndex,
      partTotal: counts.length,
      itemCount,
      items: items.slice(from, (from += itemCount)),
    };
    return { ...record, value: Buffer.from(JSON.stringify(part)) };
  });
}
