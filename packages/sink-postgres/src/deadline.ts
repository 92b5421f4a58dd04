import { SinkError, type SinkOperation } from '@kollect/core';

export interface Limits {
  readonly signal: AbortSignal;
  readonly operation: SinkOperation;
  /** What was being done, for the message: `connecting to database "inventory"`. */
  readonly doing: string;
  readonly timeoutMs?: number;
}

/** The promise's outcome, or ABORTED or TIMEOUT as soon as the signal or the limit says so. A later outcome of the promise is dropped. */
export async function limitedBy<T>(limits: Limits, promise: Promise<T>): Promise<T> {
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
}

/** The error of an operation that its caller's signal ended: TIMEOUT where the reason is a deadline, else ABORTED. */
export function endedBySignal(signal: AbortSignal, { operation, doing }: Pick<Limits, 'operation' | 'doing'>): SinkError {
  // By name: the reason may come from another realm, where instanceof DOMException is false.
  const reason: unknown = signal.reason;
  const deadline = typeof reason === 'object' && reason !== null && (reason as { name?: unknown }).name === 'TimeoutError';
  if (deadline) return new SinkError('TIMEOUT', `The caller's deadline passed while ${doing}.`, { sinkType: 'postgres', operation });
  return new SinkError('ABORTED', `The caller aborted while ${doing}.`, { sinkType: 'postgres', operation });
}

function timedOut({ operation, doing }: Limits, timeoutMs: number): SinkError {
  return new SinkError('TIMEOUT', `Gave up ${doing} after ${timeoutMs} ms without an answer.`, { sinkType: 'postgres', operation });
}
