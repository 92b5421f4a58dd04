import { describe, expect, test } from '@jest/globals';
import type { KollectSink } from '../contract/sink.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import { memorySink } from '../memory-sink.ts';
import {
  applied,
  codeOf,
  deferred,
  failure,
  fakeSinks,
  fakeSnapshot,
  manualClock,
  settle,
} from './delivery.fixture.ts';
import { createExporter } from './exporter.ts';

const inventory = { namespace: 'team', name: 'all', sinks: ['fake'] };
/** A time that is not of whole seconds. */
const at = (second: number): string => fakeSnapshot('', second + 0.001).exportedAt;
const snapshotAt = (content: string, second: number) => fakeSnapshot(content, second, { exportedAt: at(second) });

/** Each call ends when the test says so, with what the test says. */
function start() {
  const clock = manualClock();
  const running: ReturnType<typeof deferred<typeof applied>>[] = [];
  const wait = (): Promise<typeof applied> => {
    const one = deferred<typeof applied>();
    running.push(one);
    return one.promise;
  };
  const members: Partial<KollectSink> = { export: wait, removeInventory: wait };
  const fake = fakeSinks(members);
  const exporter = createExporter({ registry: fake.registry, clock });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' }, delivery: { retry: { retries: 0 } } });
  const end = async (index: number, how: 'applied' | 'UNAVAILABLE' = 'applied'): Promise<void> => {
    await settle();
    if (how === 'applied') running[index]?.resolve(applied);
    else running[index]?.reject(failure(how));
    await settle();
  };
  return { clock, fake, exporter, end, running };
}

test('a removal that failed is made again, also where one before it succeeded', async () => {
  const { clock, fake, exporter, end } = start();
  const first = exporter.removeInventory(inventory, { removedAt: at(1) });
  const back = exporter.export(inventory, snapshotAt('a', 2));
  await end(0);
  const second = exporter.removeInventory(inventory, { removedAt: at(3) });
  await end(1);
  await end(2, 'UNAVAILABLE');
  expect([(await first).ok, (await back).ok, (await second).ok]).toEqual([true, true, false]);
  expect([fake.store.get('all'), exporter.pressure().owed]).toEqual(['a', 1]);
  await clock.advance(30_000);
  await end(3);
  expect([fake.store.size, exporter.pressure().owed, exporter.status(inventory)[0]?.lastOutcome]).toEqual([
    0,
    0,
    undefined,
  ]);
  await exporter.close();
});

test('an export that failed is made again, though a removal older than it came later', async () => {
  const { clock, fake, exporter, end } = start();
  const first = exporter.removeInventory(inventory, { removedAt: at(1) });
  const back = exporter.export(inventory, snapshotAt('a', 3));
  const late = await exporter.removeInventory(inventory, { removedAt: at(2) });
  expect(late).toMatchObject({ ok: false, sinks: [{ outcome: 'queued-superseded' }] });
  await end(0);
  await end(1, 'UNAVAILABLE');
  expect([(await first).ok, (await back).ok, exporter.pressure().owed]).toEqual([true, false, 1]);
  await clock.advance(30_000);
  await end(2);
  expect([fake.store.get('all'), exporter.pressure().owed]).toEqual(['a', 0]);
  await exporter.close();
});

test('an inventory that leaves a sink and comes back is written after what still ran', async () => {
  const { fake, exporter, end, running } = start();
  void exporter.export(inventory, snapshotAt('a', 1));
  await settle();
  await exporter.export({ ...inventory, sinks: [] }, snapshotAt('b', 2));
  const back = exporter.export(inventory, snapshotAt('c', 3));
  await settle();
  expect(running).toHaveLength(1);
  await end(0);
  await end(1);
  expect([(await back).ok, fake.store.get('all')]).toEqual([true, 'c']);
  await exporter.close();
});

const second = '2026-01-31T12:00:00Z';

/** An inventory of the memory sink, exported so many milliseconds after the second. */
async function exported(ms: number) {
  const clock = manualClock();
  const memory = memorySink({ now: () => new Date(clock.now()) });
  const exporter = createExporter({ registry: createSinkRegistry([memory]), clock });
  exporter.updateSink({ name: 'fake', config: { type: 'memory' } });
  await clock.advance(ms);
  const snapshot = fakeSnapshot('a', ms / 1000);
  expect((await exporter.export(inventory, snapshot)).ok).toBe(true);
  return { clock, memory, exporter, snapshot };
}

test.each([
  ['as Kubernetes writes it', second],
  ['as a client gives it', new Date(second)],
])('a deletionTimestamp, %s, removes what was exported after it', async (_, removedAt) => {
  for (const ms of [400, 1_500]) {
    const { memory, exporter, snapshot } = await exported(ms);
    const report = await exporter.removeInventory(inventory, { removedAt });
    expect([report.ok, report.sinks[0]?.outcome, memory.contents().size]).toEqual([true, 'applied', 0]);
    // The snapshot is older than the removal now, and a finalizer that asks again is told so.
    expect((await exporter.export(inventory, snapshot)).sinks[0]?.outcome).toBe('superseded');
    const again = await exporter.removeInventory(inventory, { removedAt });
    expect([again.ok, again.sinks[0]?.outcome]).toEqual([true, 'unchanged']);
    await exporter.close();
  }
});

test('what was exported before the exporter began counts within the second of the removal, and is told where it is newer', async () => {
  for (const [ms, outcome] of [
    [400, 'applied'],
    [1_500, 'superseded'],
  ] as const) {
    const { clock, memory, exporter } = await exported(ms);
    await exporter.close();
    const next = createExporter({ registry: createSinkRegistry([memory]), clock });
    next.updateSink({ name: 'fake', config: { type: 'memory' } });
    await clock.advance(1_000);
    const report = await next.removeInventory(inventory, { removedAt: second });
    expect([report.sinks[0]?.outcome, report.ok]).toEqual([outcome, outcome === 'applied']);
    await next.close();
  }
});

test('a new inventory of the same name is not taken for the removed one', async () => {
  const { clock, memory, exporter } = await exported(100);
  await exporter.removeInventory(inventory, { removedAt: second });
  await clock.advance(1);
  expect((await exporter.export(inventory, fakeSnapshot('b', 0.101))).sinks[0]?.outcome).toBe('applied');
  expect(memory.contents().get('team/all')?.checksum).toBe('b');
  await exporter.close();
});

test('a removal that is older than the snapshot in the store is not ok', async () => {
  const { exporter } = await exported(1_500);
  const report = await exporter.removeInventory(inventory, { removedAt: '2026-01-31T12:00:01.499Z' });
  expect(report).toMatchObject({ ok: false, sinks: [{ outcome: 'superseded' }] });
  await exporter.close();
});

test('a sink that was deleted keeps no finalizer', async () => {
  const { exporter, memory } = await exported(0);
  const report = await exporter.removeInventory({ ...inventory, sinks: ['gone', 'fake'] }, { removedAt: second });
  expect(report.ok).toBe(true);
  expect(report.sinks).toMatchObject([{ sink: 'gone', outcome: 'unknown-sink' }, { outcome: 'applied' }]);
  expect(report.sinks[0]).not.toHaveProperty('error');
  expect(memory.contents().size).toBe(0);
  await exporter.close();
  expect((await exporter.removeInventory(inventory, { removedAt: second })).ok).toBe(false);
});

test.each(['yesterday', new Date(Number.NaN), undefined, 5])('%p is no time of a removal', async (removedAt) => {
  const { exporter } = await exported(0);
  const refused = exporter.removeInventory(inventory, { removedAt: removedAt as string });
  expect(await codeOf(refused)).toBe('SNAPSHOT_INVALID');
  await exporter.close();
});

describe('a sink that is removed and made known again before its exports ended', () => {
  const resource = { name: 'fake', config: { type: 'fake' }, delivery: { retry: { retries: 0 } } } as const;
  const other = { ...inventory, name: 'other' };

  test('gets the next snapshot of an inventory when the last export of that one has ended', async () => {
    const { fake, exporter, end, running } = start();
    const old = exporter.export(inventory, snapshotAt('a', 1));
    await settle();
    const removed = exporter.removeSink('fake');
    exporter.updateSink(resource);
    const first = exporter.export(inventory, snapshotAt('b', 1));
    const unrelated = exporter.export(other, fakeSnapshot('o', 1, { inventoryName: 'other' }));
    await settle();
    expect([running.length, exporter.status(inventory)[0]?.waiting]).toEqual([2, true]);
    await end(1);
    expect((await unrelated).ok).toBe(true);
    await end(0);
    expect([(await old).ok, running.length]).toEqual([true, 3]);
    await end(2);
    expect((await first).ok).toBe(true);
    await removed;
    expect(fake.store.get('all')).toBe('b');
    expect(fake.calls.filter((call) => call.includes('export all'))).toEqual(['1:export all a', '2:export all b']);
    await exporter.close();
  });

  test('waits for every sink before it, and the newest snapshot takes the place of the one that waits', async () => {
    const { fake, exporter, end, running } = start();
    void exporter.export(inventory, snapshotAt('a', 1));
    await settle();
    const waiting = [1, 2].map(async (round) => {
      const removed = exporter.removeSink('fake');
      exporter.updateSink(resource);
      const { sinks } = await exporter.export(inventory, snapshotAt(`b${round}`, 1));
      await removed;
      return sinks[0]?.error?.code ?? sinks[0]?.outcome;
    });
    const superseded = exporter.export(inventory, snapshotAt('c', 2));
    const last = exporter.export(inventory, snapshotAt('d', 3));
    await settle();
    expect(running.length).toBe(1);
    expect((await superseded).sinks[0]?.outcome).toBe('queued-superseded');
    await end(0);
    await end(1);
    expect([(await last).ok, fake.store.get('all')]).toEqual([true, 'd']);
    expect(await Promise.all(waiting)).toEqual(['ABORTED', 'queued-superseded']);
    await exporter.close();
  });

  test('starts nothing for a caller who gave up, or after the exporter was closed', async () => {
    const { exporter, end, running } = start();
    void exporter.export(inventory, snapshotAt('a', 1));
    await settle();
    const removed = exporter.removeSink('fake');
    exporter.updateSink(resource);
    const caller = new AbortController();
    const given = exporter.export(inventory, snapshotAt('b', 2), { signal: caller.signal });
    await settle();
    caller.abort();
    expect((await given).sinks[0]?.error?.code).toBe('ABORTED');
    await end(0);
    await removed;
    await exporter.close();
    expect(running.length).toBe(1);
  });
});
