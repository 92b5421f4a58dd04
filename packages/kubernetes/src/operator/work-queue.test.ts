import { expect, test } from '@jest/globals';
import { manualClock, settle } from '../testing/manual-clock.fixture.ts';
import { createWorkQueue } from './work-queue.ts';

function start({ concurrency = 2 } = {}) {
  const clock = manualClock();
  const began: string[] = [];
  const failures: string[] = [];
  const running = new Map<string, { end: (again?: number) => void; fail: () => void }>();
  const queue = createWorkQueue({
    clock,
    concurrency,
    onFailure: (key) => void failures.push(key),
    run: (key) => {
      began.push(key);
      return new Promise((resolve, reject) => {
        running.set(key, { end: resolve, fail: () => reject(new Error('x')) });
      });
    },
  });
  const end = async (key: string, again?: number): Promise<void> => {
    running.get(key)?.end(again);
    await settle();
  };
  const fail = async (key: string): Promise<void> => {
    running.get(key)?.fail();
    await settle();
  };
  return { clock, queue, began, failures, end, fail };
}

test('each key runs once at a time, no more of them than may, and again where it was added meanwhile', async () => {
  const { queue, began, end } = start();
  for (const key of ['a', 'b', 'c', 'a', 'a', 'c']) queue.add(key);
  expect(began).toEqual(['a', 'b']);
  await end('b');
  expect(began).toEqual(['a', 'b', 'c']);
  await end('c');
  expect(began).toEqual(['a', 'b', 'c']);
  await end('a');
  expect(began).toEqual(['a', 'b', 'c', 'a']);
  await end('a');
  expect(queue.size).toBe(0);
});

test('the sooner of two delays counts, and what comes at once takes its place', async () => {
  const { clock, queue, began, end } = start();
  queue.add('a', 1_000);
  queue.add('a', 5_000);
  await clock.advance(999);
  expect(began).toEqual([]);
  await clock.advance(1);
  expect(began).toEqual(['a']);
  await end('a', 10_000);
  queue.add('a', 2_000);
  await clock.advance(2_000);
  expect(began).toEqual(['a', 'a']);
  await end('a', 10_000);
  queue.add('a');
  await end('a');
  await clock.advance(60_000);
  expect(began).toEqual(['a', 'a', 'a']);
  expect(clock.timers).toBe(0);
});

test('after failures a key waits, longer each time, and no other key waits for it', async () => {
  const { clock, queue, began, failures, fail, end } = start({ concurrency: 1 });
  queue.add('a');
  queue.add('b');
  await fail('a');
  expect(began).toEqual(['a', 'b']);
  await end('b');
  for (let round = 0; round < 20; round++) {
    await clock.advance(30_000);
    await fail('a');
  }
  expect(failures).toHaveLength(21);
  await clock.advance(15_000 - 1);
  expect(began).toHaveLength(22);
  await clock.advance(15_001);
  await end('a');
  expect(queue.size).toBe(0);
});

test('close waits for what runs and begins nothing more', async () => {
  const { clock, queue, began, end } = start({ concurrency: 1 });
  queue.add('a');
  queue.add('b');
  queue.add('c', 1_000);
  let closed = false;
  const closing = queue.close().then(() => (closed = true));
  await clock.advance(5_000);
  expect([closed, began]).toEqual([false, ['a']]);
  await end('a', 5);
  await closing;
  queue.add('d');
  expect([began, clock.timers]).toEqual([['a'], 0]);
});
