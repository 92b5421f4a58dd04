import { expect, test } from '@jest/globals';
import type { KollectSink } from '../contract/sink.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import type { DeliveryTracer } from '../observability/tracing.ts';
import { sinkErrorOf } from '../registry/registry.fixture.ts';
import {
  applied,
  codeOf,
  deferred,
  failure,
  fakeSinks,
  fakeSnapshot,
  manualClock,
  settle,
  type Deferred,
} from './delivery.fixture.ts';
import { createExporter } from './exporter.ts';
import type { SinkResource } from './exporter-types.ts';

const inventory = { namespace: 'team', name: 'all', sinks: ['fake'] };
const calm = { ...inventory, delivery: { isMaterialChange: () => false } };
const resource = (changes: Partial<SinkResource> = {}) =>
  ({ name: 'fake', config: { type: 'fake' } as const, ...changes }) as SinkResource & { config: { type: 'fake' } };

function start(members: Parameters<typeof fakeSinks>[0] = {}) {
  const clock = manualClock();
  const fake = fakeSinks(members);
  const exporter = createExporter({ registry: fake.registry, clock });
  exporter.updateSink(resource());
  return { clock, fake, exporter };
}

/** Exports that end when the test says so, or when their signal aborts. */
function held(): { readonly running: Deferred<typeof applied>[]; readonly members: Partial<KollectSink> } {
  const running: Deferred<typeof applied>[] = [];
  const wait = (signal: AbortSignal): Promise<typeof applied> => {
    const one = deferred<typeof applied>();
    running.push(one);
    signal.addEventListener('abort', () => one.reject(failure('ABORTED')));
    return one.promise;
  };
  return { running, members: { export: (_, { signal }) => wait(signal) } };
}

test('a sink is replaced where anything of it changed, and only there', async () => {
  const { fake, exporter } = start();
  const update = (changes: Partial<SinkResource>) => exporter.updateSink(resource(changes));
  expect(update({})).toBe('unchanged');
  expect(update({ delivery: { deadline: '2m' } })).toBe('unchanged');
  expect(update({ delivery: { deadline: '3m' } })).toBe('replaced');
  expect(update({ delivery: { deadline: '3m' } })).toBe('unchanged');
  expect(update({})).toBe('replaced');
  expect(update({ config: { type: 'fake', fake: { table: 'u' } } })).toBe('replaced');
  expect(update({ revision: '1' })).toBe('replaced');
  expect(update({ revision: '1' })).toBe('unchanged');
  expect(update({ revision: '2' })).toBe('replaced');
  expect(update({ revision: '2', connection: { credentials: { password: 'a' } } })).toBe('replaced');
  expect(update({ revision: '2', connection: { credentials: { password: 'a' } } })).toBe('unchanged');
  expect(update({ revision: '2', connection: { credentials: { password: 'b' } } })).toBe('replaced');
  await exporter.export(inventory, fakeSnapshot('a', 0));
  expect(fake.asked).toEqual([{ password: 'b' }]);
  await exporter.close();
});

test('functions that give secrets do not make another sink, and the latest one is asked', async () => {
  const { fake, exporter } = start();
  const giving = (password: string) => resource({ connection: { credentials: () => ({ password }), tls: () => ({}) } });
  expect(exporter.updateSink(giving('a'))).toBe('replaced');
  expect(exporter.updateSink(giving('b'))).toBe('unchanged');
  await exporter.export(inventory, fakeSnapshot('a', 0));
  expect(fake.asked).toEqual([{ password: 'b' }]);
  await exporter.close();
});

test.each([
  ['an unknown field', { config: { type: 'fake', fake: { tabel: 'x' } } }, '$.fake.tabel'],
  ['another type that nobody registered', { config: { type: 'fakes' } }, 'did you mean "fake"?'],
  ['wrong options', { delivery: { deadline: 'x' } }, '$.delivery.deadline'],
])('a resource with %s is refused, and the old sink stays', async (_, changes, words) => {
  const { fake, exporter } = start();
  await exporter.export(inventory, fakeSnapshot('a', 0));
  const error = sinkErrorOf(() => exporter.updateSink(resource(changes)));
  expect([error.code, error.message]).toEqual(['SPEC_INVALID', expect.stringContaining(words)]);
  await exporter.export(inventory, fakeSnapshot('b', 1));
  expect([fake.made(), fake.calls]).toEqual([1, ['1:open', '1:export all a', '1:export all b']]);
  await exporter.close();
});

test('a replacement waits for what runs, and what waits goes to the new sink', async () => {
  const { running, members } = held();
  const { fake, exporter } = start((index) => (index === 1 ? members : {}));
  const first = exporter.export(inventory, fakeSnapshot('a', 0));
  await settle();
  const second = exporter.export(inventory, fakeSnapshot('b', 1));
  exporter.updateSink(resource({ revision: '2' }));
  await settle();
  expect(fake.calls).toEqual(['1:open', '1:export all a']);
  running[0]?.resolve(applied);
  expect([(await first).ok, (await second).ok]).toEqual([true, true]);
  await settle();
  expect(fake.calls).toEqual(['1:open', '1:export all a', '1:close', '2:open', '2:export all b']);
  await exporter.close();
});

test('a replaced sink gets again what the old one had', async () => {
  const { fake, exporter } = start();
  await exporter.export(inventory, fakeSnapshot('a', 0));
  expect((await exporter.export(inventory, fakeSnapshot('a', 1))).outcomes.debounced).toBe(1);
  exporter.updateSink(resource({ revision: '2' }));
  expect((await exporter.export(inventory, fakeSnapshot('a', 2))).outcomes.applied).toBe(1);
  expect(fake.calls.at(-1)).toBe('2:export all a');
  await exporter.close();
});

test('a sink may become one of another type', async () => {
  const one = fakeSinks({}, { type: 'one' });
  const two = fakeSinks({}, { type: 'two' });
  const spans: unknown[] = [];
  const tracer: DeliveryTracer = {
    withSpan: (name, attributes, work) => {
      spans.push([name, attributes['kollect.sink.type']]);
      return work({ setAttributes: () => undefined });
    },
  };
  const exporter = createExporter({ registry: createSinkRegistry([one.definition, two.definition]), tracer });
  exporter.updateSink({ name: 'fake', config: { type: 'one' } });
  await exporter.export(inventory, fakeSnapshot('a', 0));
  expect(exporter.updateSink({ name: 'fake', config: { type: 'two' } })).toBe('replaced');
  expect((await exporter.export(inventory, fakeSnapshot('b', 1))).sinks).toMatchObject([
    { sinkType: 'two', outcome: 'applied' },
  ]);
  expect([one.calls.at(-1), two.store.get('all')]).toEqual(['1:close', 'b']);
  expect(spans).toEqual(
    ['one', 'two'].flatMap((type) => [
      ['kollect.export', type],
      ['kollect.attempt', type],
    ]),
  );
  await exporter.close();
});

test('a removed sink ends what runs, fails what waits in words, drops what is owed, and closes', async () => {
  const { running, members } = held();
  const { clock, fake, exporter } = start(members);
  const first = exporter.export(inventory, fakeSnapshot('a', 0));
  await settle();
  const second = exporter.export(inventory, fakeSnapshot('b', 1));
  const removed = exporter.removeSink('fake');
  expect((await second).sinks).toMatchObject([
    {
      outcome: 'failed',
      error: { code: 'ABORTED', message: 'The sink "fake" was removed before the snapshot reached it.' },
    },
  ]);
  expect((await exporter.export(inventory, fakeSnapshot('c', 2))).sinks).toMatchObject([
    { outcome: 'failed', error: { code: 'SPEC_INVALID' } },
  ]);
  await settle();
  expect(fake.calls).toEqual(['1:open', '1:export all a']);
  running[0]?.resolve(applied);
  await removed;
  expect([(await first).ok, fake.calls.at(-1), clock.timers]).toEqual([true, '1:close', 0]);
  await exporter.removeSink('fake');
  await exporter.close();
});

test('a sink that was removed while something was debounced leaves no timer, and can come back', async () => {
  const { clock, fake, exporter } = start();
  await exporter.export(calm, fakeSnapshot('a', 0));
  await exporter.export(calm, fakeSnapshot('b', 1));
  await exporter.removeSink('fake');
  expect(clock.timers).toBe(0);
  expect(exporter.updateSink(resource())).toBe('created');
  await exporter.export(calm, fakeSnapshot('b', 2));
  expect(fake.store.get('all')).toBe('b');
  await exporter.close();
});

const removedAt = fakeSnapshot('', 5).exportedAt;

test('a removed inventory leaves the store, takes the place of older snapshots that wait, and leaves no trace', async () => {
  const { running, members } = held();
  const { fake, exporter } = start(members);
  const first = exporter.export(inventory, fakeSnapshot('a', 0));
  await settle();
  const second = exporter.export(inventory, fakeSnapshot('b', 1));
  const removed = exporter.removeInventory(inventory, { removedAt });
  expect((await second).outcomes['queued-superseded']).toBe(1);
  running[0]?.resolve(applied);
  await first;
  expect(await removed).toMatchObject({ ok: true, sinks: [{ sink: 'fake', outcome: 'applied', attempts: 1 }] });
  expect([fake.store.size, fake.calls.at(-1)]).toEqual([0, '1:remove all']);
  await settle();
  expect(exporter.status(inventory)).toEqual([
    { sink: 'fake', sinkType: 'fake', breaker: 'closed', running: false, waiting: false, owing: false },
  ]);
  await exporter.close();
});

test('an inventory that comes back while it is removed is known', async () => {
  const removing = deferred<typeof applied>();
  const { fake, exporter } = start({ removeInventory: () => removing.promise });
  const removed = exporter.removeInventory(inventory, { removedAt });
  await settle();
  const back = exporter.export(inventory, fakeSnapshot('a', 6));
  removing.resolve(applied);
  expect([(await removed).ok, (await back).ok]).toEqual([true, true]);
  await settle();
  expect([fake.store.get('all'), exporter.status(inventory)[0]?.lastOutcome]).toEqual(['a', 'applied']);
  await exporter.close();
});

test('a removal that is older than what is owed is superseded by it', async () => {
  const { clock, fake, exporter } = start();
  await exporter.export(calm, fakeSnapshot('a', 0));
  await exporter.export(calm, fakeSnapshot('b', 9));
  const report = await exporter.removeInventory(calm, { removedAt: '2026-01-31T12:00:05.001Z' });
  expect(report).toMatchObject({ ok: false, sinks: [{ outcome: 'queued-superseded' }] });
  await settle();
  await clock.advance(30_000);
  expect(fake.store.get('all')).toBe('b');
  await exporter.close();
});

test('a removal that failed is made again', async () => {
  let tries = 0;
  const { clock, fake, exporter } = start({
    removeInventory: async () => {
      tries += 1;
      if (tries === 1) throw failure('BACKEND_ERROR');
      return applied;
    },
  });
  await exporter.export(inventory, fakeSnapshot('a', 0));
  expect(await exporter.removeInventory(inventory, { removedAt })).toMatchObject({
    ok: false,
    sinks: [{ outcome: 'failed' }],
  });
  expect([fake.store.size, exporter.status(inventory)[0]?.owing]).toEqual([1, true]);
  await clock.advance(30_000);
  await settle();
  expect([fake.store.size, exporter.status(inventory)[0]]).toMatchObject([0, { owing: false }]);
  expect(exporter.status(inventory)[0]).not.toHaveProperty('lastOutcome');
  await exporter.close();
});

test('a sink that cannot remove says so, and gets no snapshot of the inventory any more', async () => {
  const clock = manualClock();
  const fake = fakeSinks({}, { supports: false });
  const exporter = createExporter({ registry: fake.registry, clock });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' } });
  await exporter.export(calm, fakeSnapshot('a', 0));
  await exporter.export(calm, fakeSnapshot('b', 1));
  expect(await exporter.removeInventory(inventory, { removedAt })).toMatchObject({
    ok: true,
    sinks: [{ sink: 'fake', sinkType: 'fake', outcome: 'unsupported' }],
  });
  await clock.advance(100_000);
  expect([fake.store.get('all'), clock.timers]).toEqual(['a', 0]);
  await exporter.close();
});

test('close delivers what was debounced and what waits, closes every sink, and is done once', async () => {
  const { running, members } = held();
  const { clock, fake, exporter } = start((index) => (index === 1 ? {} : members));
  exporter.updateSink({ name: 'slow', config: { type: 'fake' } });
  await exporter.export(calm, fakeSnapshot('a', 0));
  await exporter.export(calm, fakeSnapshot('b', 1));
  const slow = { ...inventory, sinks: ['slow'], name: 'slow' };
  const first = exporter.export(slow, fakeSnapshot('x', 0, { inventoryName: 'slow' }));
  await settle();
  const second = exporter.export(slow, fakeSnapshot('y', 1, { inventoryName: 'slow' }));
  const closed = exporter.close();
  expect(exporter.close()).toBe(closed);
  const late = await exporter.export(inventory, fakeSnapshot('z', 9));
  expect(late.sinks).toMatchObject([
    {
      outcome: 'failed',
      error: { code: 'ABORTED', message: 'Nothing was delivered of team/all: the exporter is closed.' },
    },
  ]);
  await settle();
  expect([fake.store.get('all'), running.length]).toEqual(['b', 1]);
  running[0]?.resolve(applied);
  await settle();
  running[1]?.resolve(applied);
  await closed;
  expect([(await first).ok, (await second).ok, fake.store.get('slow')]).toEqual([true, true, 'y']);
  expect(fake.calls.filter((call) => call.endsWith('close')).sort()).toEqual(['1:close', '2:close']);
  expect(clock.timers).toBe(0);
  expect(sinkErrorOf(() => exporter.updateSink(resource()))).toMatchObject({ code: 'ABORTED' });
  expect(await codeOf(exporter.testConnection(resource()))).toBe('ABORTED');
});

test('at the deadline of close what runs is aborted, what waits fails, and every sink is closed', async () => {
  const { members } = held();
  const { clock, fake, exporter } = start(members);
  const first = exporter.export(inventory, fakeSnapshot('a', 0));
  await settle();
  const second = exporter.export(inventory, fakeSnapshot('b', 1));
  const closed = exporter.close({ deadline: '3s' });
  await clock.advance(2_999);
  expect(fake.calls).not.toContain('1:close');
  await clock.advance(1);
  await closed;
  expect((await first).sinks).toMatchObject([{ outcome: 'failed', error: { code: 'ABORTED' } }]);
  expect((await second).sinks).toMatchObject([
    {
      outcome: 'failed',
      attempts: 0,
      error: { code: 'ABORTED', message: 'The exporter was closed before the snapshot reached the sink.' },
    },
  ]);
  expect([fake.calls.at(-1), clock.timers, exporter.pressure()]).toEqual([
    '1:close',
    0,
    { running: 0, waiting: 0, owed: 0 },
  ]);
});

test('the deadline of close also ends what runs for an inventory that left its sink', async () => {
  const { members } = held();
  const { clock, exporter } = start(members);
  const ended = exporter.export(inventory, fakeSnapshot('a', 0));
  await settle();
  await exporter.export({ ...inventory, sinks: [] }, fakeSnapshot('b', 1));
  let isClosed = false;
  const closed = exporter.close({ deadline: '3s' }).then(() => (isClosed = true));
  await clock.advance(2_999);
  expect(isClosed).toBe(false);
  await clock.advance(1);
  expect(isClosed).toBe(true);
  await closed;
  expect((await ended).sinks).toMatchObject([{ outcome: 'failed', error: { code: 'ABORTED' } }]);
});

test('close ends although a sink ignores every signal and its own close hangs', async () => {
  const { clock, exporter } = start({
    export: () => new Promise(() => undefined),
    close: () => new Promise(() => undefined),
  });
  const ended = exporter.export(inventory, fakeSnapshot('a', 0));
  await settle();
  const closed = exporter.close({ deadline: '0s' });
  await clock.advance(10_000);
  await closed;
  expect((await ended).sinks).toMatchObject([{ error: { code: 'CONTRACT_VIOLATION' } }]);
  expect(clock.timers).toBe(0);
});
