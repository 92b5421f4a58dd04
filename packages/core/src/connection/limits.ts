import { SinkError, type SinkOperation } from '../contract/errors/errors.ts';
import { limitOf, startWithin } from '../contract/signal-limit.ts';
import { isTimeout } from './abort-error.ts';

export interface Limits {
  readonly signal: AbortSignal;
  readonly operation: SinkOperation;
  /** What was being done, for the message: `connecting to database "inventory"`. */
  readonly doing: string;
  readonly timeoutMs?: number;
  /** The field of the spec that sets `timeoutMs`, for the remedy: `spec.postgres.connectTimeout`. */
  readonly timeoutField?: string | undefined;
}

/** What ends a wait in time, with errors of one sink type. */
export interface SinkLimits {
  /**
   * The promise's outcome, or ABORTED or TIMEOUT as soon as the signal or the limit says so. A later outcome of the promise is dropped.
   * Where the host limits the signal, the shorter of both limits wins, and one timer runs.
   */
  readonly limitedBy: <T>(limits: Limits, promise: Promise<T>) => Promise<T>;
  /** The error of an operation that its caller's signal ended: TIMEOUT where the reason is a deadline, else ABORTED. */
  readonly endedBySignal: (signal: AbortSignal, limits: Pick<Limits, 'operation' | 'doing'>) => SinkError;
  /** The error of an operation that had so long and no answer. */
  readonly timedOut: (limits: Pick<Limits, 'operation' | 'doing' | 'timeoutField'>, timeoutMs: number) => SinkError;
}

/** Waits of sinks of the type; leaves no timer and no listener on the signal behind. */
export function createSinkLimits(sinkType: string): SinkLimits {
  const endedBySignal: SinkLimits['endedBySignal'] = (signal, { operation, doing }) => {
    const limit = limitOf(signal);
    if (limit?.passed === true) return hostLimitPassed(doing, limit, { sinkType, operation });
    return isTimeout(signal)
      ? new SinkError('TIMEOUT', `The caller's deadline passed while ${doing}.`, { sinkType, operation })
      : new SinkError('ABORTED', `The caller aborted while ${doing}.`, { sinkType, operation });
  };

  const timedOut: SinkLimits['timedOut'] = ({ operation, doing, timeoutField }, timeoutMs) =>
    new SinkError('TIMEOUT', `Gave up ${doing} after ${timeoutMs} ms without an answer.`, {
      sinkType,
      operation,
      remedy: timeoutField === undefined ? undefined : `Raise ${timeoutField} where it may take longer.`,
    });

  return {
    endedBySignal,
    timedOut,
    limitedBy: async <T>(limits: Limits, promise: Promise<T>): Promise<T> => {
      const { signal, timeoutMs: ms, timeoutField: field } = limits;
      let release: (() => void) | undefined;
      let onAbort: (() => void) | undefined;
      const ended = new Promise<never>((_, reject) => {
        onAbort = () => reject(endedBySignal(signal, limits));
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
        if (ms !== undefined)
          release = startWithin(limitOf(signal), { ms, field }, () => reject(timedOut(limits, ms)))?.release;
      });
      promise.catch(() => undefined);
      try {
        return await Promise.race([promise, ended]);
      } finally {
        release?.();
        if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
      }
    },
  };
}

function hostLimitPassed(
  doing: string,
  { field = 'the time limit', ms }: { readonly field: string | undefined; readonly ms: number },
  fields: { readonly sinkType: string; readonly operation: SinkOperation },
): SinkError {
  return new SinkError('TIMEOUT', `The host's limit, ${field} of ${ms} ms, passed while ${doing}.`, {
    ...fields,
    remedy: `Raise ${field} of the sink where it may take longer.`,
  });
}
