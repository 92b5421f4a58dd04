import { SinkError } from '../contract/errors/errors.ts';

/** True where the signal's reason is a TimeoutError. By name: the reason may come from another realm, where instanceof does not hold. */
export function isTimeout(signal: AbortSignal): boolean {
  return (Object(signal.reason) as { readonly name?: unknown }).name === 'TimeoutError';
}

/** ABORTED, or TIMEOUT where the signal's reason is a TimeoutError. `what` begins the message: `The export of team/apps`. */
export function abortError(signal: AbortSignal, what: string): SinkError {
  if (isTimeout(signal)) return new SinkError('TIMEOUT', `${what} reached its time limit.`);
  return new SinkError('ABORTED', `${what} was aborted.`);
}
