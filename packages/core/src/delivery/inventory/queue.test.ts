import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SinkError } from '../../contract/errors/errors.ts';
import { fuzzProperty, fuzzTimeoutMs } from '../../contract/fuzz.fixture.ts';
import type { Delivery, DeliveryResult } from '../delivery.ts';
import { applied, codeOf, deferred, failure, fakeDelivery, settle } from '../delivery.fixture.ts';
import { createSlots } from './slots.ts';
import { createQueue, type Queue } from './queue.ts';

function start(request?: Parameters<typeof createQueue>[0]['request']) {
  const begun: { readonly delivery: Delivery; readonly end: (result?: DeliveryResult | SinkError) => Promise<void> }[] =
    [];
  const queue = createQueue({
    next: {
      deliver: (delivery) =>
        new Promise((resolve, reject) => {
          const end = async (result: DeliveryResult | SinkError = applied): Promise<void> => {
            if ('code' in result) reject(result);
            else resolve(result);
            await settle();
          };
          begun.push({ delivery, end });
        }),
    },
    ...(request === undefined ? {} : { request }),
  });
  return { queue, begun, contents: () => begun.map(({ delivery }) => delivery.snapshot?.checksum) };
}

const outcomeOf = (queue: Queue, delivery: Delivery): Promise<string> =>
  queue.deliver(delivery).then(
    ({ outcome }) => outcome,
    ({ code }: SinkError) => code,
  );

test('one runs, one waits, and a newer one takes the place of the one that waits', async () => {
  const { queue, begun, contents } = start();
  const outcomes = ['a', 'b', 'c', 'd'].map((content, second) => outcomeOf(queue, fakeDelivery(content, second)));
  expect(await Promise.all([outcomes[1], outcomes[2]])).toEqual(['queued-superseded', 'queued-superseded']);
  expect([contents(), queue.running, queue.waiting]).toEqual([['a'], true, true]);
  await begun[0]?.end();
  expect(contents()).toEqual(['a', 'd']);
  await begun[1]?.end();
  expect(await Promise.all([outcomes[0], outcomes[3]])).toEqual(['applied', 'applied']);
  expect([queue.running, queue.waiting]).toEqual([false, false]);
});

test('an older one takes no place, neither of one that waits nor of one that runs', async () => {
  const { queue, begun, contents } = start();
  void queue.deliver(fakeDelivery('b', 5));
  expect(await outcomeOf(queue, fakeDelivery('a', 4))).toBe('queued-superseded');
  void queue.deliver(fakeDelivery('d', 9));
  expect(await outcomeOf(queue, fakeDelivery('c', 8))).toBe('queued-superseded');
  await begun[0]?.end();
  expect(contents()).toEqual(['b', 'd']);
});

test('what fails does not stop what waits', async () => {
  const { queue, begun, contents } = start();
  const first = outcomeOf(queue, fakeDelivery('a', 0));
  void queue.deliver(fakeDelivery('b', 1));
  await begun[0]?.end(failure('UNAVAILABLE'));
  expect([await first, contents()]).toEqual(['UNAVAILABLE', ['a', 'b']]);
});

test('a caller who aborts leaves the queue, and no listener stays on any signal', async () => {
  const { queue, begun, contents } = start();
  const callers = [new AbortController(), new AbortController(), new AbortController()];
  const outcomes = callers.map(({ signal }, second) =>
    outcomeOf(queue, fakeDelivery('abc'.charAt(second), second, signal)),
  );
  expect(callers.map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual([0, 0, 1]);
  callers[2]?.abort();
  expect([await outcomes[2], queue.waiting]).toEqual(['ABORTED', false]);
  await begun[0]?.end();
  expect([await outcomes[0], contents()]).toEqual(['applied', ['a']]);
  expect(callers.map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual([0, 0, 0]);
  expect(await codeOf(queue.deliver(fakeDelivery('d', 4, callers[2]?.signal)))).toBe('ABORTED');
});

test('a caller who aborts what left the queue already learns what the sink says', async () => {
  const { queue, begun } = start();
  const caller = new AbortController();
  void queue.deliver(fakeDelivery('a', 0));
  const outcome = outcomeOf(queue, fakeDelivery('b', 1, caller.signal));
  await begun[0]?.end();
  caller.abort();
  await begun[1]?.end();
  expect(await outcome).toBe('applied');
});

test('what waits can be ended by others', async () => {
  const { queue } = start();
  void queue.deliver(fakeDelivery('a', 0));
  const waiting = outcomeOf(queue, fakeDelivery('b', 1));
  queue.discard(failure('ABORTED'));
  expect(await waiting).toBe('ABORTED');
  expect([queue.running, queue.waiting]).toEqual([true, false]);
});

test('what waits for a slot is still replaced by what is newer', async () => {
  const slots = createSlots({ total: 1, sinks: () => 1 });
  const other = deferred<void>();
  slots.request('sink', 1, () => other.promise);
  const { queue, contents } = start((work) => slots.request('sink', 1, work));
  const first = outcomeOf(queue, fakeDelivery('a', 0));
  void queue.deliver(fakeDelivery('b', 1));
  expect([await first, contents(), slots.waiting]).toEqual(['queued-superseded', [], 1]);
  other.resolve();
  await settle();
  expect([contents(), slots.waiting]).toEqual([['b'], 0]);
});

test('a caller who aborts while it waits for a slot gives the request back', async () => {
  const slots = createSlots({ total: 1, sinks: () => 1 });
  slots.request('sink', 1, () => new Promise(() => undefined));
  const { queue } = start((work) => slots.request('sink', 1, work));
  const caller = new AbortController();
  const outcome = outcomeOf(queue, fakeDelivery('a', 0, caller.signal));
  caller.abort();
  expect([await outcome, slots.waiting]).toEqual(['ABORTED', 0]);
});

test('what waited runs in the context of its own caller', async () => {
  const context = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const gates = [deferred<void>(), deferred<void>()];
  const queue = createQueue({
    next: {
      deliver: async () => {
        seen.push(context.getStore());
        await gates[seen.length - 1]?.promise;
        return applied;
      },
    },
  });
  const first = context.run('first', () => queue.deliver(fakeDelivery('a', 0)));
  const second = context.run('second', () => queue.deliver(fakeDelivery('b', 1)));
  for (const gate of gates) gate.resolve();
  await Promise.all([first, second]);
  expect(seen).toEqual(['first', 'second']);
});

type Step = { readonly kind: 'put'; readonly time: number } | { readonly kind: 'end' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), time: fc.nat(20) }),
  fc.constant({ kind: 'end' as const }),
);

test(
  'behaves as two variables do',
  async () => {
    await fuzzProperty(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { queue, begun } = start();
        const told = new Map<number, string>();
        const expected = new Map<number, string>();
        let running: { readonly id: number; readonly time: number } | undefined;
        let waiting: typeof running;
        let ended = 0;
        for (const [id, one] of steps.entries()) {
          if (one.kind === 'put') {
            void outcomeOf(queue, fakeDelivery(String(id), one.time)).then((outcome) => told.set(id, outcome));
            if (one.time < ((waiting ?? running)?.time ?? -1)) expected.set(id, 'queued-superseded');
            else if (running === undefined) running = { id, time: one.time };
            else {
              if (waiting !== undefined) expected.set(waiting.id, 'queued-superseded');
              waiting = { id, time: one.time };
            }
          } else if (running !== undefined) {
            await begun[ended]?.end();
            ended += 1;
            expected.set(running.id, 'applied');
            running = waiting;
            waiting = undefined;
          }
          await settle();
          expect(begun.at(-1)?.delivery.snapshot?.checksum).toBe(
            running === undefined ? begun.at(-1)?.delivery.snapshot?.checksum : String(running.id),
          );
          expect([queue.running, queue.waiting]).toEqual([running !== undefined, waiting !== undefined]);
          expect(told).toEqual(expected);
        }
      }),
      200,
    );
  },
  fuzzTimeoutMs,
);
