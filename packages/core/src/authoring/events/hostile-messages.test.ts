import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { damage, fuzz, fuzzTimeoutMs } from '../../contract/fuzz.fixture.ts';
import type { Item } from '../../contract/snapshot/snapshot.ts';
import type { EventMessage } from './event-messages.ts';
import { consumed, document, items, partsOf, removalOf, scope, seal } from './events.fixture.ts';
import { programPath } from './hostile-messages.fixture.ts';
import type { IncomingMessage } from './incoming-message.ts';
import type { InventoryEvent } from './read-events.ts';
import { readSnapshots } from './read-snapshots.ts';

async function read(messages: readonly IncomingMessage[]): Promise<InventoryEvent[]> {
  const events: InventoryEvent[] = [];
  for await (const event of readSnapshots(messages, { now: () => new Date('2026-03-01T00:00:00Z') }))
    events.push(event);
  return events;
}

const textOf = ({ value }: IncomingMessage): string => Buffer.from(value ?? '').toString('utf8');

describe('a message of 30 MB that would be a gigabyte of objects is read with a heap of 48 MB', () => {
  test.each([
    ['empty items', 'skipped invalid Inventory team/a, item 0 of the list: targetNamespace is missing'],
    ['an item full of lists', 'snapshot'],
    ['the same, not canonical', 'skipped invalid Inventory team/a, item 0 of the list: it has 30000'],
    ['nothing but depth', 'skipped invalid The document is not valid JSON'],
    ['a field of lists', "skipped invalid The document's incompleteTargets has 30000001 bytes"],
    ['an unknown field of lists', 'snapshot'],
    ['parts without end', 'skipped incomplete'],
  ])('%s', async (name, expected) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=48', programPath, name]);
    expect(JSON.parse(stdout)).toEqual([expect.stringContaining(expected)]);
  });
});

describe('what is too large is not looked into', () => {
  test('and comes as skipped, with the scope of its key', async () => {
    const [message] = consumed(partsOf(await seal({ items: items(5) }), document)) as [IncomingMessage];
    const size = (message.value ?? '').length;
    const types: string[] = [];
    for (const maxValueBytes of [size, size - 1]) {
      for await (const event of readSnapshots([message, { ...message, value: textOf(message) }], {
        maxValueBytes,
      })) {
        types.push(event.type === 'skipped' ? event.reason : event.type);
        expect(event.scope).toEqual(scope);
      }
    }
    // As text it has fewer characters than bytes.
    expect(types).toEqual(['snapshot', 'duplicate', 'limit', 'limit']);
  });

  test('and so are sets of one inventory without end', async () => {
    const firstParts: EventMessage[] = [];
    for (let minute = 0; minute < 59; minute++) {
      for (const generation of [1, 2]) {
        const exportedAt = `2026-01-31T12:${String(minute).padStart(2, '0')}:00.000Z`;
        firstParts.push(...partsOf(await seal({ items: items(2), generation, exportedAt })).slice(0, 1));
      }
    }
    const events = await read(consumed(firstParts));
    const reasons = events.map((event) => (event.type === 'skipped' ? event.reason : event.type));
    expect(reasons).toEqual([...Array<string>(54).fill('limit'), ...Array<string>(64).fill('incomplete')]);
    expect(events[0]).toMatchObject({ exportedAt: '2026-01-31T12:00:00.000Z' });
  });

  test('and a set that never joins is given up', async () => {
    const [a, b] = consumed(partsOf(await seal({ items: items(2) }))) as [IncomingMessage, IncomingMessage];
    const changed = { ...b, value: Buffer.from(textOf(b).replace('web-001', 'web-002')) };
    const events = await read([a, ...Array.from({ length: 17 }, () => changed)]);
    expect(events.map((event) => (event.type === 'skipped' ? event.reason : event.type))).toEqual([
      ...Array<string>(16).fill('invalid'),
      'incomplete',
    ]);
    expect(events.at(-1)).toMatchObject({ parts: { received: 1, total: 2 } });
  });
});

describe('fuzz', () => {
  let good: readonly EventMessage[];
  /** Items by checksum. */
  let sent: ReadonlyMap<string, readonly Item[]>;

  beforeAll(async () => {
    const snapshots = await Promise.all(
      [1, 2, 3].map((minute) =>
        seal({ exportedAt: `2026-01-31T12:0${minute}:00.000Z`, items: items(minute, `${minute}`) }),
      ),
    );
    sent = new Map(snapshots.map(({ checksum, items }) => [checksum, items.map((item) => ({ ...item }))]));
    good = [...snapshots.flatMap((snapshot) => partsOf(snapshot)), removalOf(scope, '2026-01-31T12:30:00.000Z')];
  });

  test(
    'damaged messages among good ones never end it, and what is delivered is what was sent',
    () =>
      fuzz(400, async (random) => {
        const messages = consumed(
          Array.from({ length: 12 }, () => good[random(good.length)] as EventMessage).map((message) => {
            if (random(3) > 0) return message;
            const value = message.value === null ? null : damage(message.value, random);
            const headers = Object.fromEntries(
              Object.entries(message.headers).map(([name, text]) => [
                name,
                random(4) === 0 ? damage(Buffer.from(text), random).toString() : text,
              ]),
            );
            const key = random(4) === 0 ? damage(Buffer.from(message.key), random).toString() : message.key;
            return { ...message, key, value, headers };
          }),
        );
        const events = await read(messages);
        for (const event of events) {
          if (event.type === 'skipped') {
            if (event.error !== undefined)
              expect(event.error).toMatchObject({ code: 'SNAPSHOT_INVALID', operation: 'read' });
            continue;
          }
          // A damaged key of a removal is that of another inventory.
          if (event.type === 'snapshot') expect(sent.get(event.document.checksum)).toEqual(event.document.items);
        }
        expect(
          events.filter(({ committable, position }) => (committable === undefined) !== (position === undefined)),
        ).toEqual([]);
      }),
    fuzzTimeoutMs,
  );
});
