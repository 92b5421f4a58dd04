import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fuzzProperty, fuzzTimeoutMs } from '../../contract/fuzz.fixture.ts';
import type { IncomingMessage } from './incoming-message.ts';
import type { EventMessage } from './event-messages.ts';
import { consumed, document, items, partsOf, removalOf, seal } from './events.fixture.ts';
import type { InventoryEvent } from './read-events.ts';
import { readSnapshots } from './read-snapshots.ts';

/** One thing that can be delivered: the records of a snapshot, or a removal. */
interface Announced {
  readonly name: string;
  readonly inventory: string;
  /** Rises with the time of the export, and is unlike that of any other of the inventory. */
  readonly time: number;
  readonly removal: boolean;
  readonly records: readonly EventMessage[];
}

/** A message, and which record of what it is. */
interface Sent {
  readonly of: Announced;
  readonly part: number;
}

const timeOf = (time: number): string => new Date(Date.UTC(2026, 0, 1, 0, time)).toISOString();
const garbage: EventMessage = {
  key: 'prod-eu-1:team/a',
  value: Buffer.from('{"checksum":'),
  headers: {},
  timestamp: 0,
};
const announced: Announced[] = [];

beforeAll(async () => {
  for (const inventory of ['a', 'b']) {
    for (let time = 1; time <= 5; time++) {
      const name = `${inventory}${time}`;
      const scope = { cluster: 'prod-eu-1', inventoryNamespace: 'team', inventoryName: inventory };
      if (time === 4) {
        announced.push({ name, inventory, time, removal: true, records: [removalOf(scope, timeOf(time))] });
        continue;
      }
      // The last one says what the first one said.
      const snapshot = await seal({
        inventoryName: inventory,
        exportedAt: timeOf(time),
        items: items(time === 5 ? 1 : time, `${time % 5 || 1}`),
      });
      announced.push({
        name,
        inventory,
        time,
        removal: false,
        records: time === 2 ? partsOf(snapshot, document) : partsOf(snapshot),
      });
    }
  }
});

/** Any stretch of any announcement, in order or not, many of them, interleaved at will. */
const deliveries = fc
  .array(fc.record({ of: fc.nat(9), upTo: fc.nat(4), shuffled: fc.boolean(), whole: fc.boolean() }), {
    minLength: 1,
    maxLength: 14,
  })
  .chain((batches) => {
    const sent = batches.map(({ of, upTo, shuffled, whole }) => {
      const announcement = announced[of] as Announced;
      const parts = announcement.records.map((_, part) => ({ of: announcement, part }));
      return (shuffled ? parts.toReversed() : parts).slice(0, whole ? undefined : Math.max(1, upTo));
    });
    return fc.record({
      sent: fc.constant(sent),
      order: fc.array(fc.nat(sent.length - 1), { maxLength: 60 }),
      noise: fc.array(fc.nat(60), { maxLength: 4 }),
    });
  })
  .map(({ sent, order, noise }) => interleave(sent, order, noise));

function interleave(
  batches: readonly (readonly Sent[])[],
  order: readonly number[],
  noise: readonly number[],
): (Sent | undefined)[] {
  const queues = batches.map((batch) => [...batch]);
  const merged: (Sent | undefined)[] = order.flatMap((index) => queues[index]?.splice(0, 1) ?? []);
  merged.push(...queues.flat());
  for (const at of noise) merged.splice(at, 0, undefined);
  return merged;
}

/** What a reader with all the memory in the world delivers: everything at the moment it is whole, unless it is older than what came before. */
function oracle(sent: readonly (Sent | undefined)[]): string[] {
  const newest = new Map<string, number>();
  return sent.flatMap((message, index) => {
    if (message === undefined) return [];
    const { of } = message;
    const seen = new Set(
      sent
        .slice(0, index + 1)
        .filter((other) => other?.of === of)
        .map((other) => other?.part),
    );
    if (seen.size < of.records.length || (newest.get(of.inventory) ?? 0) >= of.time) return [];
    newest.set(of.inventory, of.time);
    return [of.name];
  });
}

const messagesOf = (sent: readonly (Sent | undefined)[]): IncomingMessage[] =>
  consumed(sent.map((message) => message?.of.records[message.part] ?? garbage));

/** The name of what the event delivers. */
function nameOf(event: InventoryEvent): string | undefined {
  if (event.type === 'skipped') return undefined;
  const time = event.type === 'snapshot' ? event.document.exportedAt : event.removedAt;
  return announced.find(
    (one) =>
      one.inventory === event.scope.inventoryName &&
      timeOf(one.time) === time &&
      one.removal === (event.type === 'removed'),
  )?.name;
}

async function read(messages: readonly IncomingMessage[]): Promise<InventoryEvent[]> {
  const events: InventoryEvent[] = [];
  for await (const event of readSnapshots(messages)) events.push(event);
  return events;
}

const names = (events: readonly InventoryEvent[]): string[] => events.flatMap((event) => nameOf(event) ?? []);

test(
  'property: however deliveries interleave, repeat and break off, the news are those of the oracle',
  async () => {
    await fuzzProperty(
      fc.asyncProperty(deliveries, async (sent) => {
        const events = await read(messagesOf(sent));
        expect(names(events)).toEqual(oracle(sent));
        for (const event of events) {
          if (event.type === 'snapshot')
            expect(event.document.items).toHaveLength(Number(event.document.exportedAt.slice(15, 16)) % 5 || 1);
        }
      }),
      400,
    );
  },
  fuzzTimeoutMs,
);

test(
  'property: whoever starts again at a committed offset misses nothing',
  async () => {
    await fuzzProperty(
      fc.asyncProperty(deliveries, fc.nat(100), async (sent, at) => {
        const messages = messagesOf(sent);
        const events = (await read(messages)).filter((event) => event.committable !== undefined);
        const cut = at % (events.length + 1);
        const dealtWith = events.slice(0, cut);
        const start = Number(dealtWith.at(-1)?.committable?.offset ?? 0n);
        const known = new Set([...names(dealtWith), ...names(await read(messages.slice(start)))]);
        expect(oracle(sent).filter((name) => !known.has(name))).toEqual([]);
      }),
      400,
    );
  },
  fuzzTimeoutMs,
);
