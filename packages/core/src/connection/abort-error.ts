import { SinkError } from '../contract/errors.ts';

/** ABORTED, or TIMEOUT where the signal's reason is a TimeoutError. `what` begins the message: `The export of team/apps`. */
export function abortError(signal: AbortSignal, what: string): SinkError {
  // By name: the reason may come from another realm, where instanceof does not hold.
  const { name } = Object(signal.reason) as { readonly name?: unknown };
  if (name === 'TimeoutError') return new SinkError('TIMEOUT', `${what} reached its time limit.`);
  return new SinkError('ABORTED', `${what} was aborted.`);
}
