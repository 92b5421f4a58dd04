import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createOperations } from '../authoring/operations/operations.ts';
import { formatScope } from '../contract/snapshot/scope.ts';
import type { KollectSink } from '../contract/sink.ts';
import type { OperationScope } from '../authoring/operations/operation-scope.ts';
import { createExporter } from './exporter.ts';
import { applied, fakeSinks, fakeSnapshot, manualClock, settle, type ManualClock } from './delivery.fixture.ts';
import type { SinkDeliveryOptions } from './delivery-options.ts';

// What is not armed on the exporter's clock is counted, too.
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] }));
afterEach(() => void jest.useRealTimers());

const inventory = { namespace: 'team', name: 'all', sinks: ['main'], delivery: { exportMinInterval: '0s' } };
const never = new Promise<never>(() => undefined);

interface Given {
  readonly work: (scope: OperationScope) => Promise<unknown>;
  readonly timeoutMs?: number;
  readonly delivery?: SinkDeliveryOptions;
  readonly open?: KollectSink['open'];
}

function start({ work, timeoutMs, delivery = {}, open }: Given) {
  const clock: ManualClock = manualClock();
  const signals = new Set<AbortSignal>();
  let over = false;
  const operations = createOperations({ sinkType: 'fake', name: 'main' });
  const fake = fakeSinks({
    ...(open === undefined ? {} : { open }),
    export: async (snapshot, { signal }) => {
      signals.add(signal);
      const doing = `exporting ${formatScope(snapshot)}`;
      const limits = { operation: 'export', doing, signal, timeoutMs, timeoutField: 'spec.fake.timeout' } as const;
      await operations.run(limits, async (scope) => (over ? undefined : work(scope)));
      return applied;
    },
  });
  const exporter = createExporter({ registry: fake.registry, clock });
  exporter.updateSink({
    name: 'main',
    config: { type: 'fake', fake: {} },
    delivery: { retry: { retries: 0, minDelay: '0s' }, ...delivery },
  });
  const timers = (): number => clock.timers + jest.getTimerCount();
  const errorOf = async (): Promise<string | undefined> => {
    const { sinks } = await exporter.export(inventory, fakeSnapshot('a', 0));
    return sinks[0]?.error?.message;
  };
  /** What is owed after a failure ends well. */
  const end = async (): Promise<void> => {
    over = true;
    await exporter.close();
    expect(timers()).toBe(0);
  };
  return { clock, exporter, signals, timers, errorOf, end };
}

test.each([
  ['60s', 60_000],
  ['60s', 70_000],
  ['60s', 20_000],
  ['3m', 180_000],
])('one timer runs for an export: attemptTimeout %s, its sink %s ms', async (attemptTimeout, timeoutMs) => {
  const seen: number[] = [];
  const { timers, errorOf, end } = start({
    timeoutMs,
    delivery: { attemptTimeout },
    open: async () => void seen.push(timers()),
    work: async (scope) => {
      seen.push(timers());
      await scope.step({ doing: 'connecting', timeoutMs: 5_000 }, async () => {
        seen.push(timers());
        await scope.step({ doing: 'asking', timeoutMs: 80_000 }, async () => seen.push(timers()));
      });
    },
  });
  expect(await errorOf()).toBeUndefined();
  expect(seen).toEqual([1, 1, 1, 1]);
  expect(timers()).toBe(0);
  await end();
});

const hosts = (field: string, ms: number, doing: string): string =>
  `The host's limit, ${field} of ${ms} ms, passed while ${doing}. Raise ${field} of the sink where it may take longer.`;
const sinks = (ms: number, doing: string): string =>
  `Gave up ${doing} after ${ms} ms without an answer. Raise spec.fake.timeout where it may take longer.`;

test.each([
  ['10s', '60s', 20_000, 10_000, hosts('delivery.attemptTimeout', 10_000, 'exporting team/all')],
  ['10s', '60s', 10_000, 10_000, hosts('delivery.attemptTimeout', 10_000, 'exporting team/all')],
  ['20s', '60s', 10_000, 10_000, sinks(10_000, 'exporting team/all')],
  ['20s', '7s', 10_000, 7_000, hosts('delivery.deadline', 7_000, 'exporting team/all')],
] as const)(
  'of attemptTimeout %s, deadline %s and %s ms of the sink the shortest wins',
  async (attemptTimeout, deadline, timeoutMs, endsAfter, message) => {
    const { clock, timers, errorOf, end } = start({
      timeoutMs,
      delivery: { attemptTimeout, deadline },
      work: (scope) => scope.unlessEnded(never),
    });
    let ended: string | undefined;
    const running = errorOf().then((error) => (ended = error));
    await clock.advance(endsAfter - 1);
    expect([ended, timers()]).toEqual([undefined, 1]);
    await clock.advance(1);
    expect(await running).toBe(message);
    await end();
  },
);

test('the last attempt has what the deadline leaves, and the one before it the limit of attempts', async () => {
  const ends: number[] = [];
  const { clock, errorOf, end } = start({
    delivery: { attemptTimeout: '4s', deadline: '10s', retry: { retries: 9, minDelay: '0s' } },
    work: async (scope) => {
      const begun = clock.now();
      scope.signal.addEventListener('abort', () => ends.push(clock.now() - begun));
      await scope.unlessEnded(never);
    },
  });
  const running = errorOf();
  await clock.advance(10_000);
  expect(await running).toBe(hosts('delivery.deadline', 10_000, 'exporting team/all'));
  expect(ends).toEqual([4_000, 4_000, 2_000]);
  await end();
});

test('an opening goes on when the export that asked for it is aborted, by the same timer and for a whole attempt', async () => {
  let ended: unknown;
  const { clock, exporter, timers, end } = start({
    delivery: { attemptTimeout: '10s' },
    open: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended = signal.reason;
          reject(new Error('ended'));
        });
      }),
    work: async () => undefined,
  });
  const caller = new AbortController();
  const running = exporter.export(inventory, fakeSnapshot('a', 0), { signal: caller.signal });
  await clock.advance(4_000);
  expect(timers()).toBe(1);
  caller.abort();
  expect((await running).sinks[0]?.error?.code).toBe('ABORTED');
  expect([ended, timers()]).toEqual([undefined, 1]);
  await clock.advance(6_000);
  expect(ended).toMatchObject({ name: 'TimeoutError', message: 'delivery.attemptTimeout of 10000 ms passed.' });
  expect(timers()).toBe(0);
  await end();
});

test.each([
  ['no reason', undefined, 'ABORTED', { name: 'AbortError' }],
  ['a deadline', new DOMException('late', 'TimeoutError'), 'TIMEOUT', { name: 'TimeoutError', message: 'late' }],
])('a sink is told the reason of its caller: %s', async (_, reason, code, told) => {
  const { exporter, signals, end } = start({ work: (scope) => scope.unlessEnded(never) });
  const caller = new AbortController();
  const running = exporter.export(inventory, fakeSnapshot('a', 0), { signal: caller.signal });
  await settle();
  caller.abort(reason);
  expect((await running).sinks[0]?.error?.code).toBe(code);
  expect([...signals].map((signal) => signal.reason as unknown)).toMatchObject([told]);
  await end();
});

test('the end of the exporter aborts every call', async () => {
  const { clock, exporter, timers } = start({ work: (scope) => scope.unlessEnded(never) });
  const calls = Array.from({ length: 3 }, (_, number) =>
    exporter.export({ ...inventory, name: `i${number}` }, fakeSnapshot('a', 0, { inventoryName: `i${number}` })),
  );
  await settle();
  const closing = exporter.close({ deadline: '1s' });
  await clock.advance(1_000);
  await closing;
  for (const {
    sinks: [report],
  } of await Promise.all(calls))
    expect(report?.error?.code).toBe('ABORTED');
  expect(timers()).toBe(0);
});

test('ten thousand exports leave no listener on the signal of their caller, and none of theirs has one', async () => {
  const { exporter, signals, timers, end } = start({ timeoutMs: 20_000, work: async () => undefined });
  const caller = new AbortController();
  for (let round = 0; round < 10_000; round += 1)
    await exporter.export(inventory, fakeSnapshot(`a${round}`, round), { signal: caller.signal });
  expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  expect([...signals].filter((signal) => getEventListeners(signal, 'abort').length > 0)).toEqual([]);
  expect([signals.size, timers()]).toEqual([10_000, 0]);
  await end();
});
