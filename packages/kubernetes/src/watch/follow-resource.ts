import type { DeliveryClock } from '@kollect/core';
import { ApiError, callFailed } from '../api/api-error.ts';
import type { ResourceType, Selection, WatchEvent } from '../api/kubernetes-api.ts';
import { backOffMs } from './back-off.ts';
import { listAll } from './list-all.ts';
import { limitSilence, pause, untilAborted } from './time-limit.ts';
import type { WatchCondition } from './watch-condition.ts';
import type { WatchApi, WatchChange } from './watch-types.ts';
import type { WatchView } from './watch-view.ts';

export interface FollowOptions<T> {
  readonly api: WatchApi;
  readonly type: ResourceType;
  readonly selection: Selection;
  readonly clock: DeliveryClock;
  readonly view: WatchView<T>;
  readonly condition: WatchCondition;
  readonly signal: AbortSignal;
  readonly pageSize: number;
  readonly timeoutSeconds: number;
  readonly idleMs: number;
  readonly onChange: (change: WatchChange<T>) => void;
  readonly onFailure: (error: ApiError, waitMs: number) => void;
}

/** So many failures in a row, and the version to go on from is doubted. */
const maxFailuresAtVersion = 5;
/** A watch that ends sooner ended for want of something. */
const shortestWatchMs = 1_000;

/** Lists and watches until the signal aborts. Never rejects. */
export async function followResource<T>(options: FollowOptions<T>): Promise<void> {
  const { api, type, selection, clock, view, condition, signal, onChange, onFailure } = options;
  const pageSize = { current: options.pageSize };
  /** Where the watch goes on; undefined: only a list tells. */
  let version: string | undefined;
  let failures = 0;

  const list = async (): Promise<void> => {
    const objects = view.startList();
    const listed = await listAll({ api, type, selection, signal, clock, pageSize }, objects);
    signal.throwIfAborted();
    version = listed;
    const change = objects.end();
    condition.listed();
    if (!signal.aborted) onChange(change);
  };

  const take = (event: WatchEvent): void => {
    const { resourceVersion } = event.object.metadata;
    if (typeof resourceVersion !== 'string' || resourceVersion === '') throw badEvent(options);
    const unreadable = view.unreadable;
    const changes = event.type === 'BOOKMARK' ? [] : view.apply(event);
    version = resourceVersion;
    failures = 0;
    condition.heard();
    // A callback may close the watch.
    for (const change of changes) if (!signal.aborted) onChange(change);
    if (view.unreadable !== unreadable) condition.update();
  };

  /** Ends when the server ends it. */
  const watch = async (from: string): Promise<void> => {
    const startedAt = clock.now();
    const silent = limitSilence(signal, { clock, ms: options.idleMs, reason: () => wentSilent(options) });
    const timeoutSeconds = Math.ceil(options.timeoutSeconds * (0.8 + Math.random() / 5));
    let iterator: AsyncIterator<WatchEvent> | undefined;
    try {
      const events = api.watch(type, { ...selection, resourceVersion: from, timeoutSeconds, signal: silent.signal });
      iterator = events[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await untilAborted(iterator.next(), silent.signal);
        if (done === true) break;
        silent.heard();
        take(value);
      }
    } finally {
      silent.end();
      // One that ignores signals might never end: nobody waits for it.
      iterator?.return?.()?.catch(() => undefined);
    }
    if (clock.now() - startedAt < shortestWatchMs) throw endedAtOnce(options);
  };

  while (!signal.aborted) {
    const call = version === undefined ? 'list' : 'watch';
    try {
      await (version === undefined ? list() : watch(version));
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asApiError(thrown, call, options);
      failures += 1;
      if (isVersionLost(error) || failures >= maxFailuresAtVersion) version = undefined;
      condition.failed(error, call);
      // The version is known to be too old: that is no fault of the server.
      const waitMs =
        isExpired(error) && failures === 1 ? Math.random() * 1_000 : backOffMs(failures, error.retryAfterMs);
      onFailure(error, waitMs);
      await pause(clock, waitMs, signal);
    }
  }
}

function isExpired({ status, reason }: ApiError): boolean {
  return status === 410 || reason === 'Expired' || reason === 'Gone';
}

/** What cannot be read would come again at the same version; and who says nothing for so long may have lost the watch. */
function isVersionLost(error: ApiError): boolean {
  const { reason } = error;
  return isExpired(error) || reason === 'BadResponse' || reason === 'ResponseTooLarge' || reason === 'NoAnswer';
}

type Following = Pick<FollowOptions<unknown>, 'type' | 'selection'>;

const failed = (verb: string, { type, selection }: Following, options: ConstructorParameters<typeof ApiError>[1]) =>
  callFailed({ verb, type, of: selection }, options);
const badEvent = (of: Following): ApiError => failed('watch', of, { status: 0, reason: 'BadResponse' });
const wentSilent = (of: Following): ApiError => failed('watch', of, { status: 0, reason: 'NoAnswer' });
const endedAtOnce = (of: Following): ApiError => failed('watch', of, { status: 0, reason: 'Unreachable' });

/** Whatever an adapter throws. What is none of its errors comes of objects that cannot be read. */
function asApiError(thrown: unknown, verb: string, of: Following): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return failed(verb, of, { status: 0, reason: 'BadResponse', cause: thrown });
}
