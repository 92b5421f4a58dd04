import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SinkError, type KollectSink } from '@kollect/core';
import type { KafkaSpec } from '@kollect/sink-kafka';
import type { FaultProxy } from '../servers/fault-proxy.ts';
import { startKafka, type KafkaServer } from '../servers/kafka.ts';
import { waitUntil } from '../support/wait-until.ts';
import {
  clients,
  deliveredTimes,
  eventsIn,
  expectAcknowledged,
  exportingSink,
  inventoriesApart,
  outcomeOf,
  readBack,
  snapshotOf,
  streamExports,
  watchSockets,
  type SocketWatch,
} from './exporting.ts';
import { limit } from './sink.ts';
import { openTestTopic, type TestTopic } from '../support/kafka.ts';

const idle = { 'connections.max.idle.ms': '2500' };
const partitions = 12;
/** Several parts for the larger snapshots. */
const maxMessageBytes = 4_096;

let server: KafkaServer;
let proxy: FaultProxy;
beforeAll(async () => {
  server = await startKafka({ proxied: true, settings: idle });
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
    topic = await openTestTopic({ server, partitions });
    sockets = watchSockets([proxy.port]);
  });
  afterEach(async () => {
    proxy.heal();
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
      ...spec,
    });
    sinks.push(sink);
    return sink;
  };
  const records = () => readBack(server, topic.name, client);
  const times = async (inventory: string): Promise<string[]> =>
    deliveredTimes(await eventsIn(topic.name, await records()), inventory);

  test('a broker killed under a stream of exports loses nothing that was acknowledged', async () => {
    const sink = open();
    let restarted = false;
    const inventories = [...inventoriesApart(3, partitions), 'with-parts'];
    const rounds = Object.fromEntries(inventories.map((inventory) => [inventory, 0]));
    const atLeast = (count: number) => Object.values(rounds).every((round) => round >= count);
    const streams = inventories.map((inventory) => {
      const count = inventory === 'with-parts' ? 60 : 3;
      const ended = (): boolean => {
        rounds[inventory] = (rounds[inventory] ?? 0) + 1;
        return restarted && atLeast(5);
      };
      return streamExports(sink, { inventory, count, ended });
    });
    await waitUntil(() => atLeast(5), { what: 'the exports flow', timeoutMs: 20_000 });
    await server.restart('kill');
    const before = { ...rounds };
    await waitUntil(() => inventories.every((inventory) => (rounds[inventory] ?? 0) > (before[inventory] ?? 0) + 1), {
      what: 'the exports flow again',
      timeoutMs: 30_000,
    });
    restarted = true;
    const seen = await Promise.all(streams);
    const found = await records();
    for (const [at, { acknowledged }] of seen.entries()) {
      await expectAcknowledged(found, { topic: topic.name, inventory: inventories[at] ?? '', acknowledged });
    }
  }, 90_000);

  test('an address that the cluster names and that refuses is told, not the one in the spec', async () => {
    // Leads to the broker once: from then on, only the addresses that it advertises could be dialled, and they refuse.
    const ends: Socket[] = [];
    const bootstrap = createServer((near) => {
      const far = connect(proxy.port, '127.0.0.1', () => void proxy.refuse());
      near.pipe(far).pipe(near);
      ends.push(near, far);
      for (const socket of [near, far]) socket.on('error', () => undefined);
    });
    await once(bootstrap.listen(0, '127.0.0.1'), 'listening');
    const { port } = bootstrap.address() as AddressInfo;
    const sink = open({
      brokers: [`127.0.0.1:${port}`],
      deliveryTimeout: '5s',
      connectTimeout: '2s',
      requestTimeout: '2s',
    });
    try {
      const error = await sink.export(await snapshotOf('web', 0), limit()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining(`at 127.0.0.1:${proxy.port})`),
      });
      expect(error).toMatchObject({ message: expect.stringContaining('advertised.listeners') });
      expect(error).toMatchObject({ message: expect.not.stringContaining(String(port)) });
    } finally {
      await sink.close();
      bootstrap.close();
      await Promise.all(ends.map((socket) => new Promise((resolve) => socket.once('close', resolve).destroy())));
      await proxy.accept();
    }
  });

  test('connections that died while they rested cost the caller nothing', async () => {
    const sink = open();
    await sink.export(await snapshotOf('web', 0), limit());
    const closedByBroker = (): Promise<unknown> =>
      waitUntil(() => sockets.open().length === 0, { what: 'the broker closes what is idle', timeoutMs: 20_000 });
    const deaths = [
      closedByBroker,
      async () => proxy.cut(),
      async () => proxy.reset(),
      async () => proxy.cut('client'),
      async () => proxy.reset('client'),
    ];
    for (const [at, die] of deaths.entries()) {
      await die();
      await expect(sink.export(await snapshotOf('web', at + 1), limit())).resolves.toMatchObject({
        outcome: 'applied',
      });
    }
    expect(await times('web')).toHaveLength(1 + deaths.length);
  }, 60_000);

  const holes = {
    'a cable that is pulled': { fall: async () => proxy.blackhole(), rise: async () => proxy.heal() },
    'a broker that hangs': { fall: () => server.freeze(), rise: () => server.thaw() },
  };
  test.each(Object.entries(holes))(
    '%s ends an export at its deadline, those beside it retryable, and leaves no socket',
    async (_, { fall, rise }) => {
      const sink = open();
      const [web, ...others] = inventoriesApart(3, partitions);
      if (web === undefined) throw new Error('There is no inventory.');
      for (const inventory of [web, ...others]) await sink.export(await snapshotOf(inventory, 0), limit());
      await fall();
      try {
        const beside = await Promise.all(others.map((inventory) => snapshotOf(inventory, 1)));
        const exporting = beside.map((snapshot) => outcomeOf(sink.export(snapshot, limit())));
        const late = sink.export(await snapshotOf(web, 1), { signal: AbortSignal.timeout(1_000) });
        await expect(late).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
        expect(await Promise.all(exporting)).toEqual(['UNAVAILABLE retryable', 'UNAVAILABLE retryable']);
        expect(sockets.open()).toEqual([]);
      } finally {
        await rise();
      }
      const next = await Promise.all([web, ...others].map((inventory) => snapshotOf(inventory, 2)));
      for (const snapshot of next)
        await expect(sink.export(snapshot, limit())).resolves.toMatchObject({ outcome: 'applied' });
      const events = await eventsIn(topic.name, await records());
      for (const snapshot of next)
        expect(deliveredTimes(events, snapshot.inventoryName).at(-1)).toBe(snapshot.exportedAt);
    },
    60_000,
  );

  test('a black hole at any byte of a first export ends it at its deadline, and the next one is right', async () => {
    const measured = open();
    const before = proxy.forwarded.toServer;
    await measured.export(await snapshotOf('web', 0), limit());
    const bytes = proxy.forwarded.toServer - before;
    await measured.close();
    const steps = 6;
    const applied: string[] = [];
    for (let step = 0; step < steps; step += 1) {
      const sink = open();
      if (step === 0) proxy.blackhole();
      else
        void proxy.onBytes({
          direction: 'toServer',
          after: 1 + Math.floor((bytes * (step - 1)) / (2 * steps)),
          fault: 'blackhole',
        });
      const exporting = sink.export(await snapshotOf('web', 1 + 2 * step), { signal: AbortSignal.timeout(500) });
      await expect(exporting).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
      expect(sockets.open()).toEqual([]);
      proxy.heal();
      const next = await snapshotOf('web', 2 + 2 * step);
      await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied' });
      applied.push(next.exportedAt);
      await sink.close();
    }
    expect(await times('web')).toEqual(expect.arrayContaining(applied));
  }, 60_000);

  test('a connection that breaks at any byte of an export in parts leaves no half snapshot to a consumer, and the next one is right', async () => {
    const sink = open({ compression: 'none' });
    await sink.export(await snapshotOf('web', 0, { count: 40 }), limit());
    const before = { ...proxy.forwarded };
    const { messages } = await sink.export(await snapshotOf('web', 1, { count: 40 }), limit());
    expect(messages).toBeGreaterThan(3);
    const sent = {
      toServer: proxy.forwarded.toServer - before.toServer,
      toClient: proxy.forwarded.toClient - before.toClient,
    };
    const breaks = (['toServer', 'toClient'] as const).flatMap((direction) =>
      Array.from(
        { length: direction === 'toServer' ? 12 : 4 },
        (_, step, total = direction === 'toServer' ? 12 : 4) => ({
          direction,
          after: 1 + Math.floor((sent[direction] * step) / (total + 1)),
          fault: step % 2 === 0 ? ('cut' as const) : ('reset' as const),
        }),
      ),
    );
    let expected = 2;
    for (const [at, trigger] of breaks.entries()) {
      const hit = proxy.onBytes(trigger);
      const outcome = await outcomeOf(sink.export(await snapshotOf('web', 2 + 2 * at, { count: 40 }), limit()));
      expect(['applied', 'UNAVAILABLE retryable']).toContain(outcome);
      await hit;
      await expect(sink.export(await snapshotOf('web', 3 + 2 * at, { count: 40 }), limit())).resolves.toMatchObject({
        outcome: 'applied',
      });
      expected += outcome === 'applied' ? 2 : 1;
    }
    const found = await records();
    const delivered = deliveredTimes(await eventsIn(topic.name, found), 'web');
    expect(delivered).toEqual(delivered.toSorted());
    expect(delivered.at(-1)).toBe((await snapshotOf('web', 1 + 2 * breaks.length)).exportedAt);
    // Of an export that failed with its last acknowledgement, consumers may have all.
    expect(delivered.length).toBeGreaterThanOrEqual(expected);
    // What a client sends again because its acknowledgement was lost, the broker takes once.
    const parts = found.map(({ headers }) =>
      String(headers.filter(([name]) => /exported-at|part-index/u.test(name)).map(([, value]) => value)),
    );
    expect(parts.filter((part, at) => parts.indexOf(part) !== at)).toEqual([]);
  }, 90_000);

  test('a broker that cannot be reached is UNAVAILABLE, retryable, and named', async () => {
    const sink = open({ brokers: ['127.0.0.1:1'] });
    const error: unknown = await sink.export(await snapshotOf('web', 0), limit()).catch((reason: unknown) => reason);
    expect(SinkError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, message: expect.stringContaining(topic.name) });
  });
});
