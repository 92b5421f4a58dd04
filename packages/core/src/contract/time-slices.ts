import { setImmediate as nextTurn } from 'node:timers/promises';
import { SinkError, type SinkOperation } from './errors/errors.ts';

const sliceMs = 8;

export interface TimeSlices {
  /** True when this turn of the event loop has been used for long enough; ask often. */
  due(): boolean;
  /** Lets everybody else run, then goes on; throws ABORTED once the signal has fired. */
  next(): Promise<void>;
}

/** Cuts long work into slices of about ten milliseconds, so that the host's event loop stays alive. */
export function createTimeSlices({
  signal,
  operation,
}: {
  readonly signal?: AbortSignal | undefined;
  readonly operation: SinkOperation;
}): TimeSlices {
  refuseAborted(signal, operation);
  let end = performance.now() + sliceMs;
  return {
    due: () => performance.now() >= end,
    async next() {
      await nextTurn();
      refuseAborted(signal, operation);
      end = performance.now() + sliceMs;
    },
  };
}

function refuseAborted(signal: AbortSignal | undefined, operation: SinkOperation): void {
  if (signal?.aborted !== true) return;
  throw new SinkError('ABORTED', `The signal given to ${operation} was aborted before it ended.`, {
    operation,
    cause: signal.reason,
  });
}
