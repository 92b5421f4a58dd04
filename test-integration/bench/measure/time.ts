import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that the work takes, and what it answers. */
export async function timed<T>(work: () => T | Promise<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
}

/** Milliseconds of the longest time within the work in which the event loop did nothing else; collecting garbage counts. */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  const resolution = 1;
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  // The histogram compares two ticks: without one before and one after the work a stall at its ends is not seen. For the same
  // reason it is not reset in between.
  await sleep(20);
  await work();
  await sleep(20);
  delays.disable();
  return Math.max(0, delays.max / 1e6 - resolution);
}

/** Collects garbage now, so that what went before is not paid by what comes next. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined)
    throw new Error('The benchmark needs node --expose-gc: without it one figure pays for the garbage of another.');
  globalThis.gc();
  globalThis.gc();
}
