import type { DeliveryClock, DeliveryLogger } from '@kollect/core';
import type { ApiObject, ObjectName, ResourceType } from '../api/kubernetes-api.ts';
import { createResourceWatch } from '../watch/resource-watch.ts';
import type { ResourceWatch, WatchApi } from '../watch/watch-types.ts';

/** The resources of ours, each type watched as a whole. */
export interface KollectWatch {
  /** Undefined where it is not known yet which there are. */
  has(of: ObjectName): boolean | undefined;
  get(of: ObjectName): ApiObject | undefined;
  all(): readonly ApiObject[];
  /** A complete list arrived once. */
  readonly synced: boolean;
  close(): Promise<void>;
}

export interface KollectWatchOptions {
  readonly api: WatchApi;
  readonly type: ResourceType;
  readonly clock: DeliveryClock;
  readonly logger: DeliveryLogger;
  readonly signal: AbortSignal;
  /** Of every object that changed in more than its status, and of every one that is gone. */
  readonly onObject: (of: ObjectName) => void;
  /** The first complete list is there. */
  readonly onSynced: () => void;
}

export function watchKollect(options: KollectWatchOptions): KollectWatch {
  const { api, type, clock, logger, signal, onObject, onSynced } = options;
  let wasSynced = false;
  const nameOf = ({ name, namespace }: ObjectName): ObjectName =>
    namespace === undefined ? { name } : { name, namespace };
  const watch: ResourceWatch = createResourceWatch(api, {
    type,
    clock,
    logger,
    signal,
    onChange: (change) => {
      if (change.kind === 'replace') for (const each of [...change.set, ...change.deleted]) onObject(nameOf(each));
      else if (change.kind === 'delete' || isNews(change.object.object, change.before?.object))
        onObject(nameOf(change.object));
      if (change.kind !== 'replace' || wasSynced) return;
      wasSynced = true;
      onSynced();
    },
  });
  return {
    has: (of) => (watch.state.synced ? watch.get(of) !== undefined : undefined),
    get: (of) => watch.get(of)?.object,
    all: () => watch.objects().map(({ object }) => object),
    get synced() {
      return watch.state.synced;
    },
    close: () => watch.close(),
  };
}

/** A status wakes nobody: it is our own, or none of our business. */
function isNews({ metadata: now }: ApiObject, before: ApiObject | undefined): boolean {
  const old = before?.metadata;
  return (
    old === undefined ||
    old.uid !== now.uid ||
    old.generation !== now.generation ||
    now.generation === undefined ||
    old.deletionTimestamp !== now.deletionTimestamp ||
    JSON.stringify(old.finalizers) !== JSON.stringify(now.finalizers) ||
    JSON.stringify(old.ownerReferences) !== JSON.stringify(now.ownerReferences)
  );
}
