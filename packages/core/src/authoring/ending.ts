import type { SinkError } from '../contract/errors.ts';

/** Something that ends once, with an error. Waits for it cost less than listeners on a signal and leave nothing behind. */
export interface Ending {
  /** The error to throw, once it ended. */
  readonly ended: SinkError | undefined;
  /** Throws that error where it ended. */
  throwIfEnded(): void;
  /** The promise's outcome, or a rejection as soon as this ends. A later outcome of the promise is dropped. */
  unlessEnded<T>(promise: Promise<T>): Promise<T>;
  /** Calls the listener once when it ends, now where it has; what it returns takes the listener away. */
  onEnd(listener: (error: SinkError) => void): () => void;
}

export interface OwnedEnding extends Ending {
  /** The first error counts. */
  end(error: SinkError): void;
}

export function createEnding(): OwnedEnding {
  const listeners = new Set<(error: SinkError) => void>();
  let ended: SinkError | undefined;
  return {
    get ended() {
      return ended;
    },
    throwIfEnded: () => {
      if (ended !== undefined) throw ended;
    },
    unlessEnded: (promise) =>
      new Promise((resolve, reject) => {
        if (ended === undefined) listeners.add(reject);
        else reject(ended);
        promise.then(
          (value) => {
            listeners.delete(reject);
            resolve(value);
          },
          (error: unknown) => {
            listeners.delete(reject);
            reject(error);
          },
        );
      }),
    onEnd: (listener) => {
      if (ended !== undefined) {
        listener(ended);
        return () => undefined;
      }
      // One of its own, so that the same function may listen twice.
      const own = (error: SinkError): void => listener(error);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    end: (error) => {
      if (ended !== undefined) return;
      ended = error;
      for (const listener of listeners) listener(error);
      listeners.clear();
    },
  };
}
