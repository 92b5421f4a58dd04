import { expect, test } from '@jest/globals';
import { createAlarm, type AlarmClock } from './alarm.ts';

interface FakeClock extends AlarmClock {
  time: number;
  /** Of every timer that was armed, how long it had to wait. */
  readonly armed: number[];
  readonly pending: number;
  /** Lets the timers ring whose time has come. */
  advance(ms: number): void;
}

function fakeClock(): FakeClock {
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  const clock: FakeClock = {
    time: 0,
    armed: [],
    now: () => clock.time,
    setTimeout: (callback, ms) => {
      clock.armed.push(ms);
      timers.set(clock.armed.length, { at: clock.time + ms, callback });
      return clock.armed.length;
    },
    clearTimeout: (timer) => void timers.delete(timer as number),
    get pending() {
      return timers.size;
    },
    advance: (ms) => {
      clock.time += ms;
      for (const [id, { at, callback }] of timers) {
        if (at > clock.time) continue;
        timers.delete(id);
        callback();
      }
    },
  };
  return clock;
}

test('rings in the order of the times, with one timer', () => {
  const clock = fakeClock();
  const alarm = createAlarm(clock);
  const rung: string[] = [];
  for (const [ms, name] of [
    [30, 'c'],
    [10, 'a'],
    [20, 'b'],
    [10, 'a again'],
  ] as const) {
    alarm.after(ms, () => rung.push(name));
    expect(clock.pending).toBe(1);
  }
  for (const expected of [['a', 'a again'], ['b'], ['c']]) {
    clock.advance(10);
    expect(rung.splice(0)).toEqual(expected);
  }
  expect(clock.pending).toBe(0);
});

test('what was taken back does not ring, and the last one takes the timer along', () => {
  const clock = fakeClock();
  const alarm = createAlarm(clock);
  const rung: string[] = [];
  const cancel = alarm.after(10, () => rung.push('first'));
  const cancelLast = alarm.after(50, () => rung.push('last'));
  cancel();
  expect(clock.pending).toBe(1);
  clock.advance(10);
  expect([rung, clock.pending]).toEqual([[], 1]);
  cancelLast();
  cancelLast();
  expect(clock.pending).toBe(0);
});

test('a hundred short waits within a long one arm no timer each', () => {
  const clock = fakeClock();
  const alarm = createAlarm(clock);
  alarm.after(60_000, () => undefined);
  for (let step = 0; step < 100; step += 1) alarm.after(10_000, () => undefined)();
  expect(clock.armed).toEqual([60_000, 10_000]);
});

test('rings although its clock is a little behind or was set back', () => {
  const clock = fakeClock();
  const alarm = createAlarm(clock);
  const rung: string[] = [];
  alarm.after(10, () => rung.push('first'));
  alarm.after(20, () => rung.push('second'));
  clock.time = -1_000;
  clock.advance(1_010);
  clock.advance(10);
  expect(rung).toEqual(['first', 'second']);
});

test('waits longer than a timer can hold, and not at all for what is no time', () => {
  const clock = fakeClock();
  const alarm = createAlarm(clock);
  const rung: string[] = [];
  const day = 24 * 60 * 60_000;
  alarm.after(30 * day, () => rung.push('month'));
  for (let days = 0; days < 30; days += 1) {
    expect(rung).toEqual([]);
    clock.advance(day);
  }
  expect(rung).toEqual(['month']);
  expect(Math.max(...clock.armed)).toBeLessThan(2 ** 31);
  alarm.after(Number.NaN, () => rung.push('now'));
  clock.advance(0);
  expect(rung).toEqual(['month', 'now']);
});
