import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { KollectSink } from '@kollect/core';
import type { KafkaSpec } from '@kollect/sink-kafka';
import type { FaultProxy } from '../servers/fault-proxy.ts';
import { startKafka, type KafkaServer } from '../servers/kafka.ts';
import { waitUntil } from '../support/wait-until.ts';
import {
  clients,
  deliveredTimes,
  eventsIn,
  exportingSink,
  keyOf,
  outcomeOf,
  readBack,
  recordTimes,
  snapshotOf,
  watchSockets,
  type SocketWatch,
} from './exporting.ts';
import { limit } from './sink.ts';
import { openTestTopic, type TestTopic } from '../support/kafka.ts';

/** Several parts for the larger snapshots. */
const maxMessageBytes = 4_096;

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
  let sockets: SocketWatch;
  beforeEach(async () => {
    topic = await openTestTopic({ server });
    sockets = watchSockets([proxy.port]);
  });
  afterEach(async () => {
    proxy.heal();
    proxy.throttle(Infinity);
    await Promise.all(sinks.map((sink) => sink.close()));
    sinks = [];
    expect(sockets.open()).toEqual([]);
    sockets.stop();
    await topic.drop();
  });

  const open = (spec: Partial<KafkaSpec> = {}): KollectSink => {
    const sink = exportingSink(client, {
      brokers: server.listeners.proxied,
      topic: topic.name,
      maxMessageBytes,
      compression: 'none',
      ...spec,
    });
    sinks.push(sink);
    return sink;
  };
  const records = (committed = false) => readBack(server, topic.name, client, { committed });

  /** What an export ends with that is aborted once `reached` resolves; nothing of it stays on the caller's signal. */
  const aborted = async (
    sink: KollectSink,
    round: number,
    reached: () => Promise<unknown>,
    count = 3,
  ): Promise<string> => {
    const caller = new AbortController();
    const exporting = outcomeOf(sink.export(await snapshotOf('web', round, { count }), { signal: caller.signal }));
    await reached();
    caller.abort();
    const outcome = await exporting;
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
    return outcome;
  };
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  };
  const atOnce = async (): Promise<void> => undefined;
  const applied = async (sink: KollectSink, round: number): Promise<void> => {
    await expect(sink.export(await snapshotOf('web', round), limit())).resolves.toMatchObject({ outcome: 'applied' });
  };
  /** Resolves when so many bytes more than now went to the broker and no more go. */
  const holdAfter = (after: number) => proxy.onBytes({ direction: 'toServer', after, fault: 'blackhole' });

  test('before it began', async () => {
    const sink = open();
    const before = proxy.forwarded.toServer;
    await expect(sink.export(await snapshotOf('web', 0), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(proxy.forwarded.toServer).toBe(before);
    await applied(sink, 1);
    expect(recordTimes(await records(), 'web')).toHaveLength(1);
  });

  test('while it connects, or looks at the topic', async () => {
    const measured = open();
    const before = proxy.forwarded.toServer;
    await measured.open?.(limit());
    const bytes = proxy.forwarded.toServer - before;
    await measured.close();
    const sink = open();
    proxy.blackhole();
    expect(await aborted(sink, 0, () => waitUntil(() => sockets.open().length > 0, { what: 'it dials' }))).toBe(
      'ABORTED',
    );
    expect(sockets.open()).toEqual([]);
    proxy.heal();
    for (const share of [0.2, 0.6, 0.95]) {
      const fresh = open();
      const held = holdAfter(Math.ceil(bytes * share));
      expect(await aborted(fresh, 0, () => held)).toBe('ABORTED');
      expect(sockets.open()).toEqual([]);
      proxy.heal();
    }
    await applied(sink, 1);
    expect(recordTimes(await records(), 'web')).toEqual([(await snapshotOf('web', 1)).exportedAt]);
  });

  test('while it waits for its turn: nothing of it is sent, and what is before it goes on', async () => {
    const sink = open();
    await applied(sink, 0);
    proxy.blackhole('toClient');
    const before = proxy.forwarded.toServer;
    const first = outcomeOf(sink.export(await snapshotOf('first', 1), limit()));
    await waitUntil(() => proxy.forwarded.toServer > before, { what: 'the first one is in flight' });
    expect(await aborted(sink, 1, atOnce)).toBe('ABORTED');
    expect(await Promise.all([2, 3].map((round) => aborted(sink, round, turns)))).toEqual(['ABORTED', 'ABORTED']);
    proxy.heal();
    expect(await first).toBe('applied');
    await applied(sink, 4);
    const found = await records();
    expect(found.map(({ key }) => String(key))).toEqual([keyOf('web'), keyOf('first'), keyOf('web')]);
  });

  test('while the broker has it: it ends soon, and the next one is right', async () => {
    const sink = open();
    await applied(sink, 0);
    const sent = holdAfter(1);
    expect(await aborted(sink, 1, () => sent)).toBe('ABORTED');
    expect(sockets.open()).toEqual([]);
    proxy.heal();
    await applied(sink, 2);
    const times = recordTimes(await records(), 'web');
    expect(times.at(0)).toBe((await snapshotOf('web', 0)).exportedAt);
    expect(times).toContain((await snapshotOf('web', 2)).exportedAt);
  });

  test.each([false, true])(
    'between the parts of a snapshot (transactional: %s): no part follows, and no consumer is told of it',
    async (transactional) => {
      const sink = open({ transactional });
      await expect(sink.export(await snapshotOf('web', 0, { count: 60 }), limit())).resolves.toMatchObject({
        outcome: 'applied',
      });
      const before = proxy.forwarded.toServer;
      const { messages } = await sink.export(await snapshotOf('web', 1, { count: 60 }), limit());
      const bytes = proxy.forwarded.toServer - before;
      expect(messages).toBeGreaterThan(4);
      // Goes on, slowly: what is aborted is the export, and not what hangs.
      proxy.throttle(bytes / 2);
      const half = waitUntil(() => proxy.forwarded.toServer > before + bytes * 1.5, {
        what: 'half of the parts are sent',
      });
      expect(await aborted(sink, 2, () => half, 60)).toBe('ABORTED');
      proxy.throttle(Infinity);
      await expect(sink.export(await snapshotOf('web', 3, { count: 60 }), limit())).resolves.toMatchObject({
        outcome: 'applied',
      });
      const found = await records(transactional);
      const times = await Promise.all([0, 1, 2, 3].map(async (round) => (await snapshotOf('web', round)).exportedAt));
      const parts = recordTimes(found, 'web').filter((time) => time === times[2]).length;
      expect(parts).toBeLessThan(transactional ? 1 : messages);
      const events = await eventsIn(topic.name, found);
      expect(deliveredTimes(events, 'web')).toEqual([times[0], times[1], times[3]]);
    },
  );

  test('a deadline is a TIMEOUT, retryable, in the queue as in flight', async () => {
    const sink = open();
    await applied(sink, 0);
    proxy.blackhole();
    const outcomes = [1, 2, 3].map(async (round) =>
      outcomeOf(sink.export(await snapshotOf(`web-${round}`, round), { signal: AbortSignal.timeout(500) })),
    );
    expect(await Promise.all(outcomes)).toEqual(['TIMEOUT retryable', 'TIMEOUT retryable', 'TIMEOUT retryable']);
    proxy.heal();
    await applied(sink, 4);
  });

  test('the sink is closed while it exports: it ends ABORTED, and the sink twice or unopened closes', async () => {
    const sink = open();
    await applied(sink, 0);
    proxy.blackhole();
    const exporting = outcomeOf(sink.export(await snapshotOf('web', 1), limit()));
    const queued = outcomeOf(sink.export(await snapshotOf('web', 2), limit()));
    await Promise.all([sink.close(), sink.close()]);
    expect(await Promise.all([exporting, queued])).toEqual(['ABORTED', 'ABORTED']);
    expect(sockets.open()).toEqual([]);
    await sink.close();
    await expect(sink.export(await snapshotOf('web', 3), limit())).rejects.toMatchObject({ code: 'ABORTED' });
    await open().close();
  });
});
