import { afterEach, expect, test } from '@jest/globals';
import { SinkError, type InventorySnapshot, type KollectSink } from '@kollect/core';
import type { NatsSpec } from '@kollect/sink-nats';
import { startFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts';
import { startNats, type NatsServer } from '../servers/nats.ts';
import { natsSinkOver, openTestStream, type TestStream } from '../support/nats.ts';
import { waitUntil } from '../support/wait-until.ts';
import { limit, snapshotAt } from './snapshots.ts';

const opened: { close(): Promise<unknown> }[] = [];
const sinks: KollectSink[] = [];
afterEach(async () => {
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
  for (const each of opened.splice(0).toReversed()) await each.close();
});

const start = async (nodes = 1): Promise<NatsServer> => {
  const server = await startNats({ nodes });
  opened.push({ close: () => server.stop() });
  return server;
};
const openStream = async (options: Parameters<typeof openTestStream>[0]): Promise<TestStream> => {
  const stream = await openTestStream(options);
  opened.push(stream);
  return stream;
};
const openProxy = async (server: NatsServer): Promise<FaultProxy> => {
  const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: server.ports[0] ?? 0 } });
  opened.push(proxy);
  return proxy;
};
const open = (stream: TestStream, server: NatsServer, spec: Partial<NatsSpec> = {}): KollectSink => {
  const sink = natsSinkOver({ stream, server, spec: { requestTimeout: '1s', connectTimeout: '2s', ...spec } });
  sinks.push(sink);
  return sink;
};
/** As core does: what is retryable is tried again. */
async function exportUntilDone(sink: KollectSink, snapshot: InventorySnapshot): Promise<string> {
  const failed: string[] = [];
  return waitUntil(
    async () => {
      try {
        return (await sink.export(snapshot, limit())).outcome;
      } catch (error) {
        const { retryable, message, code } = SinkError.from(error);
        if (!retryable) throw error;
        failed.push(`${code}: ${message}`);
        return undefined;
      }
    },
    { what: 'an export succeeds', timeoutMs: 60_000 },
  );
}

async function expectHeads(stream: TestStream, snapshots: readonly InventorySnapshot[]): Promise<void> {
  for (const { cluster = '_', inventoryNamespace, inventoryName, exportedAt, checksum } of snapshots) {
    const last = await stream.manager.streams.getMessage(stream.name, {
      last_by_subj: `${stream.prefix}.${cluster}.${inventoryNamespace}.${inventoryName}`,
    });
    const found = ['exported-at', 'checksum'].map((name) => last?.header.get(`kollect.dev/${name}`));
    expect([inventoryName, ...found]).toEqual([inventoryName, exportedAt, checksum]);
  }
}

/** The stream through a client that has met no fault, as soon as a leader of JetStream answers it. */
const lookAgain = (server: NatsServer, stream: TestStream): Promise<TestStream> =>
  waitUntil(() => openStream({ server, of: stream }).catch(() => undefined), {
    what: 'JetStream answers again',
    timeoutMs: 60_000,
  });

/** Exports ten inventories again and again until told to stop; gives the last acknowledged snapshot of each. */
function streamExports(sinkOf: () => KollectSink, spec: { readonly count?: number } = {}) {
  let stopped = false;
  let rounds = 0;
  const lanes = Array.from({ length: 10 }, async (_, lane) => {
    let last: InventorySnapshot | undefined;
    for (let round = 0; !stopped; round += 1) {
      const snapshot = await snapshotAt(round, { seed: round * 10 + lane, ...spec }, { inventoryName: `web-${lane}` });
      await exportUntilDone(sinkOf(), snapshot);
      last = snapshot;
      rounds += 1;
    }
    return last;
  });
  return {
    rounds: () => rounds,
    stop: async (): Promise<InventorySnapshot[]> => {
      stopped = true;
      return (await Promise.all(lanes)).flatMap((last) => last ?? []);
    },
  };
}

async function expectOrdered(stream: TestStream): Promise<void> {
  const bySubject = new Map<string, string[]>();
  for (const { subject, headers } of await stream.messages())
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), headers['kollect.dev/exported-at'] ?? '']);
  for (const times of bySubject.values()) expect(times).toEqual(times.toSorted());
}

test('a server that is killed and started again under a stream of exports loses and reorders nothing', async () => {
  const server = await start();
  const stream = await openStream({ server });
  const sink = open(stream, server, { maxMessageBytes: 4_096 });
  const exports = streamExports(() => sink, { count: 12 });
  for (let kills = 0; kills < 3; kills += 1) {
    const before = exports.rounds();
    await waitUntil(() => exports.rounds() > before + 30, { what: 'exports go on', timeoutMs: 60_000 });
    await server.kill();
    await server.start();
  }
  const last = await exports.stop();
  const look = await lookAgain(server, stream);
  await expectHeads(look, last);
  await expectOrdered(look);
}, 120_000);

test('the leader of the stream moves and dies under a stream of exports', async () => {
  const server = await start(3);
  const stream = await waitUntil(() => openStream({ server, config: { num_replicas: 3 } }).catch(() => undefined), {
    what: 'the cluster makes a stream',
    timeoutMs: 60_000,
  });
  const sink = open(stream, server, { minReplicas: 3 });
  const exports = streamExports(() => sink);
  const more = async (): Promise<void> => {
    const before = exports.rounds();
    await waitUntil(() => exports.rounds() > before + 20, { what: 'exports go on', timeoutMs: 60_000 });
  };
  await more();
  await stream.client.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream.name}`, '', { timeout: 5_000 });
  await more();
  const { cluster } = await stream.manager.streams.info(stream.name);
  const leader = Number(cluster?.leader?.at(-1));
  await server.kill(leader);
  await more();
  await server.start(leader);
  await more();
  const last = await exports.stop();
  const look = await lookAgain(server, stream);
  await expectHeads(look, last);
  await expectOrdered(look);
}, 180_000);

test('an outage that is longer than the client of NATS would try for is survived by the same sink', async () => {
  const server = await start();
  const stream = await openStream({ server });
  const sink = open(stream, server);
  await sink.export(await snapshotAt(0), limit());
  await server.kill();
  for (let attempts = 0; attempts < 25; attempts += 1)
    await expect(sink.export(await snapshotAt(1, { seed: 2 }), limit())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await server.start();
  expect((await sink.export(await snapshotAt(1, { seed: 2 }), limit())).outcome).toBe('applied');
}, 60_000);

test('a server that falls silent is given up in time, and a new connection takes over', async () => {
  const server = await start();
  const stream = await openStream({ server });
  const proxy = await openProxy(server);
  const sink = open(stream, server, { servers: [`127.0.0.1:${proxy.port}`] });
  await sink.export(await snapshotAt(0), limit());
  proxy.blackhole();
  await expect(sink.export(await snapshotAt(1, { seed: 2 }), limit())).rejects.toMatchObject({
    code: 'TIMEOUT',
    retryable: true,
  });
  proxy.heal();
  expect(['applied', 'unchanged']).toContain(await exportUntilDone(sink, await snapshotAt(2, { seed: 3 })));
}, 60_000);

test('connections that are reset again and again, between exports and in the middle of them, lose and reorder nothing', async () => {
  const server = await start();
  const stream = await openStream({ server });
  const proxy = await openProxy(server);
  const sink = open(stream, server, { servers: [`127.0.0.1:${proxy.port}`], maxMessageBytes: 4_096 });
  const exports = streamExports(() => sink, { count: 12 });
  for (let resets = 0; resets < 20; resets += 1) {
    const before = exports.rounds();
    if (resets % 2 === 0) proxy.reset();
    else await proxy.onBytes({ direction: resets % 4 === 1 ? 'toServer' : 'toClient', after: 3_000, fault: 'reset' });
    await waitUntil(() => exports.rounds() > before + 5, { what: 'exports go on', timeoutMs: 60_000 });
  }
  const last = await exports.stop();
  await expectHeads(stream, last);
  await expectOrdered(stream);
}, 120_000);

test('an answer that was lost: the next attempt finds the message at the head, and writes it no second time', async () => {
  const server = await start();
  const stream = await openStream({ server });
  const proxy = await openProxy(server);
  const sink = open(stream, server, { servers: [`127.0.0.1:${proxy.port}`] });
  await sink.export(await snapshotAt(0), limit());
  const snapshot = await snapshotAt(1, { seed: 2 });
  proxy.blackhole('toClient');
  await expect(sink.export(snapshot, limit())).rejects.toMatchObject({ code: 'TIMEOUT' });
  proxy.heal();
  await exportUntilDone(sink, snapshot);
  expect(await stream.messages()).toHaveLength(2);
}, 60_000);

test('a full stream that discards what is new is OVERLOADED, and holds what it held', async () => {
  const server = await start();
  const stream = await openStream({ server, config: { max_bytes: 100_000, discard: 'new' } });
  const sink = open(stream, server);
  await sink.export(await snapshotAt(0), limit());
  await expect(sink.export(await snapshotAt(1, { count: 300 }), limit())).rejects.toMatchObject({
    code: 'OVERLOADED',
    retryable: true,
    message: expect.stringContaining('JetStream error 10077'),
  });
  const parts = open(stream, server, { maxMessageBytes: 8_192 });
  await expect(parts.export(await snapshotAt(2, { count: 300 }), limit())).rejects.toMatchObject({
    code: 'OVERLOADED',
  });
  await expectHeads(stream, [await snapshotAt(0)]);
  await stream.update({ max_bytes: -1 });
  expect((await sink.export(await snapshotAt(3, { count: 300 }), limit())).outcome).toBe('applied');
});

test('a stream that was deleted is NOT_FOUND, and one that was made again is written in full', async () => {
  const server = await start();
  const stream = await openStream({ server });
  const sink = open(stream, server);
  const maker = open(stream, server, { provisioning: 'create' });
  await sink.export(await snapshotAt(0), limit());
  await maker.export(await snapshotAt(1, { seed: 2 }), limit());
  await stream.manager.streams.delete(stream.name);
  await expect(sink.export(await snapshotAt(2, { seed: 3 }), limit())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await exportUntilDone(maker, await snapshotAt(3, { seed: 4 }))).toBe('applied');
  expect(await exportUntilDone(sink, await snapshotAt(4, { seed: 5 }))).toBe('applied');
  expect(await stream.messages()).toHaveLength(2);
});

test('a payload that the server would not take goes out in parts, also where server or stream take less than before', async () => {
  const server = await startNats({ config: 'max_payload: 16KB' });
  opened.push({ close: () => server.stop() });
  const stream = await openStream({ server });
  const sink = open(stream, server);
  const { messages } = await sink.export(await snapshotAt(0, { count: 200 }), limit());
  expect(messages).toBeGreaterThan(2);
  await expect(sink.export(await snapshotAt(1, { count: 1, bytes: 20_000 }), limit())).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
  });
  await stream.update({ max_msg_size: 8_000 });
  // What the stream took before is known to this sink, and no longer true.
  const sizes = (await sink.export(await snapshotAt(2, { count: 200, seed: 2 }), limit())).messages;
  expect(sizes).toBeGreaterThan(messages);
  await stream.update({ max_msg_size: -1 });
  await server.reload('max_payload: 6KB');
  const fewer = (await sink.export(await snapshotAt(3, { count: 200, seed: 3 }), limit())).messages;
  expect(fewer).toBeGreaterThan(sizes);
});

test('a message that was stored when the server took larger ones is still read as the fence', async () => {
  const server = await start();
  const stream = await openStream({ server });
  await open(stream, server).export(await snapshotAt(5, { count: 300, bytes: 2_000 }), limit());
  await server.reload('max_payload: 16KB');
  expect((await open(stream, server).export(await snapshotAt(1), limit())).outcome).toBe('superseded');
  expect((await open(stream, server).export(await snapshotAt(6), limit())).outcome).toBe('applied');
});
