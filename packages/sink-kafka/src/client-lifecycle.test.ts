import { describe, expect, jest, test } from '@jest/globals';
import { sealSnapshot, type InventorySnapshot, type Item } from '@kollect/core';
import { createFakeCluster, partitionsOf, sinkOver, turn } from './fake-client.fixture.ts';
import type { KafkaClient, KafkaClientFactory, ProduceBatch } from './kafka-client.ts';

const { signal } = new AbortController();

function snapshot(name = 'web', at = 0, items: readonly Item[] = []): Promise<InventorySnapshot> {
  return sealSnapshot({
    inventoryNamespace: 'team',
    inventoryName: name,
    generation: 1,
    exportedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, at)),
    items,
  });
}

/** For snapshots in four parts. */
const inParts = { maxMessageBytes: 1_200, compression: 'none' } as const;
const fourItems = Array.from({ length: 4 }, (_, index): Item => {
  const name = `i${index}`;
  return {
    targetNamespace: 'p',
    targetName: 't',
    namespace: 'n',
    name,
    version: 'v1',
    kind: 'K',
    uid: name,
    attributes: { text: 'x'.repeat(200) },
  };
});

const keysOf = ({ records }: ProduceBatch): string[] => records.map(({ key }) => Buffer.from(key).toString());
const timeout = (): unknown => new DOMException('The attempt took too long.', 'TimeoutError');

describe('a client', () => {
  test('is made when it is needed, shared, and gone after close', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    expect(cluster.clients).toBe(0);
    const snapshots = await Promise.all(['a', 'b', 'c'].map((name) => snapshot(name)));
    await Promise.all(snapshots.map((each) => sink.export(each, { signal })));
    expect(cluster.clients).toBe(1);
    await sink.close();
    expect(cluster.destroyed).toBe(1);
    await expect(sink.export(await snapshot(), { signal })).rejects.toMatchObject({
      code: 'ABORTED',
      message: 'The sink "events" is closed.',
    });
    expect(cluster.clients).toBe(1);
  });

  test('may be an object of any kind, with methods of a class', async () => {
    const cluster = createFakeCluster();
    const factory: KafkaClientFactory = (config) => Object.create(cluster.factory(config)) as KafkaClient;
    const sink = sinkOver({ ...cluster, factory });
    expect(await sink.export(await snapshot(), { signal })).toMatchObject({ outcome: 'applied' });
    await sink.close();
  });

  test('that failed a request is replaced: its sequence numbers may be those of another batch', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const failing = sink.export(await snapshot(), { signal });
    await turn();
    cluster.gates[0]?.fail(Object.assign(new Error('x'), { type: 'MESSAGE_TOO_LARGE', code: 10 }));
    await expect(failing).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(cluster.destroyed).toBe(1);
    cluster.held = false;
    await sink.export(await snapshot(), { signal });
    expect(cluster.clients).toBe(2);
  });

  test('that failed on one partition may end what it does on others', async () => {
    const cluster = createFakeCluster(partitionsOf(16));
    const sink = sinkOver(cluster);
    cluster.held = true;
    const snapshots = await Promise.all(['a', 'b', 'c', 'd'].map((name) => snapshot(name)));
    const running = Promise.allSettled(snapshots.map((each) => sink.export(each, { signal })));
    await turn();
    const [first, ...others] = cluster.gates;
    first?.fail(new Error('lost'));
    await turn();
    expect(cluster.destroyed).toBe(0);
    for (const gate of others) gate.open();
    const outcomes = await running;
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    expect(cluster.destroyed).toBe(1);
  });

  test.each([false, true])(
    'that failed on one partition may end all parts of a snapshot on another (transactional: %s)',
    async (transactional) => {
      const cluster = createFakeCluster(partitionsOf(16));
      const sink = sinkOver(cluster, { ...inParts, transactional });
      cluster.held = true;
      const [large, queued, small] = await Promise.all([
        snapshot('a', 0, fourItems),
        snapshot('b', 0, fourItems),
        snapshot('c'),
      ]);
      const exporting = Promise.all([large, queued].map((each) => sink.export(each, { signal })));
      const failing = sink.export(small, { signal });
      await turn();
      cluster.gates
        .find(({ batch }) => keysOf(batch).includes('team/c'))
        ?.fail(Object.assign(new Error('x'), { type: 'MESSAGE_TOO_LARGE', code: 10 }));
      await expect(failing).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
      cluster.held = false;
      for (const gate of cluster.gates) gate.open();
      expect(await exporting).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }]);
      expect(cluster.log.flatMap(keysOf).toSorted()).toEqual(
        ['team/a', 'team/b'].flatMap((key) => Array.from({ length: 4 }, () => key)),
      );
      await sink.close();
      expect(cluster.destroyed).toBe(cluster.clients);
    },
  );

  test('that cannot connect fails who waits, and the next call tries another', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.connect = () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
    const both = await Promise.allSettled([
      sink.export(await snapshot('a'), { signal }),
      sink.export(await snapshot('b'), { signal }),
    ]);
    expect(both).toMatchObject([{ reason: { code: 'UNAVAILABLE' } }, { reason: { code: 'UNAVAILABLE' } }]);
    cluster.connect = () => Promise.resolve();
    expect(await sink.export(await snapshot(), { signal })).toMatchObject({ outcome: 'applied' });
    expect([cluster.clients, cluster.destroyed]).toEqual([2, 1]);
  });
});

describe('the time limit', () => {
  test('ends a request in flight with its client: TIMEOUT for its owner, UNAVAILABLE for the others', async () => {
    const cluster = createFakeCluster(partitionsOf(16));
    const sink = sinkOver(cluster);
    cluster.held = true;
    const controller = new AbortController();
    const mine = sink.export(await snapshot('a'), { signal: controller.signal });
    const other = sink.export(await snapshot('b'), { signal });
    await turn();
    expect(cluster.gates).toHaveLength(2);
    controller.abort(timeout());
    expect(cluster.destroyed).toBe(1);
    await expect(mine).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
    await expect(other).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true, operation: 'export' });
  });

  test('of the spec holds for connecting, too', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    try {
      const cluster = createFakeCluster();
      cluster.connect = () => new Promise<never>(() => undefined);
      const sink = sinkOver(cluster, { requestTimeout: '1s', deliveryTimeout: '3s' });
      const exporting = sink.export(await snapshot(), { signal });
      exporting.catch(() => undefined);
      await turn();
      jest.advanceTimersByTime(3_000);
      await expect(exporting).rejects.toMatchObject({
        code: 'TIMEOUT',
        message: expect.stringContaining('after 3000 ms'),
      });
      expect(cluster.destroyed).toBe(1);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('an abort', () => {
  test('of the last who waits for a new client in its lane ends the connecting', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const failing = sink.export(await snapshot('a'), { signal });
    await turn();
    const controller = new AbortController();
    const queued = sink.export(await snapshot('b'), { signal: controller.signal });
    await turn();
    cluster.connect = () => new Promise<never>(() => undefined);
    cluster.gates[0]?.fail(new Error('lost'));
    await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await turn();
    expect([cluster.clients, cluster.destroyed]).toEqual([2, 1]);
    controller.abort();
    await expect(queued).rejects.toMatchObject({ code: 'ABORTED' });
    await turn();
    expect(cluster.destroyed).toBe(2);
  });

  test('of one who waits for a connection leaves it to the others', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    let connected: () => void = () => undefined;
    cluster.connect = () => new Promise((resolve) => (connected = resolve));
    const controller = new AbortController();
    const leaving = sink.export(await snapshot('a'), { signal: controller.signal });
    const staying = sink.export(await snapshot('b'), { signal });
    await turn();
    controller.abort();
    await expect(leaving).rejects.toMatchObject({ code: 'ABORTED', retryable: false });
    expect(cluster.destroyed).toBe(0);
    connected();
    expect(await staying).toMatchObject({ outcome: 'applied' });
    expect(cluster.log).toHaveLength(1);
  });

  test('of the last who waits ends the connecting', async () => {
    const cluster = createFakeCluster();
    cluster.connect = () => new Promise<never>(() => undefined);
    const controller = new AbortController();
    const leaving = sinkOver(cluster).export(await snapshot(), { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(leaving).rejects.toMatchObject({ code: 'ABORTED' });
    expect(cluster.destroyed).toBe(1);
  });

  test('in the queue sends nothing, and nobody waits for it', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const first = sink.export(await snapshot('a'), { signal });
    await turn();
    const controller = new AbortController();
    const queued = sink.export(await snapshot('b'), { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(queued).rejects.toMatchObject({ code: 'ABORTED' });
    cluster.gates[0]?.open();
    await first;
    expect(cluster.log).toHaveLength(1);
    expect(cluster.destroyed).toBe(0);
  });

  test('of a request in flight waits for its end, if that comes soon', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const controller = new AbortController();
    const exporting = sink.export(await snapshot(), { signal: controller.signal });
    await turn();
    controller.abort();
    await turn();
    cluster.gates[0]?.open();
    expect(await exporting).toMatchObject({ outcome: 'applied' });
    expect(cluster.destroyed).toBe(0);
  });

  test('of one leaves a request that others share to them, whatever ended it', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const [aborted, late] = [new AbortController(), new AbortController()];
    const [a, b, c] = await Promise.all([snapshot('a'), snapshot('b'), snapshot('c')]);
    const leaving = [sink.export(a, { signal: aborted.signal }), sink.export(b, { signal: late.signal })];
    const staying = sink.export(c, { signal });
    await turn();
    expect(cluster.gates.map(({ batch }) => batch.records.length)).toEqual([3]);
    aborted.abort();
    late.abort(timeout());
    expect(await Promise.allSettled(leaving)).toMatchObject([
      { reason: { code: 'ABORTED' } },
      { reason: { code: 'TIMEOUT' } },
    ]);
    expect(cluster.destroyed).toBe(0);
    cluster.gates[0]?.open();
    expect(await staying).toMatchObject({ outcome: 'applied' });
    expect(cluster.clients).toBe(1);
  });

  test('of all who share a request that does not end gives the client up', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const controllers = [new AbortController(), new AbortController()];
    const names = ['a', 'b'] as const;
    const leaving = await Promise.all(
      controllers.map(async (each, index) => ({
        exporting: sink.export(await snapshot(names[index]), { signal: each.signal }),
      })),
    );
    await turn();
    for (const each of controllers) each.abort(timeout());
    for (const { exporting } of leaving) await expect(exporting).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(cluster.destroyed).toBe(1);
  });

  test('of a request in flight that does not end gives the client up', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const controller = new AbortController();
    const exporting = sink.export(await snapshot(), { signal: controller.signal });
    await turn();
    controller.abort();
    await expect(exporting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(cluster.destroyed).toBe(1);
  });

  test('between parts sends no further one, and ends the transaction', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster, { ...inParts, transactional: true });
    const large = await snapshot('web', 0, fourItems);
    cluster.held = true;
    const controller = new AbortController();
    const exporting = sink.export(large, { signal: controller.signal });
    await turn();
    controller.abort();
    cluster.gates[0]?.open();
    await expect(exporting).rejects.toMatchObject({ code: 'ABORTED' });
    await turn();
    expect(cluster.gates).toHaveLength(1);
    // And another one makes sure, for nobody says whether that arrived.
    expect(cluster.transactions).toEqual(['begin', 'abort', 'begin', 'commit']);
    expect(cluster.log).toHaveLength(1);
  });
});

describe('close', () => {
  test('leaves no timer', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    try {
      const sink = sinkOver(createFakeCluster());
      await sink.export(await snapshot(), { signal });
      expect(jest.getTimerCount()).toBe(0);
      await sink.close();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  test('settles what runs and what waits', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const flying = sink.export(await snapshot('a'), { signal });
    await turn();
    const queued = sink.export(await snapshot('b'), { signal });
    await turn();
    const outcomes = Promise.allSettled([flying, queued]);
    await Promise.all([sink.close(), sink.close()]);
    expect(await outcomes).toMatchObject([{ reason: { code: 'ABORTED' } }, { reason: { code: 'ABORTED' } }]);
    expect(cluster.destroyed).toBe(1);
    expect(cluster.log).toEqual([]);
  });
});
