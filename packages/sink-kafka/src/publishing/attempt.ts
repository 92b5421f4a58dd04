import { createSinkLimits, SinkError, type SinkOperation } from '@kollect/core';
import { showText } from '@kollect/core/authoring';

export const { limitedBy, endedBySignal, timedOut } = createSinkLimits('kafka');

/** One try of an operation. */
export interface Attempt {
  /** Aborts when the caller, the time limit or `close` ends the operation; its reason is the SinkError to throw. */
  readonly signal: AbortSignal;
}

export interface AttemptOptions {
  /** The caller's. */
  readonly signal: AbortSignal;
  /** Aborts when the sink is closed. */
  readonly closed: AbortSignal;
  readonly sinkName: string;
  readonly operation: SinkOperation;
  /** For messages: `exporting inventory team-a/web to topic "inventory"`. */
  readonly doing: string;
  readonly timeoutMs: number;
}

/** Runs under one signal made of three; leaves no timer and no listener on any of them. */
export async function withAttempt<T>(options: AttemptOptions, run: (attempt: Attempt) => Promise<T>): Promise<T> {
  const { signal, closed, timeoutMs } = options;
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(endedBySignal(signal, options));
  const onClose = (): void => controller.abort(closedError(options));
  const timer = setTimeout(() => controller.abort(timedOut(options, timeoutMs)), timeoutMs);
  try {
    signal.addEventListener('abort', onAbort);
    closed.addEventListener('abort', onClose);
    if (closed.aborted) onClose();
    if (signal.aborted) onAbort();
    controller.signal.throwIfAborted();
    return await run({ signal: controller.signal });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    closed.removeEventListener('abort', onClose);
  }
}

export function closedError({ sinkName, operation }: Pick<AttemptOptions, 'sinkName' | 'operation'>): SinkError {
  return new SinkError('ABORTED', `The sink ${showText(sinkName)} is closed.`, { sinkType: 'kafka', operation });
}

/** The promise's outcome, or the attempt's reason as soon as it ends. A later outcome of the promise is dropped. */
export async function unlessEnded<T>({ signal }: Attempt, promise: Promise<T>): Promise<T> {
  let onAbort: (() => void) | undefined;
  const ended = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as SinkError);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, ended]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
