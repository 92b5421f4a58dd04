import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { CheckContext } from './check-context.ts';

/** What a store frees a moment after an operation ended may take as long, in milliseconds. */
const settleMs = 2000;

/** What is in the store and belongs to no inventory, sorted; nothing where the harness cannot say. */
export async function leftoversOf({ harness }: CheckContext): Promise<readonly string[]> {
  const { leftovers } = harness.hooks ?? {};
  return leftovers === undefined || leftovers === false ? [] : [...(await leftovers())].sort();
}

/** Fails unless they come to be these, within a moment. */
export async function expectLeftovers(
  context: CheckContext,
  expected: readonly string[],
  after: string,
): Promise<void> {
  const deadline = Date.now() + Math.min(settleMs, context.patienceMs);
  let found = await leftoversOf(context);
  while (found.join('\n') !== expected.join('\n') && Date.now() < deadline) {
    await delay(20);
    found = await leftoversOf(context);
  }
  assert.deepEqual(found, expected, `After ${after} something is left in the store, or gone, that was not before.`);
}
