import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SinkError } from '../../contract/errors/errors.ts';
import { fuzzProperty, fuzzTimeoutMs } from '../../contract/fuzz.fixture.ts';
import { redelivery, removalDelivery, type Delivery, type DeliveryResult } from '../delivery.ts';
import { applied, failure, fakeDelivery, fakeSnapshot, manualClock, settle } from '../delivery.fixture.ts';
import { createGate } from './gate.ts';
import type { GateRules } from './gate-decision.ts';
import { createQueue } from './queue.ts';

const rules: GateRules = { exportMinIntervalMs: 30_000, minChangeIntervalMs: 0 };
const immaterial = { isMaterialChange: () => false };

/** A gate in front of a station that ends when the test says so. */
function start(changes: Partial<GateRules> = {}) {
  const clock = manualClock();
  const passed: { readonly delivery: Delivery; readonly end: (result: DeliveryResult | SinkError) => Promise<void> }[] =
    [];
  const background: Delivery[] = [];
  let skips = 0;
  const end = new AbortController();
  const gate = createGate({
    next: {
      deliver: (delivery) =>
        new Promise((resolve, reject) => {
          const finish = async (result: DeliveryResult | SinkError): Promise<void> => {
            if ('code' in result) reject(result);
            else resolve(result);
            await settle();
          };
          passed.push({ delivery, end: finish });
        }),
    },
    clock,
    rules: () => ({ ...rules, ...changes }),
    lifetime: end.signal,
    onBackground: (delivery, begin) => {
      background.push(delivery);
      return begin();
    },
    onSkipped: () => (skips += 1),
  });
  const contents = () => passed.map(({ delivery }) => delivery.snapshot?.checksum);
  /** Delivers, and ends it with the result if it got through. */
  const pass = async (delivery: Delivery, result: DeliveryResult | SinkError = applied): Promise<string> => {
    const before = passed.length;
    const promise = gate.deliver(delivery).then(
      ({ outcome }) => outcome,
      ({ code }: SinkError) => code,
    );
    await settle();
    if (passed.length > before) await passed.at(-1)?.end(result);
    return promise;
  };
  return { gate, clock, passed, contents, pass, background, end, skips: () => skips };
}

test('a debounced change is delivered when its interval ends, in its latest state, and only once', async () => {
  const { gate, clock, pass, contents, passed, background } = start(immaterial);
  expect(await pass(fakeDelivery('a', 0))).toBe('applied');
  await clock.advance(10_000);
  expect(await gate.deliver(fakeDelivery('b', 10))).toEqual({ outcome: 'debounced', dueAt: clock.now() + 20_000 });
  await clock.advance(5_000);
  expect(await gate.deliver(fakeDelivery('c', 15))).toEqual({ outcome: 'debounced', dueAt: clock.now() + 15_000 });
  expect(clock.timers).toBe(1);
  await clock.advance(14_999);
  expect(contents()).toEqual(['a']);
  await clock.advance(1);
  expect(contents()).toEqual(['a', 'c']);
  await passed[1]?.end(applied);
  await clock.advance(1_000_000);
  expect([contents(), background.length, gate.owing, clock.timers]).toEqual([['a', 'c'], 1, false, 0]);
});

test('a change that was taken back is not delivered', async () => {
  const { gate, clock, pass, contents } = start(immaterial);
  await pass(fakeDelivery('a', 0));
  await pass(fakeDelivery('b', 1));
  expect(await gate.deliver(fakeDelivery('a', 2))).toEqual({ outcome: 'debounced' });
  await clock.advance(100_000);
  expect([contents(), gate.owing, clock.timers]).toEqual([['a'], false, 0]);
});

test('what looks like the last one is let through while another is on its way', async () => {
  const { gate, pass, contents, passed } = start();
  await pass(fakeDelivery('a', 0));
  void gate.deliver(fakeDelivery('b', 1));
  void gate.deliver(fakeDelivery('a', 2));
  await settle();
  expect(contents()).toEqual(['a', 'b', 'a']);
  await passed[1]?.end(applied);
  await passed[2]?.end(applied);
  expect(gate.owing).toBe(false);
});

test('the like of what is on its way waits for that one, and goes where it fails', async () => {
  for (const [result, later] of [
    [applied, ['b']],
    [failure('CONFLICT'), ['b', 'b']],
    [failure('ABORTED'), ['b', 'b']],
  ] as const) {
    const { gate, clock, contents, passed } = start();
    gate.deliver(fakeDelivery('b', 1)).catch(() => undefined);
    expect(await gate.deliver(fakeDelivery('b', 2))).toEqual({ outcome: 'debounced' });
    await passed[0]?.end(result);
    await clock.advance(1);
    expect(contents()).toEqual(later);
  }
});

test('what failed by the fault of the sink is tried again after the interval, in its latest state', async () => {
  const { gate, clock, pass, contents, passed } = start();
  expect(await pass(fakeDelivery('a', 0), failure('UNAVAILABLE'))).toBe('UNAVAILABLE');
  expect([gate.owing, gate.dueAt()]).toEqual([true, clock.now() + 30_000]);
  await clock.advance(10_000);
  expect(await pass(fakeDelivery('b', 10), failure('UNAVAILABLE'))).toBe('UNAVAILABLE');
  await clock.advance(30_000);
  expect(contents()).toEqual(['a', 'b', 'b']);
  await passed[2]?.end(applied);
  expect(gate.owing).toBe(false);
});

test('after a failure nobody knows what the sink holds: what looks like the last one passes', async () => {
  const { pass, contents } = start();
  await pass(fakeDelivery('a', 0));
  await pass(fakeDelivery('b', 1), failure('TIMEOUT'));
  expect(await pass(fakeDelivery('a', 2))).toBe('applied');
  expect(contents()).toEqual(['a', 'b', 'a']);
});

test('a change that would have to wait takes the place of one that waits in the queue', async () => {
  const { gate, contents } = start({ minChangeIntervalMs: 5_000 });
  for (const content of ['a', 'b']) void gate.deliver({ ...fakeDelivery(content, 1), allowDeletes: true });
  void gate.deliver(fakeDelivery('c', 2));
  await settle();
  expect([contents(), gate.owing]).toEqual([['a', 'b', 'c'], false]);
});

test('a failed export does not wait for a long interval', async () => {
  const { gate, clock, pass } = start({ exportMinIntervalMs: 3_600_000 });
  await pass(fakeDelivery('a', 0), failure('TIMEOUT'));
  expect(gate.dueAt()).toBe(clock.now() + 30_000);
});

test('a failed export is not made again before the store asked for it', async () => {
  const { gate, clock, pass } = start();
  await pass(fakeDelivery('a', 0), failure('OVERLOADED', { retryAfterMs: 120_000 }));
  expect(gate.dueAt()).toBe(clock.now() + 120_000);
  expect(await pass(fakeDelivery('b', 1), failure('OVERLOADED', { retryAfterMs: 5_000 }))).toBe('OVERLOADED');
  expect(gate.dueAt()).toBe(clock.now() + 30_000);
});

test('what failed where identical exports are never repeated is tried again after half a minute', async () => {
  const { clock, pass, contents } = start({ exportMinIntervalMs: 0 });
  await pass(fakeDelivery('a', 0), failure('TIMEOUT'));
  await clock.advance(29_999);
  expect(contents()).toEqual(['a']);
  await clock.advance(1);
  expect(contents()).toEqual(['a', 'a']);
});

test.each(['SNAPSHOT_INVALID', 'CONFLICT', 'DELETE_LIMIT', 'PAYLOAD_TOO_LARGE', 'ABORTED'] as const)(
  'what failed with %s is not owed, and does not count as exported',
  async (code) => {
    const { gate, clock, pass } = start();
    await pass(fakeDelivery('a', 0), failure(code));
    expect([gate.owing, clock.timers]).toEqual([false, 0]);
    expect(await pass(fakeDelivery('a', 1))).toBe('applied');
  },
);

test('an aborted export that took the place of a debounced one is still owed', async () => {
  const { gate, clock, pass, contents, background } = start({
    isMaterialChange: (_, { generation }) => generation > 1,
  });
  await pass(fakeDelivery('a', 0));
  expect(await pass(fakeDelivery('b', 1))).toBe('debounced');
  const material = { ...fakeDelivery('c', 2), snapshot: fakeSnapshot('c', 2, { generation: 2 }) };
  expect(await pass(material, failure('ABORTED'))).toBe('ABORTED');
  await clock.advance(1);
  expect([contents(), background.length]).toEqual([['a', 'c', 'c'], 1]);
  expect(gate.owing).toBe(false);
});

test('what an open circuit skipped is owed until it is woken, without a timer', async () => {
  const { gate, clock, pass, contents, passed, skips } = start();
  expect(await pass(fakeDelivery('a', 0), { outcome: 'skipped-open-circuit' })).toBe('skipped-open-circuit');
  expect(await pass(fakeDelivery('b', 1), { outcome: 'skipped-open-circuit' })).toBe('skipped-open-circuit');
  expect([gate.owing, gate.dueAt(), clock.timers, skips()]).toEqual([true, undefined, 0, 2]);
  await clock.advance(1_000_000);
  expect(contents()).toEqual(['a', 'b']);
  expect(gate.wake()).toBe(true);
  await settle();
  expect(contents()).toEqual(['a', 'b', 'b']);
  await passed[2]?.end(applied);
  expect(gate.wake()).toBe(false);
});

test('an older snapshot is superseded, and replaces nothing that is owed', async () => {
  const { gate, pass, contents } = start(immaterial);
  await pass(fakeDelivery('b', 5));
  expect(await pass(fakeDelivery('a', 4))).toBe('superseded');
  await pass(fakeDelivery('d', 8));
  expect(await pass(fakeDelivery('c', 7))).toBe('queued-superseded');
  gate.wake();
  await settle();
  expect(contents()).toEqual(['b', 'd']);
});

test('what the sink holds already is as new as the newest snapshot that says the same', async () => {
  const { pass, contents } = start();
  await pass(fakeDelivery('a', 1));
  expect(await pass(fakeDelivery('a', 5))).toBe('debounced');
  expect(await pass(fakeDelivery('b', 3))).toBe('superseded');
  expect(contents()).toEqual(['a']);
});

test('a change that waits for a long interval is delivered sooner where the export before it failed', async () => {
  const { gate, clock, passed, contents } = start({ ...immaterial, exportMinIntervalMs: 3_600_000 });
  gate.deliver(fakeDelivery('a', 0)).catch(() => undefined);
  expect((await gate.deliver(fakeDelivery('b', 1))).outcome).toBe('debounced');
  await passed[0]?.end(failure('TIMEOUT'));
  await clock.advance(30_000);
  expect(contents()).toEqual(['a', 'b']);
});

test('an export that may delete passes at once', async () => {
  const { pass, contents } = start(immaterial);
  await pass(fakeDelivery('a', 0));
  expect(await pass({ ...fakeDelivery('b', 1), allowDeletes: true })).toBe('applied');
  expect(contents()).toEqual(['a', 'b']);
});

test('a removal passes, drops what is owed and older, and fences what is older', async () => {
  const { gate, clock, pass, contents } = start(immaterial);
  await pass(fakeDelivery('a', 0));
  await pass(fakeDelivery('b', 1));
  const scope = { inventoryNamespace: 'team', inventoryName: 'all' };
  const removal = removalDelivery(scope, {
    removedAt: Date.parse(fakeSnapshot('', 2).exportedAt),
    signal: new AbortController().signal,
  });
  expect(await pass(removal)).toBe('applied');
  await clock.advance(100_000);
  expect([contents(), gate.owing]).toEqual([['a', undefined], false]);
  expect(await pass(fakeDelivery('b', 1))).toBe('superseded');
  expect(await pass(fakeDelivery('a', 3))).toBe('applied');
});

test('a removal that failed is owed like a snapshot', async () => {
  const { clock, pass, passed } = start();
  const removal = removalDelivery(
    { inventoryNamespace: 'team', inventoryName: 'all' },
    { removedAt: Date.parse(fakeSnapshot('', 2).exportedAt), signal: new AbortController().signal },
  );
  await pass(removal, failure('UNAVAILABLE'));
  await clock.advance(30_000);
  expect(passed.map(({ delivery }) => delivery.operation)).toEqual(['remove-inventory', 'remove-inventory']);
});

test('another sink knows nothing of what the old one got, nor of what was on its way to it', async () => {
  const { gate, pass, passed } = start();
  await pass(fakeDelivery('a', 0));
  const running = gate.deliver(fakeDelivery('b', 1));
  gate.forget();
  await passed[1]?.end(applied);
  await running;
  expect(await pass(fakeDelivery('b', 2))).toBe('applied');
});

test('after it was given up nothing is owed', async () => {
  const { gate, clock, pass, contents } = start(immaterial);
  await pass(fakeDelivery('a', 0));
  await pass(fakeDelivery('b', 1));
  gate.dispose();
  await pass(fakeDelivery('c', 2));
  await clock.advance(100_000);
  expect([contents(), gate.owing, clock.timers]).toEqual([['a'], false, 0]);
});

test('a background delivery runs in the context of no caller, whoever held it back or wakes it', async () => {
  const caller = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const clock = manualClock();
  let result: DeliveryResult = applied;
  const next = {
    deliver: async () => {
      seen.push(caller.getStore());
      return result;
    },
  };
  const gate = createGate({
    next,
    clock,
    rules: () => ({ ...rules, ...immaterial }),
    lifetime: new AbortController().signal,
  });
  await caller.run('first', () => gate.deliver(fakeDelivery('a', 0)));
  await caller.run('second', () => gate.deliver(fakeDelivery('b', 1)));
  await caller.run('timer', () => clock.advance(30_000));
  result = { outcome: 'skipped-open-circuit' };
  await caller.run('third', () => gate.deliver({ ...fakeDelivery('c', 2), allowDeletes: true }));
  caller.run('probe', () => gate.wake());
  await settle();
  expect(seen).toEqual(['first', undefined, 'third', undefined]);
});

test('a background delivery has the signal of the exporter, and attempts of its own', async () => {
  const { clock, pass, background, end, passed } = start(immaterial);
  await pass(fakeDelivery('a', 0));
  const debounced = fakeDelivery('b', 1);
  debounced.progress.attempts = 7;
  await pass(debounced);
  await clock.advance(30_000);
  expect(background[0]).toMatchObject({ progress: { attempts: 0 } });
  expect(background[0]?.signal).toBe(end.signal);
  expect(passed[1]?.delivery).toBe(background[0]);
  expect(redelivery(debounced, end.signal).progress).not.toBe(debounced.progress);
});

/** `lost`: the store has it, and its answer got lost. */
type Ending = 'applied' | 'skipped' | 'UNAVAILABLE' | 'lost' | 'ABORTED';

type Step =
  | { readonly kind: 'put'; readonly content: string }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'end'; readonly how: Ending }
  | { readonly kind: 'abort' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'abort' as const }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), content: fc.constantFrom('a', 'b', 'c') }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 2_000, 10_000, 30_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      how: fc.constantFrom<Ending>('applied', 'UNAVAILABLE', 'skipped', 'lost'),
    }),
  },
);

interface Put {
  readonly content: string;
  readonly time: number;
  readonly caller: AbortController;
  told: string;
}

// The oracle is a list of what the host handed over and what it was told. Gate and queue are together here, as in the chain.
test(
  'whatever happens between, once faults end the store holds the last snapshot that its caller did not abort',
  async () => {
    await fuzzProperty(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.record({
          exportMinIntervalMs: fc.constantFrom(0, 5_000, 30_000),
          minChangeIntervalMs: fc.constantFrom(0, 3_000),
          isImmaterial: fc.boolean(),
        }),
        async (steps, { isImmaterial, ...pace }) => {
          const clock = manualClock();
          let stored: { readonly content: string | undefined; readonly time: number } = { content: undefined, time: 0 };
          let running:
            | { readonly delivery: Delivery; readonly end: (result: DeliveryResult | SinkError) => void }
            | undefined;
          let isShared = false;
          const queue = createQueue({
            next: {
              deliver: (delivery) =>
                new Promise((resolve, reject) => {
                  isShared ||= running !== undefined;
                  running = { delivery, end: (result) => ('code' in result ? reject(result) : resolve(result)) };
                }),
            },
          });
          const lifetime = new AbortController();
          const gate = createGate({
            next: queue,
            clock,
            rules: () => ({ ...pace, ...(isImmaterial ? immaterial : {}) }),
            lifetime: lifetime.signal,
          });
          const finish = async (how: Ending): Promise<void> => {
            const current = running;
            running = undefined;
            if ((how === 'applied' || how === 'lost') && current !== undefined)
              stored = { content: current.delivery.snapshot?.checksum, time: current.delivery.time };
            current?.end(
              how === 'applied'
                ? applied
                : how === 'skipped'
                  ? { outcome: 'skipped-open-circuit' }
                  : failure(how === 'lost' ? 'TIMEOUT' : how),
            );
            await settle();
          };
          const puts: Put[] = [];
          for (const one of steps) {
            if (one.kind === 'put') {
              const caller = new AbortController();
              const delivery = fakeDelivery(one.content, puts.length + 1, caller.signal);
              const put: Put = { content: one.content, time: delivery.time, caller, told: '' };
              puts.push(put);
              gate
                .deliver(delivery)
                .then(
                  ({ outcome }) => (put.told = outcome),
                  ({ code }: SinkError) => (put.told = code),
                )
                .catch(() => undefined);
              await settle();
            }
            if (one.kind === 'advance') await clock.advance(one.ms);
            if (one.kind === 'end') await finish(one.how);
            const last = puts.at(-1);
            if (one.kind === 'abort' && last !== undefined) {
              last.caller.abort();
              await settle();
              if (running?.delivery.signal === last.caller.signal) await finish('ABORTED');
            }
          }
          for (let round = 0; round < 5; round += 1) {
            while (running !== undefined) await finish('applied');
            gate.wake();
            await settle();
            while (running !== undefined) await finish('applied');
            await clock.advance(30_000);
          }
          const wanted = puts.findLast(({ told }) => told !== 'ABORTED');
          expect(wanted === undefined || stored.content === wanted.content || stored.time > wanted.time).toBe(true);
          expect([isShared, gate.owing, queue.running, queue.waiting, clock.timers]).toEqual([
            false,
            false,
            false,
            false,
            0,
          ]);
        },
      ),
      500,
    );
  },
  fuzzTimeoutMs,
);
