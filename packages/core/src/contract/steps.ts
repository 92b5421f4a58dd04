import type { TimeSlices } from './time-slices.ts';

/** Work that can pause: each `yield` is a place where others may run. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Does the work at once. */
export function runSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Does the work in slices of the event loop. */
export async function runInSlices<T>(steps: Steps<T>, slices: TimeSlices): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (slices.due()) await slices.next();
  }
}
