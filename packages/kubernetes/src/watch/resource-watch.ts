import { parseDuration, SinkError } from '@kollect/core';
import {
  aFunction,
  anObject,
  aPositiveNumber,
  aSignal,
  checkOptions,
  objectWith,
  required,
  someText,
  type OptionKinds,
} from '@kollect/core/authoring';
import type { ApiObject } from '../api/kubernetes-api.ts';
import { containCallbacks } from './contained-callbacks.ts';
import { followResource } from './follow-resource.ts';
import { systemClock } from './time-limit.ts';
import { createWatchCondition } from './watch-condition.ts';
import type { ResourceWatch, ResourceWatchOptions, WatchApi } from './watch-types.ts';
import { createWatchView } from './watch-view.ts';

const kinds: OptionKinds<ResourceWatchOptions<unknown>> = {
  type: required(anObject),
  selection: anObject,
  project: aFunction,
  onChange: aFunction,
  onState: aFunction,
  pageSize: aPositiveNumber,
  timeoutSeconds: aPositiveNumber,
  idleTimeout: someText,
  staleAfter: someText,
  logger: anObject,
  clock: anObject,
  signal: aSignal,
};

/**
 * Lists the objects of a type and watches them from then on. It never gives up: after every error it tries again, and keeps what it holds until
 * it knows better. Begins at once; throws SPEC_INVALID for options that are wrong.
 */
export function createResourceWatch<T = ApiObject>(api: WatchApi, given: ResourceWatchOptions<T>): ResourceWatch<T> {
  const options = checkOptions<ResourceWatchOptions<T>>(given, kinds, { of: 'The options of createResourceWatch' });
  checkOptions({ api }, { api: required(objectWith('list', 'watch')) }, { of: 'The API of createResourceWatch' });
  const { type, clock = systemClock, signal, pageSize = 500, timeoutSeconds = 300 } = options;
  const selection = Object.freeze({ ...options.selection });
  const idleMs = parseDuration(options.idleTimeout ?? '2m', 'idleTimeout');
  if (idleMs === 0)
    throw new SinkError('SPEC_INVALID', 'The idleTimeout of createResourceWatch must be longer than nothing.');
  const callbacks = containCallbacks(options);
  const stopping = new AbortController();
  const view = createWatchView<T>({
    project: options.project ?? ((object) => object as T),
    onUnreadable: callbacks.unreadable,
  });
  const condition = createWatchCondition({
    clock,
    staleAfterMs: parseDuration(options.staleAfter ?? '5m', 'staleAfter'),
    unreadable: () => view.unreadable,
    onState: callbacks.state,
  });

  const close = (): void => {
    signal?.removeEventListener('abort', close);
    condition.close();
    stopping.abort();
  };
  if (signal?.aborted === true) close();
  else signal?.addEventListener('abort', close, { once: true });

  const ended = followResource({
    api,
    type,
    selection,
    clock,
    view,
    condition,
    signal: stopping.signal,
    pageSize: Math.ceil(pageSize),
    timeoutSeconds: Math.ceil(timeoutSeconds),
    idleMs,
    onChange: callbacks.change,
    onFailure: callbacks.failure,
  });

  return {
    type,
    selection,
    get state() {
      return condition.state;
    },
    get size() {
      return view.size;
    },
    get: (of) => view.get(of),
    objects: () => view.objects(),
    close: () => {
      close();
      return ended;
    },
  };
}
