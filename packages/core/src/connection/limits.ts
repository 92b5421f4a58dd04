import { SinkError, type SinkOperation } from '../contract/errors/errors.ts';
import { isTimeout } from './abort-error.ts';

export interface Limits {
  readonly signal: AbortSignal;
  readonly operation: SinkOperation;
  /** What was being done, for the message: `connecting to database "inventory"`. */
  readonly doing: string;
  readonly timeoutMs?: number;
}

/** What ends a wait in time, with errors of one sink type. */
export interface SinkLimits {
  /** The promise's outcome, or ABORTED or TIMEOUT as soon as the signal or the limit says so. A later outcome of the promise is dropped. */
  readonly limitedBy: <T>(limits: Limits, promise: Promise<T>) => Promise<T>;
  /** The error of an operation that its caller's signal ended: TIMEOUT where the reason is a deadline, else ABORTED. */
  readonly endedBySignal: (signal: AbortSignal, limits: Pick<Limits, 'operation' | 'doing'>) => SinkError;
  /** The error of an operation that had so long and no answer. */
  readonly timedOut: (limits: Pick<Limits, 'operation' | 'doing'>, timeoutMs: number) => SinkError;
}

/** Waits of sinks of the type; leaves no timer and no listener on the signal behind. */
export function createSinkLimits(sinkType: string): SinkLimits {
  const endedBySignal: SinkLimits['endedBySignal'] = (signal, { operation, doing }) =>
    isTimeout(signal)
      ? new SinkError('TIMEOUT', `The caller's deadline passed while ${doing}.`, { sinkType, operation })
      : new SinkError('ABORTED', `The caller aborted while ${doing}.`, { sinkType, operation });

  const timedOut: SinkLimits['timedOut'] = ({ operation, doing }, timeoutMs) =>
    new SinkError('TIMEOUT', `Gave up ${doing} after ${timeoutMs} ms without an answer.`, { sinkType, operation });

  return {
    endedBySignal,
    timedOut,
    limitedBy: async <T>(limits: Limits, promise: Promise<T>): Promise<T> => {
      const { signal, timeoutMs } = limits;
      let timer: NodeJS.Timeout | undefined;
      let onAbort: (() => void) | undefined;
      const ended = new Promise<never>((_, reject) => {
        onAbort = () => reject(endedBySignal(signal, limits));
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
        if (timeoutMs !== undefined) timer = setTimeout(() => reject(timedOut(limits, timeoutMs)), timeoutMs);
      });
      promise.catch(() => undefined);
      try {
        return await Promise.race([promise, ended]);
      } finally {
        clearTimeout(timer);
        if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
      }
    },
  };
}
