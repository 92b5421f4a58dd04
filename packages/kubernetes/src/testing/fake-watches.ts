import type { DeliveryClock } from '@kollect/core';
import { callFailed } from '../api/api-error.ts';
import type { ApiObject, ResourceType, WatchEvent, WatchOptions } from '../api/kubernetes-api.ts';
import type { FakeCall, FakeCallMatch, FakeFault } from './fake-api-types.ts';
import { matchesCall } from './fake-faults.ts';
import type { FakeChange, FakeStore } from './fake-store.ts';

interface OpenWatch {
  readonly call: FakeCall;
  /** How many changes it has seen. */
  seen: number;
  silent: boolean;
  bookmarks: number;
  end: 'in order' | Error | undefined;
  wake: () => void;
}

export interface FakeWatches {
  readonly size: number;
  /** Starts when it is iterated. */
  open(call: FakeCall, type: ResourceType, options: FakeWatchOptions): AsyncGenerator<WatchEvent, void, undefined>;
  wakeAll(): void;
  change(match: FakeCallMatch, how: Partial<Pick<OpenWatch, 'silent' | 'end'>>): void;
  bookmark(): void;
}

export interface FakeWatchOptions extends WatchOptions {
  readonly selects: (object: ApiObject) => boolean;
  readonly show: (object: ApiObject) => ApiObject;
  readonly fault: FakeFault | undefined;
}

const bookmarkEveryMs = 60_000;

export function createFakeWatches(store: FakeStore, clock: DeliveryClock): FakeWatches {
  const watches = new Set<OpenWatch>();

  async function* run(
    watch: OpenWatch,
    type: ResourceType,
    options: FakeWatchOptions,
  ): AsyncGenerator<WatchEvent, void> {
    const { signal, timeoutSeconds } = options;
    const onAbort = (): void => watch.wake();
    let timer: unknown;
    /** A bookmark each minute, and one before the end. */
    const tick = (leftMs: number): void => {
      const ms = Math.min(leftMs, bookmarkEveryMs);
      timer = clock.setTimeout(() => {
        watch.bookmarks += 1;
        if (ms === leftMs) watch.end ??= 'in order';
        else tick(leftMs - ms);
        watch.wake();
      }, ms);
      (timer as { unref?: () => void } | undefined)?.unref?.();
    };
    tick(timeoutSeconds * 1000);
    watches.add(watch);
    signal.addEventListener('abort', onAbort);
    try {
      for (;;) {
        if (signal.aborted) throw signal.reason;
        const event = watch.silent ? undefined : nextEvent(store, watch, type, options);
        if (event !== undefined) yield event;
        else if (!watch.silent && watch.end !== undefined) {
          if (watch.end === 'in order') return;
          throw watch.end;
        } else await new Promise<void>((resolve) => (watch.wake = resolve));
      }
    } finally {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      watches.delete(watch);
    }
  }

  const wakeAll = (): void => watches.forEach((watch) => watch.wake());
  return {
    get size() {
      return watches.size;
    },
    open: (call, type, options) => {
      const seen = firstAfter(store.changes, Number(options.resourceVersion));
      const silent = options.fault?.kind === 'silence';
      return run({ call, seen, silent, bookmarks: 0, end: undefined, wake: () => undefined }, type, options);
    },
    wakeAll,
    change: (match, how) => {
      for (const watch of watches) if (matchesCall(watch.call, match)) Object.assign(watch, how);
      wakeAll();
    },
    bookmark: () => {
      for (const watch of watches) watch.bookmarks += 1;
      wakeAll();
    },
  };
}

function firstAfter(changes: readonly FakeChange[], version: number): number {
  const index = changes.findLastIndex((change) => change.version <= version);
  return index + 1;
}

function nextEvent(
  store: FakeStore,
  watch: OpenWatch,
  type: ResourceType,
  { selects, show }: FakeWatchOptions,
): WatchEvent | undefined {
  for (;;) {
    const change = store.changes[watch.seen];
    if (change === undefined) break;
    watch.seen += 1;
    const event = change.type === type ? eventOf(change, selects) : undefined;
    if (event !== undefined) return { type: event.type, object: show(event.object) };
  }
  if (watch.bookmarks === 0) return undefined;
  watch.bookmarks -= 1;
  const metadata = { name: '', resourceVersion: String(store.version) };
  return { type: 'BOOKMARK', object: { apiVersion: type.apiVersion, kind: type.kind, metadata } };
}

function eventOf(
  { before, after, deleted }: FakeChange,
  selects: (object: ApiObject) => boolean,
): WatchEvent | undefined {
  const wasThere = before !== undefined && selects(before);
  const isThere = !deleted && selects(after);
  if (isThere) return { type: wasThere ? 'MODIFIED' : 'ADDED', object: after };
  if (!wasThere) return undefined;
  // As it was when it was still selected, at the version at which it no longer was.
  const metadata = { ...before.metadata, resourceVersion: after.metadata.resourceVersion };
  return { type: 'DELETED', object: deleted ? after : ({ ...before, metadata } as ApiObject) };
}

export function connectionLost(call: FakeCall): Error {
  return callFailed({ verb: call.verb, type: call, of: call }, { status: 0, reason: 'Unreachable' });
}
