import type { SinkError } from '../../contract/errors/errors.ts';

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
  return new EndingState();
}

/** A class, for an export makes one and waits on it several times: a literal with accessors costs more than all of the waits. */
export class EndingState implements OwnedEnding {
  readonly #listeners = new Set<(error: SinkError) => void>();
  #ended: SinkError | undefined;

  get ended(): SinkError | undefined {
    return this.#ended;
  }

  throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  unlessEnded<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const listeners = this.#listeners;
      if (this.#ended === undefined) listeners.add(reject);
      else reject(this.#ended);
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
    });
  }

  onEnd(listener: (error: SinkError) => void): () => void {
    if (this.#ended !== undefined) {
      listener(this.#ended);
      return () => undefined;
    }
    // One of its own, so that the same function may listen twice.
    const own = (error: SinkError): void => listener(error);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  end(error: SinkError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const listener of this.#listeners) listener(error);
    this.#listeners.clear();
  }
}
