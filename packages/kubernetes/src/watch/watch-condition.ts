import type { DeliveryClock } from '@kollect/core';
import type { ApiError } from '../api/api-error.ts';
import type { WatchState } from './watch-types.ts';

/** What is known of how true the view of a watch is. */
export interface WatchCondition {
  readonly state: WatchState;
  /** A list is complete. */
  listed(): void;
  /** The server said something in a watch. */
  heard(): void;
  failed(problem: ApiError, call: 'list' | 'watch'): void;
  /** Looks again at what is unreadable. */
  update(): void;
  close(): void;
}

export interface WatchConditionOptions {
  readonly clock: DeliveryClock;
  readonly staleAfterMs: number;
  readonly unreadable: () => number;
  readonly onState: (state: WatchState) => void;
}

export function createWatchCondition({
  clock,
  staleAfterMs,
  unreadable,
  onState,
}: WatchConditionOptions): WatchCondition {
  let synced = false;
  let heardAt = clock.now();
  let staleSince: number | undefined;
  let forbiddenTo: 'list' | 'watch' | undefined;
  let problem: ApiError | undefined;
  let timer: unknown;
  let closed = false;

  const isStale = (): boolean => staleSince !== undefined && clock.now() - staleSince >= staleAfterMs;
  const incomplete = (): WatchState['incomplete'] => {
    if (forbiddenTo !== undefined) return 'forbidden';
    if (!synced) return 'not-synced';
    if (isStale()) return 'stale';
    return unreadable() > 0 ? 'unreadable' : undefined;
  };
  const current = (): WatchState => {
    const reason = incomplete();
    return {
      synced,
      forbidden: forbiddenTo !== undefined,
      ...(reason === undefined ? {} : { incomplete: reason }),
      ...(staleSince === undefined ? {} : { staleSince: new Date(staleSince) }),
      ...(problem === undefined ? {} : { problem }),
    };
  };
  let told = current();

  const update = (): void => {
    const next = current();
    if (closed || isSame(told, next)) return;
    told = next;
    onState(next);
  };
  /** Tells of it when it has become stale. */
  const arm = (): void => {
    if (closed || timer !== undefined || staleSince === undefined || isStale()) return;
    timer = clock.setTimeout(
      () => {
        timer = undefined;
        update();
        arm();
      },
      staleSince + staleAfterMs - clock.now(),
    );
  };
  const recovered = (): void => {
    staleSince = undefined;
    problem = undefined;
    clock.clearTimeout(timer);
    timer = undefined;
  };

  return {
    get state() {
      return current();
    },
    update,
    listed: () => {
      synced = true;
      heardAt = clock.now();
      if (forbiddenTo === 'list') forbiddenTo = undefined;
      // As long as it may not watch, what a list said grows old.
      if (forbiddenTo === undefined) recovered();
      else staleSince = heardAt;
      update();
    },
    heard: () => {
      heardAt = clock.now();
      if (staleSince === undefined && problem === undefined && forbiddenTo === undefined) return;
      forbiddenTo = undefined;
      recovered();
      update();
    },
    failed: (error, call) => {
      problem = error;
      if (error.status === 403) forbiddenTo = call;
      staleSince ??= heardAt;
      update();
      arm();
    },
    close: () => {
      closed = true;
      clock.clearTimeout(timer);
    },
  };
}

function isSame(a: WatchState, b: WatchState): boolean {
  return (
    a.synced === b.synced &&
    a.incomplete === b.incomplete &&
    a.problem?.status === b.problem?.status &&
    a.problem?.reason === b.problem?.reason &&
    a.staleSince?.getTime() === b.staleSince?.getTime()
  );
}
