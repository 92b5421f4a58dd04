import { AsyncLocalStorage } from 'node:async_hooks';
import { abortError } from '../../connection/abort-error.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { describeDelivery, type Delivery, type Station, type DeliveryResult } from '../delivery.ts';
import type { SlotWork } from './slots.ts';

export interface QueueOptions {
  readonly next: Station;
  /** Starts the work when there is room, at once by default; what it returns takes the request back. */
  readonly request?: (work: SlotWork) => () => void;
}

export interface Queue extends Station {
  readonly running: boolean;
  readonly waiting: boolean;
  /** Ends the delivery that waits with this outcome; what runs goes on. */
  discard(outcome: DeliveryResult | SinkError): void;
}

interface Entry {
  readonly delivery: Delivery;
  settle(outcome: DeliveryResult | SinkError): void;
  run(): Promise<void>;
}

/**
 * One delivery runs, one waits: a newer one takes the place of the one that waits, whose caller learns `queued-superseded` at once. What is
 * older than the one that runs or waits learns the same and changes nothing.
 */
export function createQueue({ next, request = startAtOnce }: QueueOptions): Queue {
  let running: Entry | undefined;
  let waiting: Entry | undefined;
  let withdraw: (() => void) | undefined;

  const work: SlotWork = async () => {
    const entry = waiting;
    if (entry === undefined) return;
    waiting = undefined;
    withdraw = undefined;
    running = entry;
    await entry.run();
    running = undefined;
    if (waiting !== undefined) ask();
  };

  const ask = (): void => {
    const cancel = request(work);
    // With a free slot the work began inside of `request`, and there is nothing to take back.
    if (waiting !== undefined) withdraw = cancel;
  };

  const leave = (entry: Entry): void => {
    if (waiting !== entry) return;
    waiting = undefined;
    withdraw?.();
    withdraw = undefined;
  };

  const enter = (delivery: Delivery): Promise<DeliveryResult> =>
    new Promise((resolve, reject) => {
      const { signal } = delivery;
      // The queue starts this delivery when another caller's work ends. Without the snapshot it would run in that caller's async context.
      const inContext = AsyncLocalStorage.snapshot();
      const onAbort = (): void => {
        leave(entry);
        entry.settle(abortError(signal, describeDelivery(delivery)));
      };
      const entry: Entry = {
        delivery,
        settle: (outcome) => {
          signal.removeEventListener('abort', onAbort);
          if (SinkError.isInstance(outcome)) reject(outcome);
          else resolve(outcome);
        },
        run: async () => {
          signal.removeEventListener('abort', onAbort);
          try {
            entry.settle(await inContext(() => next.deliver(delivery)));
          } catch (error) {
            entry.settle(SinkError.from(error, { operation: delivery.operation }));
          }
        },
      };
      const replaced = waiting;
      waiting = entry;
      replaced?.settle({ outcome: 'queued-superseded' });
      if (running === undefined && replaced === undefined) ask();
      if (waiting === entry) signal.addEventListener('abort', onAbort, { once: true });
    });

  return {
    deliver: async (delivery) => {
      if (delivery.signal.aborted) throw abortError(delivery.signal, describeDelivery(delivery));
      const newest = (waiting ?? running)?.delivery.time ?? Number.NEGATIVE_INFINITY;
      return delivery.time < newest ? { outcome: 'queued-superseded' } : enter(delivery);
    },
    get running() {
      return running !== undefined;
    },
    get waiting() {
      return waiting !== undefined;
    },
    discard: (outcome) => {
      const entry = waiting;
      if (entry === undefined) return;
      leave(entry);
      entry.settle(outcome);
    },
  };
}

function startAtOnce(work: SlotWork): () => void {
  void work();
  return () => undefined;
}
