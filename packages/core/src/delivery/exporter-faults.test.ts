import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import {
  applied,
  deferred,
  failure,
  fakeSinks,
  fakeSnapshot,
  fakeTimersClock,
  fakeTimersOptions,
  notedMetrics,
  settle,
} from './delivery.fixture.ts';
import { createExporter } from './exporter.ts';

beforeEach(() => void jest.useFakeTimers(fakeTimersOptions));
afterEach(() => void jest.useRealTimers());

const inventory = (name = 'all') => ({ namespace: 'team', name, sinks: ['fake'] });
const snapshotOf = (name: string, content: string, second: number) =>
  fakeSnapshot(content, second, { inventoryName: name });
const once = { retry: { retries: 0 } };

type Fault = 'none' | 'UNAVAILABLE' | 'AUTHENTICATION_FAILED' | 'stuck';

/** A sink whose fault the test chooses. */
function start(delivery: Parameters<ReturnType<typeof createExporter>['updateSink']>[0]['delivery'] = once) {
  let fault: Fault = 'none';
  const fake = fakeSinks({
    export: async () => {
      if (fault === 'stuck') return new Promise(() => undefined);
      if (fault !== 'none') throw failure(fault);
      return applied;
    },
  });
  const { metrics, told } = notedMetrics();
  const lines: string[] = [];
  const note = (_: unknown, message: string): void => void lines.push(message);
  const exporter = createExporter({
    registry: fake.registry,
    clock: fakeTimersClock,
    metrics,
    logger: { debug: () => undefined, info: note, warn: note, error: note },
  });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' }, delivery });
  const outcome = async (name: string, content: string, second: number): Promise<string | undefined> =>
    (await exporter.export(inventory(name), snapshotOf(name, content, second))).sinks[0]?.outcome;
  const states = () =>
    told.filter(([name]) => name === 'breakerChanged').map(([, event]) => (event as { to?: string }).to);
  return { exporter, fake, told, lines, outcome, states, set: (next: Fault) => (fault = next) };
}

test('while the circuit is open exports are skipped at once; when the fault ends every inventory catches up without a call', async () => {
  const { exporter, fake, outcome, states, set, lines } = start();
  const names = Array.from({ length: 20 }, (_, index) => `i${index}`);
  for (const name of names) expect(await outcome(name, 'old', 0)).toBe('applied');
  set('UNAVAILABLE');
  const outcomes = await Promise.all(names.map((name) => outcome(name, 'newer', 1)));
  expect([outcomes.filter((one) => one === 'failed').length >= 5, outcomes.includes('skipped-open-circuit')]).toEqual([
    true,
    true,
  ]);
  const tries = fake.calls.length;
  expect(await Promise.all(names.map((name) => outcome(name, 'newest', 2)))).toEqual(
    names.map(() => 'skipped-open-circuit'),
  );
  expect([fake.calls.length, exporter.pressure().owed]).toEqual([tries, 20]);
  expect(exporter.status(inventory('i19'))).toMatchObject([
    {
      breaker: 'open',
      lastOutcome: 'skipped-open-circuit',
      owing: true,
      dueAt: new Date(Date.now() + 30_000).toISOString(),
    },
  ]);
  // Still down at the first probe, which is one export only.
  await jest.advanceTimersByTimeAsync(30_000);
  expect(fake.calls.length - tries).toBe(1);
  set('none');
  await jest.advanceTimersByTimeAsync(30_000);
  await settle();
  expect([...new Set(fake.store.values())]).toEqual(['newest']);
  expect([exporter.pressure().owed, exporter.status(inventory('i0'))[0]?.breaker]).toEqual([0, 'closed']);
  expect(states()).toEqual(['closed', 'open', 'half-open', 'open', 'half-open', 'closed']);
  expect(lines.filter((line) => line.includes('circuit'))).toHaveLength(3);
  await exporter.close();
});

test('what is skipped at the very moment when the circuit closes is not left behind', async () => {
  const { exporter, fake, outcome, set } = start({ ...once, breaker: { failures: 1 } });
  for (let ticks = 0; ticks < 20; ticks += 1) {
    set('UNAVAILABLE');
    expect(await outcome('probe', `down ${ticks}`, ticks)).toBe('failed');
    set('none');
    // The half-open circuit makes the owed export its probe.
    jest.advanceTimersByTime(30_000);
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    await outcome('other', `${ticks}`, ticks);
    await settle();
    expect([fake.store.get('other'), exporter.pressure().owed]).toEqual([`${ticks}`, 0]);
  }
  await exporter.close();
});

test('where the inventory leaves that was to probe, another one does', async () => {
  let down = true;
  const hold = deferred<typeof applied>();
  const fake = fakeSinks((index) => ({
    export: async () => {
      if (index === 2) return hold.promise;
      if (down) throw failure('UNAVAILABLE');
      return applied;
    },
  }));
  const exporter = createExporter({
    registry: fake.registry,
    clock: fakeTimersClock,
    limits: { concurrentExports: 1 },
  });
  for (const name of ['fake', 'busy'])
    exporter.updateSink({ name, config: { type: 'fake' }, delivery: { ...once, breaker: { failures: 1 } } });
  for (const name of ['opens', 'leaves', 'stays']) await exporter.export(inventory(name), snapshotOf(name, 'a', 0));
  await exporter.export({ ...inventory('opens'), sinks: [] }, snapshotOf('opens', 'b', 1));
  down = false;
  const busy = exporter.export({ ...inventory(), sinks: ['busy'] }, fakeSnapshot('a', 0));
  // What is to probe waits for the one slot there is.
  jest.advanceTimersByTime(30_000);
  await exporter.export({ ...inventory('leaves'), sinks: [] }, snapshotOf('leaves', 'b', 1));
  hold.resolve(applied);
  await busy;
  await settle();
  expect([fake.store.get('stays'), exporter.pressure().owed]).toEqual(['a', 0]);
  await exporter.close();
});

test('an export that failed before the circuit opened is made again after its interval', async () => {
  const { exporter, fake, outcome, set } = start();
  set('UNAVAILABLE');
  expect(await outcome('all', 'a', 0)).toBe('failed');
  expect(exporter.status(inventory())).toMatchObject([
    { lastOutcome: 'failed', lastError: { code: 'UNAVAILABLE', reason: 'transient' }, owing: true },
  ]);
  set('none');
  await jest.advanceTimersByTimeAsync(30_000);
  expect(fake.store.get('all')).toBe('a');
  expect(exporter.status(inventory())[0]).not.toHaveProperty('lastError');
  await exporter.close();
});

test('a store that asks for a wait without end fails no call of the host', async () => {
  const { registry } = fakeSinks({
    export: async () => Promise.reject(failure('OVERLOADED', { retryAfterMs: Number.POSITIVE_INFINITY })),
  });
  const exporter = createExporter({ registry, clock: fakeTimersClock });
  exporter.updateSink({ name: 'fake', config: { type: 'fake' }, delivery: { ...once, breaker: { failures: 1 } } });
  const outcomes: (string | undefined)[] = [];
  for (const second of [0, 1])
    outcomes.push((await exporter.export(inventory(), fakeSnapshot('a', second))).sinks[0]?.outcome);
  expect([outcomes, exporter.status(inventory())[0]?.breaker]).toEqual([['failed', 'skipped-open-circuit'], 'open']);
  await exporter.close();
});

test('refused credentials open the circuit at once, and a rotated secret closes it and catches up at once', async () => {
  const { exporter, fake, outcome, set, states } = start();
  set('AUTHENTICATION_FAILED');
  expect(await outcome('all', 'a', 0)).toBe('failed');
  expect(await outcome('all', 'b', 1)).toBe('skipped-open-circuit');
  await jest.advanceTimersByTimeAsync(299_000);
  expect(exporter.status(inventory())[0]?.breaker).toBe('open');
  set('none');
  expect(exporter.updateSink({ name: 'fake', config: { type: 'fake' }, revision: '2', delivery: once })).toBe(
    'replaced',
  );
  await settle();
  await settle();
  expect([fake.store.get('all'), exporter.status(inventory())[0]?.breaker, states()]).toEqual([
    'b',
    'closed',
    ['closed', 'open', undefined, 'closed'],
  ]);
  await exporter.close();
});

test('an attempt is aborted in time; a sink that ignores that is replaced, and the queue goes on', async () => {
  const { exporter, fake, set, lines } = start({ ...once, attemptTimeout: '10s' });
  set('stuck');
  const first = exporter.export(inventory(), fakeSnapshot('a', 0));
  await settle();
  const second = exporter.export(inventory(), fakeSnapshot('b', 1));
  await jest.advanceTimersByTimeAsync(10_999);
  set('none');
  await jest.advanceTimersByTimeAsync(1);
  expect((await first).sinks).toMatchObject([
    {
      outcome: 'failed',
      reason: 'terminal',
      attempts: 1,
      writeMs: 11_000,
      error: { code: 'CONTRACT_VIOLATION', sinkType: 'fake' },
    },
  ]);
  expect((await second).sinks).toMatchObject([{ outcome: 'applied', queueMs: 11_000 }]);
  await settle();
  expect(fake.calls).toEqual(['1:open', '1:export all a', '1:close', '2:open', '2:export all b']);
  expect(lines).toContain('The sink ignored its signal: it was abandoned and is replaced.');
  await exporter.close();
});

test('retries are counted, told, and made on the new sink where it was replaced meanwhile', async () => {
  const { exporter, fake, told, set } = start({ retry: { retries: 2, minDelay: '10s' } });
  set('UNAVAILABLE');
  const ended = exporter.export(inventory(), fakeSnapshot('a', 0));
  await jest.advanceTimersByTimeAsync(1);
  set('none');
  exporter.updateSink({
    name: 'fake',
    config: { type: 'fake', fake: { table: 'other' } },
    delivery: { retry: { retries: 2, minDelay: '10s' } },
  });
  await jest.advanceTimersByTimeAsync(20_000);
  expect((await ended).sinks).toMatchObject([{ outcome: 'applied', attempts: 2 }]);
  expect(fake.calls).toEqual(['1:open', '1:export all a', '1:close', '2:open', '2:export all a']);
  expect(told.filter(([name]) => name === 'attemptRetried')).toEqual([
    ['attemptRetried', { sinkType: 'fake', reason: 'transient' }],
  ]);
  const inFlight = told
    .filter(([name]) => name === 'inFlightChanged')
    .map(([, event]) => (event as { delta: number }).delta);
  expect(inFlight).toEqual([1, -1]);
  await exporter.close();
});

test('a sink that is removed while an export waits for its next attempt lets it make that', async () => {
  const { exporter, fake, set } = start({ retry: { retries: 1, minDelay: '10s' } });
  set('UNAVAILABLE');
  const ended = exporter.export(inventory(), fakeSnapshot('a', 0));
  await jest.advanceTimersByTimeAsync(1);
  const removed = exporter.removeSink('fake');
  set('none');
  await jest.advanceTimersByTimeAsync(20_000);
  await removed;
  expect([(await ended).sinks[0]?.outcome, fake.calls.at(-1)]).toEqual(['applied', '1:close']);
  await exporter.close();
});

test('an export that fails while the exporter closes is not made again', async () => {
  const { exporter, fake, outcome, set } = start();
  set('UNAVAILABLE');
  const ended = outcome('all', 'a', 0);
  await exporter.close();
  expect([await ended, jest.getTimerCount()]).toEqual(['failed', 0]);
  const { length } = fake.calls;
  await jest.advanceTimersByTimeAsync(100_000);
  expect(fake.calls).toHaveLength(length);
});

test('what is skipped beside the probe of a circuit is delivered where the exporter closes meanwhile', async () => {
  const { exporter, fake, outcome, set } = start({ ...once, breaker: { failures: 1 } });
  set('UNAVAILABLE');
  await outcome('down', 'a', 0);
  await exporter.export({ ...inventory('down'), sinks: [] }, snapshotOf('down', 'a', 1));
  await jest.advanceTimersByTimeAsync(30_000);
  set('none');
  const probe = outcome('probe', 'a', 2);
  const beside = outcome('beside', 'a', 2);
  await exporter.close();
  expect([await probe, await beside]).toEqual(['applied', 'skipped-open-circuit']);
  expect([fake.store.get('probe'), fake.store.get('beside'), jest.getTimerCount()]).toEqual(['a', 'a', 0]);
});

test('after close no timer is left', async () => {
  const { exporter, outcome, set } = start();
  set('UNAVAILABLE');
  for (const second of [0, 1, 2, 3, 4, 5]) await outcome('all', `${second}`, second);
  expect(exporter.status(inventory())[0]?.breaker).toBe('open');
  await exporter.close();
  expect(jest.getTimerCount()).toBe(0);
});
