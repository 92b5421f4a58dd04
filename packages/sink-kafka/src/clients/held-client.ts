import { SinkError } from '@kollect/core';
import { unlessEnded, type Attempt } from '../publishing/attempt.ts';
import type { KafkaClient } from '../kafka-client.ts';

/** A client in use. It is replaced as a whole: after a failure its sequence numbers may be those of batches that never arrived. */
export interface HeldClient {
  /** Connects, once for all callers. */
  connect(): Promise<void>;
  /** A call of the client; rejects with UNAVAILABLE as soon as the client is given up. */
  call<T>(work: (client: KafkaClient) => Promise<T>): Promise<T>;
  /** Waits for what others wait for as well. When the last of them leaves, a client that did not answer is given up. */
  shared<T>(attempt: Attempt, promise: Promise<T>): Promise<T>;
  /** Running calls may end, then nothing of it is left. */
  retire(): void;
  /** Every call fails now, and no socket is left. */
  giveUp(): void;
}

export interface HoldOptions {
  readonly client: KafkaClient;
  readonly beforeConnect: () => Promise<unknown>;
  /** Called once, as soon as nobody must use it any more. */
  readonly onRetired: () => void;
  /** Called once, with what settles when nothing of it is left. */
  readonly onDestroyed: (gone: Promise<void>) => void;
}

export function holdClient({ client, beforeConnect, onRetired, onDestroyed }: HoldOptions): HeldClient {
  let state: 'in use' | 'retired' | 'destroyed' = 'in use';
  let calls = 0;
  let waiting = 0;
  let connecting: Promise<void> | undefined;
  // Not a promise: one that all calls race keeps something of each, and a client lives for months.
  const ended = new AbortController();

  const retire = (): void => {
    if (state === 'in use') {
      state = 'retired';
      onRetired();
    }
    if (calls === 0) giveUp();
  };
  const giveUp = (): void => {
    if (state === 'destroyed') return;
    if (state === 'in use') onRetired();
    state = 'destroyed';
    ended.abort(
      new SinkError(
        'UNAVAILABLE',
        'The connection to Kafka was given up, for it did not answer in time or the sink was closed.',
        { sinkType: 'kafka' },
      ),
    );
    onDestroyed(client.destroy());
  };
  const call: HeldClient['call'] = async (work) => {
    ended.signal.throwIfAborted();
    calls += 1;
    try {
      return await unlessEnded(ended, work(client));
    } finally {
      calls -= 1;
      if (state === 'retired' && calls === 0) giveUp();
    }
  };
  const connect = async (): Promise<void> => {
    try {
      await call((on) => beforeConnect().then(() => on.connect()));
    } catch (error) {
      retire();
      throw error;
    }
  };
  return {
    connect: () => (connecting ??= connect()),
    call,
    shared: async (attempt, promise) => {
      waiting += 1;
      let answered = false;
      const onAnswer = (): boolean => (answered = true);
      promise.then(onAnswer, onAnswer);
      try {
        return await unlessEnded(attempt, promise);
      } finally {
        waiting -= 1;
        // What answered may be in the middle of the calls of others.
        if (attempt.signal.aborted && !answered && waiting === 0 && calls > 0) giveUp();
      }
    },
    retire,
    giveUp,
  };
}
