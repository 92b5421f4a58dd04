import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { SinkError } from '../../contract/errors/errors.ts';
import { createBreaker, type BreakerChange } from './breaker.ts';
import type { DeliveryResult } from '../delivery.ts';
import { applied, deferred, failure, fakeDelivery } from '../delivery.fixture.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const limits = { failures: 3, openForMs: 30_000, forbiddenOpenForMs: 300_000 };
const clock = { now: () => Date.now(), setTimeout, clearTimeout: () => undefined };

function start() {
  let answer: () => Promise<DeliveryResult> = async () => applied;
  let tried = 0;
  const changes: BreakerChange[] = [];
  const sink = createBreaker({
    next: {
      deliver: () => {
        tried += 1;
        return answer();
      },
    },
    breaker: limits,
    clock,
    onStateChange: (change) => changes.push(change),
  });
  const deliver = (given?: () => Promise<DeliveryResult>): Promise<string> => {
    if (given !== undefined) answer = given;
    return sink.deliver(fakeDelivery()).then(
      ({ outcome }) => outcome,
      ({ code }: SinkError) => code,
    );
  };
  const fail = (code: Parameters<typeof failure>[0], options = {}) =>
    deliver(async () => Promise.reject(failure(code, options)));
  return { sink, deliver, fail, changes, tried: () => tried };
}

const success = async (): Promise<DeliveryResult> => applied;

test('opens after failures in a row, skips at once, and lets one through when the time is over', async () => {
  const { sink, deliver, fail, changes, tried } = start();
  for (let round = 0; round < 2; round += 1) expect(await fail('UNAVAILABLE')).toBe('UNAVAILABLE');
  expect(await deliver(success)).toBe('applied');
  for (let round = 0; round < 3; round += 1) await fail('UNAVAILABLE');
  expect([sink.state(), sink.openUntil()]).toEqual(['open', Date.now() + 30_000]);
  expect(await sink.deliver(fakeDelivery())).toMatchObject({
    outcome: 'skipped-open-circuit',
    dueAt: Date.now() + 30_000,
    error: { code: 'UNAVAILABLE' },
  });
  expect(tried()).toBe(6);
  jest.advanceTimersByTime(29_999);
  expect([await deliver(), sink.state()]).toEqual(['skipped-open-circuit', 'open']);
  jest.advanceTimersByTime(1);
  expect(sink.state()).toBe('half-open');
  const probe = deliver(success);
  expect(await deliver()).toBe('skipped-open-circuit');
  expect([await probe, sink.state()]).toEqual(['applied', 'closed']);
  expect(changes.map(({ from, to }) => `${from}>${to}`)).toEqual(['closed>open', 'open>half-open', 'half-open>closed']);
  expect(await deliver()).toBe('applied');
});

test('a probe that fails opens it again for the whole time', async () => {
  const { sink, fail, tried } = start();
  for (let round = 0; round < 3; round += 1) await fail('TIMEOUT');
  jest.advanceTimersByTime(30_000);
  await fail('TIMEOUT');
  expect([sink.state(), sink.openUntil(), tried()]).toEqual(['open', Date.now() + 30_000, 4]);
});

test.each(['SNAPSHOT_INVALID', 'CONFLICT', 'DELETE_LIMIT', 'PAYLOAD_TOO_LARGE', 'ABORTED'] as const)(
  '%s never opens it',
  async (code) => {
    const { sink, fail } = start();
    for (let round = 0; round < 20; round += 1) expect(await fail(code)).toBe(code);
    expect(sink.state()).toBe('closed');
  },
);

test('an abort between failures neither counts nor starts the count anew', async () => {
  const { sink, fail } = start();
  await fail('UNAVAILABLE');
  await fail('UNAVAILABLE');
  await fail('ABORTED');
  await fail('UNAVAILABLE');
  expect(sink.state()).toBe('open');
});

test.each(['AUTHENTICATION_FAILED', 'PERMISSION_DENIED', 'EGRESS_DENIED'] as const)(
  '%s opens it at once and for longer',
  async (code) => {
    const { sink, fail } = start();
    await fail(code);
    expect([sink.state(), sink.openUntil()]).toEqual(['open', Date.now() + 300_000]);
    jest.advanceTimersByTime(299_999);
    expect(sink.state()).toBe('open');
    jest.advanceTimersByTime(1);
    expect(sink.state()).toBe('half-open');
  },
);

test('what the store asks for makes the wait longer', async () => {
  const { sink, fail } = start();
  for (let round = 0; round < 3; round += 1) await fail('OVERLOADED', { retryAfterMs: 90_000 });
  expect(sink.openUntil()).toBe(Date.now() + 90_000);
  jest.advanceTimersByTime(89_999);
  expect(sink.state()).toBe('open');
});

test.each([
  [Number.POSITIVE_INFINITY, 86_400_000],
  [3e9, 86_400_000],
  [Number.NaN, 30_000],
  [-1, 30_000],
])('a wait of %p ms, as a faulty store may ask for, opens it for %p', async (retryAfterMs, openForMs) => {
  const { sink, fail } = start();
  for (let round = 0; round < 3; round += 1) await fail('OVERLOADED', { retryAfterMs });
  expect(sink.openUntil()).toBe(Date.now() + openForMs);
  jest.advanceTimersByTime(openForMs - 1);
  expect(sink.state()).toBe('open');
});

test('a probe that its caller aborted decides nothing: the next one comes soon', async () => {
  const { sink, fail, deliver } = start();
  for (let round = 0; round < 3; round += 1) await fail('UNAVAILABLE');
  jest.advanceTimersByTime(30_000);
  expect([await fail('ABORTED'), sink.state()]).toEqual(['ABORTED', 'open']);
  jest.advanceTimersByTime(1_000);
  expect([await deliver(success), sink.state()]).toEqual(['applied', 'closed']);
});

test('a probe that fails by the fault of its snapshot shows that the store answers', async () => {
  const { sink, fail } = start();
  for (let round = 0; round < 3; round += 1) await fail('UNAVAILABLE');
  jest.advanceTimersByTime(30_000);
  expect([await fail('CONFLICT'), sink.state()]).toEqual(['CONFLICT', 'closed']);
});

test('failures of exports that began earlier do not open it by share', async () => {
  const { sink, deliver } = start();
  const rejects: ((error: SinkError) => void)[] = [];
  const running = [1, 2].map(() => deliver(() => new Promise((_, reject) => rejects.push(reject))));
  rejects[0]?.(failure('UNAVAILABLE'));
  await running[0];
  rejects[1]?.(failure('UNAVAILABLE'));
  await running[1];
  expect(sink.state()).toBe('closed');
});

test('holds no timer while it is closed or half-open, one while it is open, and none after its end', async () => {
  const { sink, fail } = start();
  expect(jest.getTimerCount()).toBe(0);
  for (let round = 0; round < 3; round += 1) await fail('UNAVAILABLE');
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(30_000);
  expect(jest.getTimerCount()).toBe(0);
  await fail('UNAVAILABLE');
  sink.shutdown();
  expect(jest.getTimerCount()).toBe(0);
});

test('what runs while it is shut down ends as it would have', async () => {
  const { sink, deliver } = start();
  const answers = [deferred<DeliveryResult>(), deferred<DeliveryResult>()];
  const running = answers.map(({ promise }) => deliver(() => promise));
  sink.shutdown();
  answers[0]?.resolve(applied);
  answers[1]?.reject(failure('UNAVAILABLE'));
  expect(await Promise.all(running)).toEqual(['applied', 'UNAVAILABLE']);
  expect(await deliver(success)).toBe('applied');
});
