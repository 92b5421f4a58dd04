import type { ClientRequest } from 'node:http';
import { ApiError, callFailed, type ApiCall, type ApiErrorReason } from '../api-error.ts';
import { UnreadableAnswer } from './read-json.ts';

/** One call from its start to its end: its signal, its time limit, its connection. */
export interface RunningCall {
  /** Settles as the promise does, or rejects as soon as the call is over for another reason. */
  until<T>(promise: Promise<T>): Promise<T>;
  /** From now on its connection ends with it. */
  hold(request: ClientRequest): void;
  fail(reason: ApiErrorReason): void;
  /** There is no time limit any more. */
  endLimit(): void;
  /** What the caller is told, where something of the call threw this. */
  reasonOf(error: unknown): unknown;
  /** `whole`: the answer was read to its end, and the connection may be kept. */
  end(whole: boolean): void;
  /** Settles once there is no connection of it. */
  disconnected(): Promise<void>;
}

export interface RunningCallOptions {
  readonly call: ApiCall;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** The login could not be read; why stays with client-node, since it may quote what a program said. */
export class LoginFailed extends Error {}

export function createRunningCall({ call, signal, timeoutMs }: RunningCallOptions): RunningCall {
  let request: ClientRequest | undefined;
  /** Why it is over; the caller is told this, whatever else fails because of it. */
  let over: { readonly error: unknown } | undefined;
  let wake: () => void = () => undefined;
  const woken = new Promise<void>((resolve) => (wake = resolve));
  let disconnected = Promise.resolve();

  const stop = (error: unknown): void => {
    over ??= { error };
    request?.destroy();
    wake();
  };
  const fail = (reason: ApiErrorReason): void => stop(callFailed(call, { status: 0, reason }));
  const onAbort = (): void => stop(signal.reason);
  const timer = setTimeout(() => fail('NoAnswer'), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });

  return {
    fail,
    disconnected: () => disconnected,
    until: (promise) => {
      // Nobody may listen any more once it settles.
      promise.catch(() => undefined);
      const interrupted = woken.then(() => {
        throw over?.error;
      });
      return Promise.race([promise, interrupted]);
    },
    hold: (given) => {
      request = given;
      disconnected = new Promise((resolve) => given.once('close', resolve));
      if (over !== undefined) given.destroy();
    },
    endLimit: () => clearTimeout(timer),
    reasonOf: (error) => (over === undefined ? errorOf(error, call) : over.error),
    end: (whole) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (!whole) request?.destroy();
    },
  };
}

/** Nothing of what a server or its certificate says gets into it. */
function errorOf(error: unknown, call: ApiCall): unknown {
  if (error instanceof LoginFailed) return callFailed(call, { status: 0, reason: 'NoCredentials' });
  if (error instanceof UnreadableAnswer) return callFailed(call, { status: 0, reason: error.reason });
  if (error instanceof ApiError) return error;
  return callFailed(call, { status: 0, reason: 'Unreachable' }, codeOf(error));
}

/** `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
function codeOf(error: unknown): string | undefined {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/u.test(code) ? code : undefined;
}
