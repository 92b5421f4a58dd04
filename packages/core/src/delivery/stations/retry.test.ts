import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { SinkError } from '../../contract/errors/errors.ts';
import type { DeliveryResult } from '../delivery.ts';
import { applied, failure, fakeDelivery } from '../delivery.fixture.ts';
import { systemClock } from '../delivery-clock.ts';
import { createRetry } from './retry.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const retry = { retries: 3, minDelayMs: 500, maxDelayMs: 30_000, factor: 2 };
const clock = { ...systemClock, now: () => Date.now() };

interface Given {
  readonly answers: readonly (SinkError | DeliveryResult)[];
  readonly retry?: Partial<typeof retry>;
  readonly deadlineMs?: number;
}

/** Answers in their order, the last one again and again. */
function start({ answers, retry: changes = {}, deadlineMs = 120_000 }: Given) {
  const at: number[] = [];
  const retried: string[] = [];
  const caller = new AbortController();
  const begun = Date.now();
  const sink = createRetry({
    next: {
      deliver: async () => {
        const answer = answers[Math.min(at.length, answers.length - 1)] ?? applied;
        at.push(Date.now() - begun);
        if ('code' in answer) throw answer;
        return answer;
      },
    },
    retry: { ...retry, ...changes },
    deadlineMs,
    clock,
    onRetry: ({ code }) => retried.push(code),
  });
  const delivery = fakeDelivery('a', 0, caller.signal);
  const ended = sink.deliver(delivery).then(
    ({ outcome }) => outcome,
    ({ code }: SinkError) => code,
  );
  const listeners = () => getEventListeners(caller.signal, 'abort').length;
  return { ended, at, retried, caller, delivery, listeners };
}

test('tries again what may succeed later, after waits that grow and hold some chance', async () => {
  const { ended, at, retried, delivery, listeners } = start({
    answers: [failure('UNAVAILABLE'), failure('TIMEOUT'), failure('OVERLOADED'), applied],
  });
  await jest.advanceTimersByTimeAsync(60_000);
  expect(await ended).toBe('applied');
  expect(delivery.progress.attempts).toBe(4);
  expect(retried).toEqual(['UNAVAILABLE', 'TIMEOUT', 'OVERLOADED']);
  const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0));
  for (const [index, least] of [500, 1_000, 2_000].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(least);
    expect(waits[index]).toBeLessThanOrEqual(2 * least);
  }
  expect([listeners(), jest.getTimerCount()]).toEqual([0, 0]);
});

test('chance makes a wait up to twice as long', async () => {
  const random = jest.spyOn(Math, 'random').mockReturnValue(0.5);
  const { ended, at } = start({ answers: [failure('UNAVAILABLE')], retry: { maxDelayMs: 2_500 } });
  await jest.advanceTimersByTimeAsync(10_000);
  random.mockRestore();
  expect([await ended, at]).toEqual(['UNAVAILABLE', [0, 750, 2_250, 4_750]]);
});

test('ends with the last failure after so many retries', async () => {
  const { ended, at } = start({ answers: [failure('UNAVAILABLE'), failure('TIMEOUT')] });
  await jest.advanceTimersByTimeAsync(60_000);
  expect([await ended, at.length]).toEqual(['TIMEOUT', 4]);
});

test.each(['CONFLICT', 'AUTHENTICATION_FAILED', 'ABORTED', 'BACKEND_ERROR'] as const)(
  '%s is not tried again',
  async (code) => {
    const { ended, at } = start({ answers: [failure(code)] });
    expect([await ended, at.length]).toEqual([code, 1]);
  },
);

test('reads whether an error may go away, and not its code', async () => {
  const stubborn = start({ answers: [failure('UNAVAILABLE', { retryable: false })] });
  expect([await stubborn.ended, stubborn.at.length]).toEqual(['UNAVAILABLE', 1]);
  const passing = start({ answers: [failure('BACKEND_ERROR', { retryable: true }), applied] });
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await passing.ended).toBe('applied');
});

test('waits as long as the store asks', async () => {
  const { ended, at } = start({ answers: [failure('OVERLOADED', { retryAfterMs: 20_000 }), applied] });
  await jest.advanceTimersByTimeAsync(19_999);
  expect(at).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(2);
  expect([await ended, at.length]).toEqual(['applied', 2]);
});

test('makes no attempt past the deadline, and does not wait for one that it will not make', async () => {
  const { ended, at } = start({ answers: [failure('OVERLOADED', { retryAfterMs: 20_000 })], deadlineMs: 20_000 });
  await jest.advanceTimersByTimeAsync(0);
  expect([await ended, at.length, jest.getTimerCount()]).toEqual(['OVERLOADED', 1, 0]);
});

test('an abort ends a wait between attempts', async () => {
  for (const options of [{}, { retryAfterMs: 20_000 }]) {
    const given = start({ answers: [failure('UNAVAILABLE', options)], retry: { minDelayMs: 10_000 } });
    await jest.advanceTimersByTimeAsync(5_000);
    given.caller.abort();
    expect([await given.ended, given.at.length, given.listeners(), jest.getTimerCount()]).toEqual(['ABORTED', 1, 0, 0]);
  }
});

test('what the sink acknowledged counts, although the caller aborted meanwhile', async () => {
  const caller = new AbortController();
  const sink = createRetry({
    next: {
      deliver: async () => {
        caller.abort();
        return applied;
      },
    },
    retry,
    deadlineMs: 1_000,
    clock,
  });
  expect(await sink.deliver(fakeDelivery('a', 0, caller.signal))).toBe(applied);
});

test('tells each attempt when the deadline passes, and makes none after it', async () => {
  const deadlines: unknown[] = [];
  const begun = Date.now();
  const sink = createRetry({
    next: {
      deliver: async ({ deadline }) => {
        deadlines.push(deadline);
        // The machine sleeps.
        if (deadlines.length === 2) jest.setSystemTime(begun + 7_000);
        throw failure('UNAVAILABLE');
      },
    },
    retry: { ...retry, minDelayMs: 0 },
    deadlineMs: 7_000,
    clock,
  });
  await expect(sink.deliver(fakeDelivery())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(deadlines).toEqual([
    { at: begun + 7_000, ms: 7_000 },
    { at: begun + 7_000, ms: 7_000 },
  ]);
});
