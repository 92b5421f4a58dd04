import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { KollectSink } from '@kollect/core';
import type { FaultProxy } from '../servers/fault-proxy.ts';
import { startKafka, type KafkaServer } from '../servers/kafka.ts';
import { openTestTopic, type TestTopic } from '../support/kafka.ts';
import { waitUntil } from '../support/wait-until.ts';
import { clients, eventsIn, exportingSink, deliveredTimes, outcomeOf, readBack, snapshotOf } from './exporting.ts';
import { limit } from './sink.ts';

let server: KafkaServer;
let proxy: FaultProxy;
beforeAll(async () => {
  server = await startKafka({ proxied: true });
  const [first] = server.proxies;
  if (first === undefined) throw new Error('The server has no proxy.');
  proxy = first;
}, 120_000);
afterAll(() => server.stop());

describe.each(clients)('through $client', (client) => {
  let topic: TestTopic;
  let sinks: KollectSink[] = [];
  beforeEach(async () => {
    topic = await openTestTopic({ server });
  });
  afterEach(async () => {
    proxy.heal();
    await Promise.all(sinks.map((sink) => sink.close()));
    sinks = [];
    await topic.drop();
  });
  const open = (): KollectSink => {
    const spec = { brokers: server.listeners.proxied, topic: topic.name, transactional: true, maxMessageBytes: 4_096 };
    const sink = exportingSink(client, { ...spec, compression: 'none', requestTimeout: '10s' });
    sinks.push(sink);
    return sink;
  };
  const large = (round: number) => snapshotOf('web', round, { count: 60 });

  /** An export in parts whose connection falls silent when some of them are in the topic. */
  async function hangBetweenParts(
    sink: KollectSink,
    signal: AbortSignal,
  ): Promise<{ readonly outcome: Promise<string> }> {
    const before = proxy.forwarded.toServer;
    await sink.export(await large(0), limit());
    const bytes = proxy.forwarded.toServer - before;
    const start = await ends();
    const held = proxy.onBytes({ direction: 'toServer', after: Math.floor(bytes / 2), fault: 'blackhole' });
    const outcome = outcomeOf(sink.export(await large(1), { signal }));
    await held;
    // An open transaction: what is there is not what may be read.
    await waitUntil(async () => (await ends()) > start && (await ends(true)) < (await ends()), {
      what: 'parts are in the topic that nobody may read',
    });
    return { outcome };
  }
  const ends = async (committed = false): Promise<number> =>
    (await server.endOffsets(topic.name, { committed })).get(0) ?? 0;
  const committedTimes = async (inventory: string): Promise<string[]> =>
    deliveredTimes(
      await eventsIn(topic.name, await readBack(server, topic.name, client, { committed: true })),
      inventory,
    );

  // The brokers would end the transaction after a minute, as both clients ask for.
  test('a sink that is closed in a transaction leaves none open: who reads what is committed sees the next record', async () => {
    const sink = open();
    const { outcome } = await hangBetweenParts(sink, limit().signal);
    await sink.close();
    expect(await outcome).toBe('ABORTED');
    await open().export(await snapshotOf('next', 2), limit());
    expect(await ends(true)).toBe(await ends());
    expect(await committedTimes('next')).toEqual([(await snapshotOf('next', 2)).exportedAt]);
    expect(await committedTimes('web')).toEqual([(await large(0)).exportedAt]);
  }, 60_000);

  test('a transaction that a deadline cut off is ended without another export', async () => {
    const sink = open();
    const late = new AbortController();
    const { outcome } = await hangBetweenParts(sink, late.signal);
    late.abort(new DOMException('late', 'TimeoutError'));
    expect(await outcome).toBe('TIMEOUT retryable');
    await waitUntil(async () => (await ends(true)) === (await ends()), {
      what: 'nothing is open',
      timeoutMs: 20_000,
    });
    await expect(sink.export(await large(2), limit())).resolves.toMatchObject({ outcome: 'applied' });
    const times = await Promise.all([0, 2].map(async (round) => (await large(round)).exportedAt));
    expect(await committedTimes('web')).toEqual(times);
  }, 60_000);
});
