import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What became of a promise. */
export type Settled<T> =
  | { readonly status: 'fulfilled'; readonly value: T }
  | { readonly status: 'rejected'; readonly reason: unknown };

/** The promise's end; fails, naming it, where none comes in time. */
export async function settle<T>(what: string, promise: Promise<T>, patienceMs: number): Promise<Settled<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), patienceMs);
  });
  const end = promise.then(
    (value): Settled<T> => ({ status: 'fulfilled', value }),
    (reason: unknown): Settled<T> => ({ status: 'rejected', reason }),
  );
  const first = await Promise.race([end, late]);
  clearTimeout(timer);
  return first === 'late' ? assert.fail(`${what} did not settle within ${patienceMs} ms.`) : first;
}

/** Lets the event loop turn so many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

/** True as soon as the condition holds, false where it does not within the time. */
export async function eventually(condition: () => boolean, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  while (!condition()) {
    if (Date.now() > deadline) return false;
    await nextTurn();
  }
  return true;
}
