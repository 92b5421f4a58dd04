import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { seal } from '../contract/contract.fixture.ts';
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
  notedMetrics,
  settle,
} from './delivery.fixture.ts';
import { createExporter } from './exporter.ts';
import type { SinkDeliveryReport } from './delivery-report.ts';

const inventory = (name = 'all', sinks = ['fake']) => ({ namespace: 'team', name, sinks });
const snapshotOf = (name: string, content: string, second: number) =>
  fakeSnapshot(content, second, { inventoryName: name });

test('exports to every sink, and names the one that is not known', async () => {
  const memory = memorySink({ now: () => new Date('2026-01-31T12:05:00Z') });
  const warnings: unknown[] = [];
  const exporter = createExporter({
    registry: createSinkRegistry([memory]),
    logger: { ...console, debug: () => undefined, warn: (fields, message) => void warnings.push([fields, message]) },
  });
  expect(exporter.updateSink({ name: 'team/memory', config: { type: 'memory' } })).toBe('created');
  const report = await exporter.export(
    { namespace: 'team', name: 'all', sinks: ['team/memory', 'team/memry'] },
    await seal(),
  );
  expect(report).toMatchObject({ namespace: 'team', name: 'all', ok: false, outcomes: { applied: 1, failed: 1 } });
  expect(report.sinks).toMatchObject([
    { sink: 'team/memory', sinkType: 'memory', outcome: 'applied', attempts: 1, counts: { inserted: 1 }, messages: 1 },
    { sink: 'team/memry', outcome: 'failed', reason: 'terminal', attempts: 0, error: { code: 'SPEC_INVALID' } },
  ]);
  expect(report.sinks[1]?.error?.message).toBe(
    'The inventory team/all names the sink "team/memry", which is not known: did you mean "team/memory"?',
  );
  expect(warnings).toEqual([
    [
      {
        inventory: 'team/all',
        sink: 'team/memry',
        outcome: 'failed',
        code: 'SPEC_INVALID',
        reason: 'terminal',
        error: report.sinks[1]?.error?.message,
      },
      'Nothing was asked of the sink.',
    ],
  ]);
  expect(report.sinks[0]?.queueMs).toBeGreaterThanOrEqual(0);
  expect(memory.contents().get('team/all')?.items).toHaveLength(1);
  await exporter.close();
});

test('sinks are served at once: one that hangs or fails delays and fails no other', async () => {
  const hang = deferred<typeof applied>();
  const slow = fakeSinks({ export: () => hang.promise }, { type: 'slow' });
  const bad = fakeSinks({ export: async () => Promise.reject(failure('CONFLICT')) }, { type: 'bad' });
  const good = fakeSinks({}, { type: 'good' });
  const exporter = createExporter({ registry: createSinkRegistry([slow.definition, bad.definition, good.definition]) });
  exporter.updateSink({ name: 'slow', config: { type: 'slow' } });
  exporter.updateSink({ name: 'bad', config: { type: 'bad' } });
  exporter.updateSink({ name: 'good', config: { type: 'good' } });
  const first = exporter.export(inventory('all', ['slow', 'bad', 'good']), fakeSnapshot('a', 0));
  await settle();
  const second = exporter.export(inventory('all', ['slow', 'bad', 'good']), fakeSnapshot('b', 1));
  await settle();
  expect([good.store.get('all'), slow.calls]).toEqual(['b', ['1:open', '1:export all a']]);
  expect([exporter.pressure(), exporter.status(inventory('all', ['slow']))]).toMatchObject([
    { running: 1, waiting: 1 },
    [{ running: true, waiting: true }],
  ]);
  hang.resolve(applied);
  expect((await first).sinks.map(({ outcome }) => outcome)).toEqual(['applied', 'failed', 'applied']);
  expect((await second).outcomes).toMatchObject({ applied: 2, failed: 1 });
  expect(slow.store.get('all')).toBe('b');
  await exporter.close();
});

test('all inventories share one sink, which takes so many at once and the rest in turn', async () => {
  let running = 0;
  let most = 0;
  const fake = fakeSinks({
    export: async () => {
      running += 1;
      most = Math.max(most, running);
      await settle();
      running -= 1;
      return applied;
    },
  });
  const exporter = createExporter({ registry: fake.registry, limits: { concurrentExports: 5 } });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' }, delivery: { concurrentExports: 3 } });
  exporter.updateSink({ name: 'other', config: { type: 'fake' } });
  const names = Array.from({ length: 50 }, (_, index) => `inventory${index}`);
  const reports = await Promise.all(names.map((name) => exporter.export(inventory(name), snapshotOf(name, 'a', 0))));
  expect(reports.every(({ ok }) => ok)).toBe(true);
  expect([most, fake.made(), fake.calls.filter((call) => call === '1:open').length, fake.store.size]).toEqual([
    3, 2, 1, 50,
  ]);
  await Promise.all(
    names.map((name) => exporter.export({ ...inventory(name), sinks: ['fake', 'other'] }, snapshotOf(name, 'b', 1))),
  );
  expect(most).toBe(5);
  await exporter.close();
});

test('a sink that hangs leaves a slot to each of the others, whatever it may take itself', async () => {
  const fake = fakeSinks((index) =>
    index === 1
      ? {
          export: (_, { signal }) =>
            new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(failure('ABORTED')))),
        }
      : {},
  );
  const exporter = createExporter({ registry: fake.registry, limits: { concurrentExports: 4 } });
  for (const name of ['hangs', 'works']) exporter.updateSink({ name, config: { type: 'fake' } });
  const hanging = ['i0', 'i1', 'i2', 'i3', 'i4'].map((name) =>
    exporter.export(inventory(name, ['hangs']), snapshotOf(name, 'a', 0)),
  );
  expect((await exporter.export(inventory('all', ['works']), fakeSnapshot('a', 0))).outcomes.applied).toBe(1);
  await exporter.close({ deadline: '0s' });
  expect((await Promise.all(hanging)).map(({ ok }) => ok)).not.toContain(true);
});

test('a call that is wrong in itself is refused in words', async () => {
  const fake = fakeSinks();
  const exporter = createExporter({ registry: fake.registry });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' } });
  const messageOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'resolved',
      ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
    );
  expect(await messageOf(exporter.export({ ...inventory('other'), cluster: 'east' }, fakeSnapshot('a', 0)))).toBe(
    'CONTRACT_VIOLATION: The snapshot of team/all was given for the inventory east:team/other: seal one for the inventory.',
  );
  expect(
    await messageOf(exporter.export({ ...inventory(), delivery: { exportMinInterval: 'x' } }, fakeSnapshot('a', 0))),
  ).toContain('SPEC_INVALID: The delivery options of inventory team/all are invalid: $.delivery.exportMinInterval');
  expect(
    await messageOf(
      exporter.export({ ...inventory('all', []), delivery: { exportMinInterval: 'x' } }, fakeSnapshot('a', 0)),
    ),
  ).toContain('SPEC_INVALID');
  expect(await messageOf(exporter.removeInventory(inventory(), { removedAt: 'yesterday' }))).toContain(
    'SNAPSHOT_INVALID: The removal of team/all: removedAt must be',
  );
  expect(() => exporter.close({ deadline: 'soon' })).toThrow('$.deadline');
  expect(fake.calls).toEqual([]);
  await exporter.close();
});

test('the gate is that of the inventory, and each sink has its own', async () => {
  const clock = manualClock();
  const fake = fakeSinks();
  const reports: (readonly [unknown, SinkDeliveryReport])[] = [];
  const exporter = createExporter({
    registry: fake.registry,
    clock,
    onReport: (name, report) => reports.push([name, report]),
  });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' } });
  const paced = {
    ...inventory(),
    cluster: 'east',
    delivery: { exportMinInterval: '10s', isMaterialChange: () => false },
  };
  const at = (content: string, second: number) => fakeSnapshot(content, second, { cluster: 'east' });
  expect((await exporter.export(paced, at('a', 0))).outcomes.applied).toBe(1);
  const held = await exporter.export(paced, at('b', 1));
  expect(held).toMatchObject({
    ok: true,
    sinks: [{ outcome: 'debounced', attempts: 0, writeMs: 0, dueAt: '2026-01-31T12:00:10.000Z' }],
  });
  expect(exporter.status(paced)).toMatchObject([
    { sink: 'fake', lastOutcome: 'debounced', owing: true, dueAt: '2026-01-31T12:00:10.000Z', breaker: 'closed' },
  ]);
  expect(exporter.pressure()).toEqual({ running: 0, waiting: 0, owed: 1 });
  await clock.advance(10_000);
  expect(fake.store.get('all')).toBe('b');
  expect(reports).toMatchObject([
    [
      { cluster: 'east', namespace: 'team', name: 'all' },
      { sink: 'fake', outcome: 'applied', attempts: 1 },
    ],
  ]);
  expect(exporter.status(paced)).toMatchObject([
    { lastOutcome: 'applied', lastSuccessAt: '2026-01-31T12:00:10.000Z', owing: false },
  ]);
  await exporter.close();
});

test('a function of the host that throws holds nothing back, and harms nothing', async () => {
  const clock = manualClock();
  const fake = fakeSinks();
  const boom = (): never => {
    throw new Error('boom');
  };
  const exporter = createExporter({
    registry: fake.registry,
    clock,
    onReport: boom,
    metrics: {
      declareSinkType: boom,
      deliveryEnded: boom,
      attemptRetried: boom,
      inFlightChanged: boom,
      breakerChanged: boom,
      watchBacklog: boom,
    },
    tracer: { withSpan: boom },
    logger: { debug: boom, info: boom, warn: boom, error: boom },
  });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' } });
  await exporter.export({ ...inventory(), delivery: { isMaterialChange: boom } }, fakeSnapshot('a', 0));
  expect(
    (await exporter.export({ ...inventory(), delivery: { isMaterialChange: boom } }, fakeSnapshot('b', 1))).outcomes
      .applied,
  ).toBe(1);
  await exporter.export({ ...inventory(), delivery: { isMaterialChange: () => false } }, fakeSnapshot('c', 2));
  await clock.advance(30_000);
  expect(fake.store.get('all')).toBe('c');
  await exporter.close();
});

test('a function of the host that answers with a promise lets the change pass, and its rejection ends no process', async () => {
  const clock = manualClock();
  const fake = fakeSinks();
  const exporter = createExporter({ registry: fake.registry, clock });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' } });
  const isMaterialChange = (async () => Promise.reject(new Error('boom'))) as unknown as () => boolean;
  for (const second of [0, 1])
    await exporter.export({ ...inventory(), delivery: { isMaterialChange } }, fakeSnapshot(`${second}`, second));
  // Jest fails a test during which a rejection was left unhandled.
  await settle();
  expect(fake.store.get('all')).toBe('1');
  await exporter.close();
});

test('a sink that the inventory names no longer gets nothing more', async () => {
  const clock = manualClock();
  const fake = fakeSinks();
  const exporter = createExporter({ registry: fake.registry, clock });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' } });
  const calm = { ...inventory(), delivery: { isMaterialChange: () => false } };
  await exporter.export(calm, fakeSnapshot('a', 0));
  await exporter.export(calm, fakeSnapshot('b', 1));
  await exporter.export({ ...calm, sinks: [] }, fakeSnapshot('c', 2));
  await clock.advance(100_000);
  expect([fake.store.get('all'), exporter.pressure().owed, exporter.status(calm)[0]?.owing, clock.timers]).toEqual([
    'a',
    0,
    false,
    0,
  ]);
  await exporter.close();
});

test('no listener stays on the signal of the caller, and an aborted caller is told so', async () => {
  const fake = fakeSinks();
  const exporter = createExporter({ registry: fake.registry });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' } });
  const { signal } = new AbortController();
  for (let second = 0; second < 20; second += 1) {
    const calls = Array.from({ length: 5 }, (_, index) =>
      exporter.export(inventory(`i${index}`), snapshotOf(`i${index}`, `${second}`, second), { signal }),
    );
    await Promise.all([
      ...calls,
      exporter.plan(inventory(), fakeSnapshot('a', second), { signal }),
      exporter.testConnection({ name: 'x', config: { type: 'fake' } }, { signal }),
    ]);
  }
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const aborted = await exporter.export(inventory(), fakeSnapshot('a', 99), { signal: AbortSignal.abort() });
  expect(aborted.sinks).toMatchObject([{ outcome: 'failed', attempts: 0, error: { code: 'ABORTED' } }]);
  await exporter.close();
});

test('a call takes one listener on the signal of the caller, however many sinks it waits for: adding one is as slow as there are many', async () => {
  const hang = deferred<typeof applied>();
  const fake = fakeSinks({ export: () => hang.promise, removeInventory: () => hang.promise });
  const exporter = createExporter({ registry: fake.registry });
  const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
  for (const name of names) exporter.updateSink({ name, config: { type: 'fake' } });
  const { signal } = new AbortController();
  const exported = exporter.export(inventory('all', names), fakeSnapshot('a', 0), { signal });
  const removed = exporter.removeInventory(inventory('other', names), { removedAt: '2026-01-31T12:00:00Z', signal });
  await settle();
  expect(getEventListeners(signal, 'abort')).toHaveLength(2);
  hang.resolve(applied);
  await Promise.all([exported, removed]);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  await exporter.close();
});

test('five hundred inventories and three sinks at rest hold no timer and no slot', async () => {
  const clock = manualClock();
  const fake = fakeSinks();
  const exporter = createExporter({ registry: fake.registry, clock });
  const sinks = ['one', 'two', 'three'];
  for (const name of sinks) exporter.updateSink({ name, config: { type: 'fake' } });
  const names = Array.from({ length: 500 }, (_, index) => `i${index}`);
  for (const second of [0, 1]) {
    const reports = await Promise.all(
      names.map((name) => exporter.export(inventory(name, sinks), snapshotOf(name, `${second}`, second))),
    );
    expect(reports.every(({ outcomes }) => outcomes.applied === 3)).toBe(true);
  }
  expect([clock.timers, exporter.pressure()]).toEqual([0, { running: 0, waiting: 0, owed: 0 }]);
  await exporter.close();
});

test('plans by sinks that can, past the gate', async () => {
  const fake = fakeSinks();
  const plain = fakeSinks({}, { type: 'plain', supports: false });
  const exporter = createExporter({ registry: createSinkRegistry([fake.definition, plain.definition]) });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' } });
  exporter.updateSink({ name: 'plain', config: { type: 'plain' } });
  const report = await exporter.plan(inventory('all', ['fake', 'plain', 'nope']), fakeSnapshot('a', 0));
  expect(report.sinks).toMatchObject([
    { sink: 'fake', sinkType: 'fake', plan: { outcome: 'applied' } },
    { sink: 'plain', sinkType: 'plain', unsupported: true },
    { sink: 'nope', error: { code: 'SPEC_INVALID' } },
  ]);
  expect([fake.store.size, plain.calls]).toEqual([0, []]);
  await exporter.close();
});

test('tries a connection with a sink of its own, and closes that whatever happens', async () => {
  const clock = manualClock();
  const fake = fakeSinks((index) => ({
    testConnection: async () => {
      if (index === 2) throw new Error('x');
      if (index === 3) return new Promise(() => undefined);
      return { ok: true, steps: [] };
    },
  }));
  const exporter = createExporter({ registry: fake.registry, clock });
  const resource = { name: 'fake', config: { type: 'fake' } as const };
  expect(await exporter.testConnection(resource)).toEqual({ ok: true, steps: [] });
  expect(await codeOf(exporter.testConnection(resource))).toBe('CONTRACT_VIOLATION');
  const hung = codeOf(exporter.testConnection(resource));
  await clock.advance(61_000);
  expect(await hung).toBe('CONTRACT_VIOLATION');
  expect(fake.calls).toEqual(['1:close', '2:close', '3:close']);
  expect(await codeOf(exporter.testConnection({ ...resource, config: { type: 'fake', fake: { table: '' } } }))).toBe(
    'SPEC_INVALID',
  );
  expect([fake.made(), clock.timers]).toEqual([3, 0]);
  await exporter.close();
});

test('metrics and logs are told of every delivery, spans of each that left the queue', async () => {
  const { metrics, told } = notedMetrics();
  const lines: unknown[] = [];
  const spans: unknown[] = [];
  const fake = fakeSinks(
    { export: async () => ({ ...applied, reference: '9f3c1e' }) },
    { type: 'postgres', spanAttributes: { 'db.system.name': 'postgresql' } },
  );
  const note = (fields: unknown, message: string): void => void lines.push({ message, ...Object(fields) });
  const exporter = createExporter({
    registry: fake.registry,
    metrics,
    logger: { debug: note, info: note, warn: note, error: note },
    tracer: {
      withSpan: async (name, attributes, work) => {
        const span: Record<string, unknown> = { name, ...attributes };
        spans.push(span);
        return work({ setAttributes: (more) => void Object.assign(span, more) });
      },
    },
  });
  exporter.updateSink({ name: 'db', config: { type: 'postgres' } });
  const paced = { ...inventory('all', ['db']), delivery: { isMaterialChange: () => false } };
  const { sinks } = await exporter.export(paced, fakeSnapshot('a', 0));
  expect(sinks[0]?.reference).toBe('9f3c1e');
  await exporter.export(paced, fakeSnapshot('b', 1));
  expect(told.map(([name]) => name)).toEqual([
    'declareSinkType',
    'breakerChanged',
    'inFlightChanged',
    'inFlightChanged',
    'deliveryEnded',
    'deliveryEnded',
  ]);
  expect(told[4]?.[1]).toMatchObject({
    sinkType: 'postgres',
    outcome: 'applied',
    attempts: 1,
    items: 6,
    bytes: 10,
    writeSeconds: expect.any(Number),
    queueSeconds: expect.any(Number),
  });
  expect(told[5]?.[1]).toMatchObject({ sinkType: 'postgres', outcome: 'debounced', attempts: 0, items: 0 });
  expect(told[5]?.[1]).not.toHaveProperty('writeSeconds');
  const who = {
    'kollect.sink.name': 'db',
    'kollect.sink.type': 'postgres',
    'db.system.name': 'postgresql',
    'kollect.inventory': 'team/all',
    'kollect.outcome': 'applied',
  };
  expect(spans).toEqual([
    { name: 'kollect.export', ...who },
    { name: 'kollect.attempt', ...who },
  ]);
  expect(lines).toMatchObject([
    {
      message: 'The export of team/all ended: applied.',
      inventory: 'team/all',
      sink: 'db',
      sinkType: 'postgres',
      attempts: 1,
    },
  ]);
  await exporter.close();
});
