import { SinkError } from '../errors/errors.ts';
import { nameOfThrown } from '../errors/thrown.ts';

/** What the host's iterable, called `subject` in a message, gives. What it throws is not passed on: that may hold anything. */
export function* readAll(items: Iterable<unknown>, subject: string): Iterable<unknown> {
  let count = 0;
  try {
    for (const item of items) {
      yield item;
      count += 1;
    }
  } catch (error) {
    if (SinkError.isInstance(error)) throw error;
    throw new SinkError(
      'SNAPSHOT_INVALID',
      `${subject} could be read up to item ${count} alone: going on threw ${nameOfThrown(error)}.`,
      { operation: 'seal' },
    );
  }
}
