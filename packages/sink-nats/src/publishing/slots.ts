import type { Ending } from '@kollect/core/authoring';

/** Lets so many run at once; the others wait for their turn. */
export interface Slots {
  run<T>(waiting: Ending, work: () => Promise<T>): Promise<T>;
}

export function createSlots(count: number): Slots {
  const queue: (() => void)[] = [];
  let free = count;
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    run: async (waiting, work) => {
      if (free > 0) free -= 1;
      else {
        const turn = new Promise<void>((resolve) => queue.push(resolve));
        try {
          await waiting.unlessEnded(turn);
        } catch (error) {
          // Whoever left hands its turn on when it comes.
          void turn.then(leave);
          throw error;
        }
      }
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
