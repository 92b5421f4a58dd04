import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets the event loop run whenever a loop has held it for ten milliseconds. */
export interface TimeSlice {
  /** True when it is time to await `rest`. */
  due(): boolean;
  rest(): Promise<void>;
}

const sliceMs = 10;

export function createTimeSlice(): TimeSlice {
  let end = performance.now() + sliceMs;
  return {
    due: () => performance.now() >= end,
    async rest() {
      await nextTurn();
      end = performance.now() + sliceMs;
    },
  };
}
