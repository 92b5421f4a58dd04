import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { formatMessageKey, sealSnapshot, type InventorySnapshot, type Item } from '@kollect/core';
import { createFakeCluster, partitionsOf, sinkOver, turn, type FakeCluster } from './fake-client.fixture.ts';
import { partitionFor } from './publishing/partitioner.ts';

const { signal } = new AbortController();

function item(name: string, size = 10): Item {
  return {
    targetNamespace: 'p',
    targetName: 't',
    namespace: 'n',
    name,
    version: 'v1',
    kind: 'K',
    uid: name,
    attributes: { text: 'x'.repeat(size) },
  };
}

interface Draft {
  readonly name?: string;
  readonly at?: number;
  readonly items?: readonly Item[];
}

function snapshot({ name = 'web', at = 0, items = [item('a')] }: Draft = {}): Promise<InventorySnapshot> {
  return sealSnapshot({
    inventoryNamespace: 'team',
    inventoryName: name,
    generation: 1,
    exportedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, at)),
    items,
  });
}

/** In parts of about 1 000 bytes. */
const inParts = { maxMessageBytes: 1_500, compression: 'none' } as const;
const manyItems = Array.from({ length: 6 }, (_, index) => item(`i${index}`, 500));

const keysOf = (cluster: FakeCluster): string[] =>
  cluster.log.flatMap(({ records }) => records.map(({ key }) => Buffer.from(key).toString()));
const partsOf = (cluster: FakeCluster): (string | undefined)[] =>
  cluster.log.flatMap(({ records }) => records.map(({ headers }) => headers['kollect.dev/part-index']));

describe('one partition', () => {
  test('has one request in flight; what waits meanwhile goes together, in the order of the calls', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const exports = await Promise.all(['a', 'b', 'c', 'd'].map((name) => snapshot({ name })));
    const running = exports.map((each) => sink.export(each, { signal }));
    await turn();
    expect(cluster.gates.map(({ batch }) => batch.records.length)).toEqual([4]);
    const late = sink.export(await snapshot({ name: 'e' }), { signal });
    await turn();
    expect(cluster.gates).toHaveLength(1);
    cluster.held = false;
    cluster.gates[0]?.open();
    await Promise.all([...running, late]);
    expect(keysOf(cluster)).toEqual(['team/a', 'team/b', 'team/c', 'team/d', 'team/e']);
    expect(cluster.log).toHaveLength(2);
  });

  test('a request holds no more than maxMessageBytes', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster, { maxMessageBytes: 2_000 });
    const exports = await Promise.all(['a', 'b', 'c'].map((name) => snapshot({ name, items: [item('x', 400)] })));
    await Promise.all(exports.map((each) => sink.export(each, { signal })));
    expect(cluster.log.map(({ records }) => records.length)).toEqual([1, 1, 1]);
    expect(keysOf(cluster)).toEqual(['team/a', 'team/b', 'team/c']);
  });

  test('a request of several exports holds no more than the topic takes, however large one alone may be', async () => {
    const cluster = createFakeCluster(partitionsOf(1, { 'max.message.bytes': '2000' }));
    const sink = sinkOver(cluster, { maxMessageBytes: 20_000 });
    const exports = await Promise.all(
      ['a', 'b', 'c'].map((name) => snapshot({ name, items: [item('x', name === 'b' ? 5_000 : 400)] })),
    );
    await Promise.all(exports.map((each) => sink.export(each, { signal })));
    expect(cluster.log.map(({ records }) => records.length)).toEqual([1, 1, 1]);
  });

  test('what the broker finds too large together goes one by one', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const exports = await Promise.all(['a', 'b', 'c'].map((name) => snapshot({ name })));
    const running = Promise.allSettled(exports.map((each) => sink.export(each, { signal })));
    await turn();
    const tooLarge = Object.assign(new Error('x'), { type: 'MESSAGE_TOO_LARGE', code: 10 });
    cluster.gates[0]?.fail(tooLarge);
    await turn();
    cluster.gates[1]?.open();
    await turn();
    cluster.gates[2]?.fail(tooLarge);
    await turn();
    cluster.gates[3]?.open();
    expect(await running).toMatchObject([
      { value: { outcome: 'applied' } },
      { reason: { code: 'PAYLOAD_TOO_LARGE' } },
      { value: { outcome: 'applied' } },
    ]);
    expect(cluster.gates.map(({ batch }) => batch.records.length)).toEqual([3, 1, 1, 1]);
    expect(keysOf(cluster)).toEqual(['team/a', 'team/c']);
  });

  test('is alone with the parts of a snapshot, each in a request of its own', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster, inParts);
    const [before, large, after] = await Promise.all([
      snapshot({ name: 'a' }),
      snapshot({ name: 'b', items: manyItems }),
      snapshot({ name: 'c' }),
    ]);
    const results = await Promise.all([before, large, after].map((each) => sink.export(each, { signal })));
    expect(cluster.log.every(({ records }) => records.length === 1)).toBe(true);
    expect(keysOf(cluster)).toEqual(['team/a', ...Array.from({ length: 6 }, () => 'team/b'), 'team/c']);
    expect(partsOf(cluster)).toEqual([undefined, '0', '1', '2', '3', '4', '5', undefined]);
    expect(results[1]).toMatchObject({
      outcome: 'applied',
      messages: 6,
      counts: { inserted: 6 },
      reference: 'inventory/0',
    });
  });

  test('other partitions do not wait for it', async () => {
    const cluster = createFakeCluster(partitionsOf(16));
    const sink = sinkOver(cluster);
    cluster.held = true;
    const exports = await Promise.all(Array.from({ length: 20 }, (_, index) => snapshot({ name: `n${index}` })));
    const running = exports.map((each) => sink.export(each, { signal }));
    await turn();
    const partitions = cluster.gates.map(({ batch }) => batch.partition);
    expect(partitions.length).toBeGreaterThan(4);
    expect(new Set(partitions).size).toBe(partitions.length);
    for (const gate of cluster.gates) gate.open();
    await Promise.all(running);
  });
});

describe('the order of time', () => {
  test('an older snapshot after a newer one is superseded, also when both wait', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    const [older, newer] = await Promise.all([snapshot({ at: 1 }), snapshot({ at: 2 })]);
    expect(await sink.export(newer, { signal })).toMatchObject({ outcome: 'applied' });
    expect(await sink.export(older, { signal })).toMatchObject({ outcome: 'superseded', messages: 0 });
    expect(await sink.export(newer, { signal })).toMatchObject({ outcome: 'applied' });
    cluster.held = true;
    const first = sink.export(await snapshot({ at: 9 }), { signal });
    await turn();
    const waiting = sink.export(await snapshot({ at: 5 }), { signal });
    await turn();
    cluster.gates[0]?.open();
    await expect(first).resolves.toMatchObject({ outcome: 'applied' });
    await expect(waiting).resolves.toMatchObject({ outcome: 'superseded' });
    expect(cluster.log).toHaveLength(3);
  });

  test('an older snapshot never shares a request with a newer one of its inventory', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    const [newer, other, older] = await Promise.all([
      snapshot({ at: 2 }),
      snapshot({ name: 'api' }),
      snapshot({ at: 1 }),
    ]);
    const outcomes = await Promise.all([newer, other, older].map((each) => sink.export(each, { signal })));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'superseded']);
    expect(keysOf(cluster)).toEqual(['team/web', 'team/api']);
  });

  test('a snapshot that the broker took supersedes older ones, also where its caller no longer waits', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const controller = new AbortController();
    const [newer, other, older] = await Promise.all([
      snapshot({ at: 2 }),
      snapshot({ name: 'api' }),
      snapshot({ at: 1 }),
    ]);
    const left = sink.export(newer, { signal: controller.signal });
    const staying = sink.export(other, { signal });
    await turn();
    const late = sink.export(older, { signal });
    controller.abort(new DOMException('late', 'TimeoutError'));
    await expect(left).rejects.toMatchObject({ code: 'TIMEOUT' });
    cluster.gates[0]?.open();
    await expect(staying).resolves.toMatchObject({ outcome: 'applied' });
    await expect(late).resolves.toMatchObject({ outcome: 'superseded' });
    expect(keysOf(cluster)).toEqual(['team/web', 'team/api']);
  });

  test('a snapshot that failed supersedes nothing', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const failing = sink.export(await snapshot({ at: 9 }), { signal });
    await turn();
    cluster.gates[0]?.fail(new Error('lost'));
    await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    cluster.held = false;
    expect(await sink.export(await snapshot({ at: 1 }), { signal })).toMatchObject({ outcome: 'applied' });
  });

  test('a removal is a tombstone, and supersedes what is older', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    const removedAt = '2026-01-01T00:00:30.000Z';
    expect(await sink.removeInventory?.(await snapshot(), { signal, removedAt })).toMatchObject({
      outcome: 'applied',
      messages: 1,
      bytes: 0,
      counts: { deleted: 0 },
    });
    expect(cluster.log[0]?.records[0]?.value).toBeNull();
    expect(await sink.export(await snapshot({ at: 1 }), { signal })).toMatchObject({ outcome: 'superseded' });
    const older = '2026-01-01T00:00:20.000Z';
    expect(await sink.removeInventory?.(await snapshot(), { signal, removedAt: older })).toMatchObject({
      outcome: 'unchanged',
      messages: 0,
    });
    expect(await sink.export(await snapshot({ at: 1 }), { signal })).toMatchObject({ outcome: 'superseded' });
    expect(await sink.export(await snapshot({ at: 31 }), { signal })).toMatchObject({ outcome: 'applied' });
    expect(await sink.removeInventory?.(await snapshot(), { signal, removedAt })).toMatchObject({
      outcome: 'superseded',
    });
    expect(cluster.log).toHaveLength(2);
  });

  test('a time far ahead is refused: it would fence the inventory', async () => {
    const cluster = createFakeCluster();
    const ahead = await sealSnapshot({
      inventoryNamespace: 'team',
      inventoryName: 'web',
      generation: 1,
      items: [],
      exportedAt: new Date(Date.now() + 3_600_000),
    });
    await expect(sinkOver(cluster).export(ahead, { signal })).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' });
    expect(cluster.log).toEqual([]);
  });
});

describe('the topic', () => {
  let now = 0;
  beforeEach(() => {
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  /** As long as the sink believes what it found, and no longer. */
  const aSecondPasses = (): void => void (now += 1_000);

  test('compacted, it takes no parts: nothing is sent', async () => {
    const cluster = createFakeCluster(partitionsOf(1, { 'cleanup.policy': 'compact,delete' }));
    const sink = sinkOver(cluster, inParts);
    await expect(sink.export(await snapshot({ items: manyItems }), { signal })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      retryable: false,
      message: expect.stringMatching(
        /needs 6 messages .* topic "inventory" is compacted.*raise spec\.kafka\.maxMessageBytes/,
      ),
    });
    expect(cluster.log).toEqual([]);
    expect(await sink.export(await snapshot(), { signal })).toMatchObject({ outcome: 'applied' });
  });

  test('whose settings are not told takes them', async () => {
    const cluster = createFakeCluster(partitionsOf(1));
    expect(await sinkOver(cluster, inParts).export(await snapshot({ items: manyItems }), { signal })).toMatchObject({
      messages: 6,
    });
  });

  test('that is missing is NOT_FOUND, and made where the spec says so', async () => {
    const cluster = createFakeCluster();
    cluster.topic = undefined;
    await expect(sinkOver(cluster).export(await snapshot(), { signal })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('"inventory"'),
    });
    const creating = sinkOver(cluster, { topicProvisioning: 'create', newTopic: { partitions: 7 } });
    expect(await creating.export(await snapshot(), { signal })).toMatchObject({ outcome: 'applied' });
    expect(cluster.topic).toMatchObject({ partitions: { length: 7 } });
  });

  test('is asked for once, and again after the broker did not know it or a partition of it', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    await sink.open?.({ signal });
    await sink.export(await snapshot({ at: 1 }), { signal });
    expect(cluster.describes).toBe(1);
    const next = await snapshot({ at: 2 });
    for (const topic of [partitionsOf(50), undefined]) {
      cluster.held = true;
      const exporting = sink.export(next, { signal });
      await turn();
      Object.assign(cluster, { held: false, topic });
      cluster.gates.pop()?.fail(Object.assign(new Error('gone'), { type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 }));
      if (topic === undefined) await expect(exporting).rejects.toMatchObject({ code: 'NOT_FOUND' });
      else expect(await exporting).toMatchObject({ outcome: 'applied' });
    }
    expect(cluster.describes).toBe(3);
    expect(cluster.log.at(-1)?.partition).toBe(partitionFor(Buffer.from(formatMessageKey(next)), 50));
  });

  const partitionOf = (each: InventorySnapshot, count: number): number =>
    partitionFor(Buffer.from(formatMessageKey(each)), count);

  test('that gets partitions is noticed a second later, also by what waits for its turn', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster);
    cluster.held = true;
    const [flying, waiting, next] = await Promise.all(['a', 'b', 'c'].map((name) => snapshot({ name })));
    if (flying === undefined || waiting === undefined || next === undefined) throw new Error('There is no snapshot.');
    const first = sink.export(flying, { signal });
    await turn();
    const second = sink.export(waiting, { signal });
    await turn();
    Object.assign(cluster, { held: false, topic: partitionsOf(50) });
    aSecondPasses();
    cluster.gates[0]?.open();
    expect(await first).toMatchObject({ reference: 'inventory/0' });
    expect(await second).toMatchObject({ reference: `inventory/${partitionOf(waiting, 50)}` });
    expect(await sink.export(next, { signal })).toMatchObject({ reference: `inventory/${partitionOf(next, 50)}` });
    expect(cluster.log.map(({ partition }) => partition)).toEqual([0, partitionOf(waiting, 50), partitionOf(next, 50)]);
    expect(cluster.describes).toBe(2);
  });

  test('made again as compacted takes no parts, however short ago it was looked at', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster, inParts);
    await sink.export(await snapshot({ at: 1, items: manyItems }), { signal });
    cluster.topic = partitionsOf(1, { 'cleanup.policy': 'compact' });
    cluster.log.length = 0;
    const parts = sink.export(await snapshot({ at: 2, items: manyItems }), { signal });
    await expect(parts).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(cluster.log).toEqual([]);
    expect(await sink.export(await snapshot({ at: 3 }), { signal })).toMatchObject({ outcome: 'applied' });
  });

  test('that nobody describes at the moment takes what is whole all the same, and no parts', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster, inParts);
    await sink.export(await snapshot({ at: 1 }), { signal });
    cluster.describe = () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNRESET' }));
    aSecondPasses();
    expect(await sink.export(await snapshot({ at: 2 }), { signal })).toMatchObject({ outcome: 'applied' });
    const parts = sink.export(await snapshot({ at: 3, items: manyItems }), { signal });
    await expect(parts).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(cluster.log).toHaveLength(2);
  });

  test('that is not described before a deadline: the client goes, as with a request that is not answered', async () => {
    const cluster = createFakeCluster(partitionsOf(16));
    const sink = sinkOver(cluster);
    await sink.export(await snapshot({ at: 1 }), { signal });
    cluster.describe = () => new Promise<never>(() => undefined);
    aSecondPasses();
    const controller = new AbortController();
    const late = sink.export(await snapshot({ name: 'a' }), { signal: controller.signal });
    const beside = sink.export(await snapshot({ name: 'b' }), { signal });
    await turn();
    controller.abort(new DOMException('late', 'TimeoutError'));
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(beside).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(cluster.destroyed).toBe(1);
  });
});

describe('transactional', () => {
  test('parts go in one transaction, single messages in none', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster, { ...inParts, transactional: true });
    await sink.export(await snapshot({ at: 1 }), { signal });
    expect(cluster.transactions).toEqual([]);
    await sink.export(await snapshot({ at: 2, items: manyItems }), { signal });
    expect(cluster.transactions).toEqual(['begin', 'commit']);
  });

  test('a partition that does not answer keeps no other waiting, and each has an id that stays', async () => {
    const cluster = createFakeCluster(partitionsOf(16));
    const sink = sinkOver(cluster, { ...inParts, transactional: true, clientId: 'me' });
    const names = ['a', 'b', 'c', 'd', 'e'];
    const exports = await Promise.all(names.map((name) => snapshot({ name, items: manyItems })));
    const partitions = exports.map((each) => partitionFor(Buffer.from(formatMessageKey(each)), 16));
    expect(new Set(partitions).size).toBe(names.length);
    cluster.held = true;
    const silent = sink.export(await snapshot({ name: 'a', items: manyItems }), { signal });
    await turn();
    cluster.held = false;
    await Promise.all(exports.slice(1).map((each) => sink.export(each, { signal })));
    const again = await snapshot({ name: 'b', at: 1, items: manyItems });
    await sink.export(again, { signal });
    expect(keysOf(cluster)).not.toContain('team/a');
    expect(new Set(keysOf(cluster)).size).toBe(4);
    for (const gate of cluster.gates) gate.open();
    expect(await silent).toMatchObject({ outcome: 'applied' });
    const ids = cluster.transactionalIds;
    const numbers = ids.map((id) => Number(/^me-.+-(\d+)$/.exec(id)?.[1]));
    expect(numbers).toHaveLength(partitions.length);
    expect(new Set(numbers)).toEqual(new Set(partitions));
    await sink.close();
    expect(cluster.destroyed).toBe(cluster.clients);
  });

  test('of many partitions, clients that rest are kept for some alone', async () => {
    const cluster = createFakeCluster(partitionsOf(64));
    const sink = sinkOver(cluster, { ...inParts, transactional: true });
    for (let index = 0; index < 60; index += 1)
      await sink.export(await snapshot({ name: `n${index}`, items: manyItems }), { signal });
    expect(new Set(cluster.log.map(({ partition }) => partition)).size).toBeGreaterThan(20);
    expect(cluster.clients - cluster.destroyed).toBeLessThan(16);
    await sink.close();
    expect(cluster.destroyed).toBe(cluster.clients);
  });

  test('what was cut off is ended by a client of the same id, before the next one begins', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster, { ...inParts, transactional: true });
    cluster.held = true;
    const controller = new AbortController();
    const late = sink.export(await snapshot({ at: 1, items: manyItems }), { signal: controller.signal });
    await turn();
    controller.abort(new DOMException('late', 'TimeoutError'));
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
    let begun: () => void = () => undefined;
    cluster.begin = () => new Promise((resolve) => (begun = resolve));
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
    await turn();
    cluster.held = false;
    const next = sink.export(await snapshot({ at: 2, items: manyItems }), { signal });
    await turn();
    expect(cluster.transactions).toEqual(['begin', 'begin']);
    cluster.begin = () => Promise.resolve();
    begun();
    expect(await next).toMatchObject({ outcome: 'applied' });
    expect(cluster.transactions).toEqual(['begin', 'begin', 'commit', 'begin', 'commit']);
    expect(cluster.transactionalIds).toHaveLength(2);
    expect(new Set(cluster.transactionalIds).size).toBe(1);
  });

  test('what close cuts off is ended, too', async () => {
    const cluster = createFakeCluster();
    const sink = sinkOver(cluster, { ...inParts, transactional: true });
    cluster.held = true;
    const running = sink.export(await snapshot({ at: 1, items: manyItems }), { signal });
    await turn();
    const [outcome] = await Promise.allSettled([running, sink.close()]);
    expect(outcome).toMatchObject({ reason: { code: 'ABORTED' } });
    expect(cluster.transactions).toEqual(['begin', 'begin', 'commit']);
    expect(new Set(cluster.transactionalIds).size).toBe(1);
    expect(cluster.destroyed).toBe(cluster.clients);
  });
});
