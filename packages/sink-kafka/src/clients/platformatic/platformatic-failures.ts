import { NetworkError, UserError } from '@platformatic/kafka';
import { SinkError } from '@kollect/core';

export function closedError(): NetworkError {
  return new NetworkError('The client is closed.', { canRetry: false, closed: true });
}

/** What the library wrapped; a login that ended with its connection was not refused, and a handshake that did says nothing of TLS. */
export function causeOf(failure: unknown): Error {
  if (!(failure instanceof Error)) return new Error('unknown');
  if (!(failure.cause instanceof Error)) return failure;
  const { code } = failure.cause as { readonly code?: unknown };
  return failure instanceof NetworkError || failure instanceof UserError || code === NetworkError.code
    ? causeOf(failure.cause)
    : failure;
}

/** Whether another attempt may fare better: not after a refused login, with a certificate that does not fit or against the policy. */
export function isPassing(cause: Error): boolean {
  if (SinkError.isInstance(cause)) return cause.retryable;
  const { code, syscall, canRetry } = cause as {
    readonly code?: unknown;
    readonly syscall?: unknown;
    readonly canRetry?: unknown;
  };
  return syscall !== undefined || code === 'ECONNRESET' || canRetry === true;
}
