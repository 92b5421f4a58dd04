import type { DeliveryClock, DeliveryLogger } from '@kollect/core';
import type { ApiError } from '../../api/api-error.ts';
import type { ApiObject, KubernetesApi, ObjectName } from '../../api/kubernetes-api.ts';
import { createResourceWatch } from '../../watch/resource-watch.ts';
import type { ResourceWatch, WatchChange, WatchedObject, WatchState } from '../../watch/watch-types.ts';
import { findResourceType, type ObjectKind } from './discovery.ts';
import { coversFields, joinFields, projectFields, type ObjectFields } from './object-fields.ts';

/** Which objects. Without a namespace: all of the cluster. */
export interface WatchedSelection extends ObjectKind {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Subscriber {
  /** What of the objects is read. */
  readonly fields: ObjectFields;
  readonly onChange: (change: WatchChange<ApiObject>) => void;
  readonly onState: () => void;
}

/** One reader's part in a watch that others may read, too. */
export interface Subscription {
  readonly state: WatchState;
  objects(): readonly WatchedObject<ApiObject>[];
  get(of: ObjectName): WatchedObject<ApiObject> | undefined;
  release(): void;
}

export interface SharedWatches {
  /** Opens the watch where nobody reads it yet. Nothing is told before this returned. */
  subscribe(selection: WatchedSelection, subscriber: Subscriber): Subscription;
  /** Watches that are open. */
  readonly size: number;
  close(): Promise<void>;
}

export interface SharedWatchesOptions {
  readonly api: Pick<KubernetesApi, 'list' | 'watch' | 'resourceTypes'>;
  readonly clock: DeliveryClock;
  readonly logger: DeliveryLogger;
}

interface Shared {
  readonly selection: WatchedSelection;
  readonly subscribers: Set<Subscriber>;
  fields: ObjectFields;
  watch: ResourceWatch | undefined;
  /** Ends the search for the type, and the watch. */
  stop: AbortController;
  problem: ApiError | undefined;
}

/** One watch for each type and selection, however many read it; it ends with its last reader. */
export function createSharedWatches({ api, clock, logger }: SharedWatchesOptions): SharedWatches {
  const shared = new Map<string, Shared>();
  const ending = new Set<Promise<void>>();

  const tell = (one: Shared, stop: AbortController, call: (subscriber: Subscriber) => void): void => {
    // An old watch of it may still have something to say.
    if (one.stop === stop) Array.from(one.subscribers).forEach(call);
  };

  const open = async (one: Shared): Promise<void> => {
    const { selection } = one;
    const { stop } = one;
    const type = await findResourceType({ api, clock }, selection, {
      signal: stop.signal,
      onFailure: (error) => {
        logger.warn({ apiVersion: selection.apiVersion, kind: selection.kind }, error.message);
        one.problem = error;
        tell(one, stop, (subscriber) => subscriber.onState());
      },
    });
    if (type === undefined || stop.signal.aborted) return;
    const { namespace, labelSelector, fieldSelector } = selection;
    one.problem = undefined;
    one.watch = createResourceWatch(api, {
      type,
      selection: {
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
      },
      project: projectFields(one.fields),
      onChange: (change) => tell(one, stop, (subscriber) => subscriber.onChange(change)),
      onState: () => tell(one, stop, (subscriber) => subscriber.onState()),
      logger,
      clock,
      signal: stop.signal,
    });
  };
  const end = (one: Shared): void => {
    one.stop.abort();
    if (one.watch === undefined) return;
    const ended: Promise<void> = one.watch.close().finally(() => void ending.delete(ended));
    ending.add(ended);
    one.watch = undefined;
  };

  return {
    get size() {
      return shared.size;
    },
    subscribe: (selection, subscriber) => {
      const key = keyOf(selection);
      const known = shared.get(key);
      const one = known ?? newShared(selection, subscriber.fields);
      shared.set(key, one);
      one.subscribers.add(subscriber);
      if (known === undefined) void open(one);
      else if (!coversFields(known.fields, subscriber.fields)) {
        // What was not kept of the objects must be listed again; until then nothing counts as known.
        known.fields = joinFields(known.fields, subscriber.fields);
        end(known);
        known.stop = new AbortController();
        void open(known);
        tell(known, known.stop, (each) => each !== subscriber && each.onState());
      }
      return {
        get state() {
          return stateOf(one);
        },
        objects: () => one.watch?.objects() ?? [],
        get: (of) => one.watch?.get(of),
        release: () => {
          if (!one.subscribers.delete(subscriber) || one.subscribers.size > 0) return;
          shared.delete(key);
          end(one);
        },
      };
    },
    close: async () => {
      for (const one of shared.values()) {
        one.subscribers.clear();
        end(one);
      }
      shared.clear();
      await Promise.all(ending);
    },
  };
}

function newShared(selection: WatchedSelection, fields: ObjectFields): Shared {
  return {
    selection,
    subscribers: new Set(),
    fields,
    watch: undefined,
    stop: new AbortController(),
    problem: undefined,
  };
}

function stateOf({ watch, problem }: Shared): WatchState {
  if (watch !== undefined) return watch.state;
  const forbidden = problem?.status === 403;
  return {
    synced: false,
    forbidden,
    incomplete: forbidden ? 'forbidden' : 'not-synced',
    ...(problem === undefined ? {} : { problem }),
  };
}

export function keyOf({ apiVersion, kind, namespace, labelSelector, fieldSelector }: WatchedSelection): string {
  return JSON.stringify([apiVersion, kind, namespace ?? null, labelSelector ?? null, fieldSelector ?? null]);
}
