import { isPromise } from 'node:util/types';
import type { LogFields } from '@kollect/core';
import type { ApiError } from '../api/api-error.ts';
import type { ObjectName } from '../api/kubernetes-api.ts';
import type { ResourceWatchOptions, WatchChange, WatchState } from './watch-types.ts';

/** The functions of a host, so called that nothing they throw or reject with gets out: it is logged, without its text. */
export interface ContainedCallbacks<T> {
  change(change: WatchChange<T>): void;
  state(state: WatchState): void;
  /** Of what `project` threw. */
  unreadable(of: ObjectName, error: unknown): void;
  failure(error: ApiError, waitMs: number): void;
}

type Callbacks<T> = Pick<ResourceWatchOptions<T>, 'type' | 'onChange' | 'onState' | 'logger'>;

export function containCallbacks<T>({ type, onChange, onState, logger }: Callbacks<T>): ContainedCallbacks<T> {
  const log = (level: 'warn' | 'error', fields: LogFields, message: string): void =>
    contained(
      () => logger?.[level]({ resource: type.plural, ...fields }, message),
      () => undefined,
    );
  const faulty = (callback: string) => (error: unknown) =>
    log('error', { callback, error: nameOf(error) }, 'A callback of a watch failed; the watch goes on.');
  return {
    change: (change) => contained(() => onChange?.(change), faulty('onChange')),
    state: (state) => contained(() => onState?.(state), faulty('onState')),
    unreadable: ({ namespace, name }, error) =>
      log(
        'error',
        { callback: 'project', namespace, name, error: nameOf(error) },
        'An object could not be projected: what is known of its type counts as incomplete.',
      ),
    failure: ({ status, reason, message }, waitMs) =>
      log('warn', { status, reason, waitMs: Math.round(waitMs) }, message),
  };
}

/** One function of a host by itself: what it throws or rejects with is logged. */
export function containCallback<Value>(
  callback: ((value: Value) => void) | undefined,
  logger: ResourceWatchOptions['logger'],
): (value: Value) => void {
  const report = (error: unknown): void =>
    contained(
      () => logger?.error({ callback: 'onChange', error: nameOf(error) }, 'A callback failed.'),
      () => undefined,
    );
  return (value) => contained(() => callback?.(value), report);
}

function contained(call: () => unknown, onFault: (error: unknown) => void): void {
  try {
    const returned = call();
    if (isPromise(returned)) returned.catch(onFault);
  } catch (error) {
    onFault(error);
  }
}

/** Its class: the text may hold anything. */
function nameOf(error: unknown): string {
  try {
    return error instanceof Error && /^\w{1,60}$/u.test(error.name) ? error.name : typeof error;
  } catch {
    return 'unknown';
  }
}
