import type { DeliveryClock, DeliveryLogger } from '@kollect/core';
import type { ApiError } from '../api/api-error.ts';
import type { ApiObject, KubernetesApi, ObjectName, ResourceType, Selection } from '../api/kubernetes-api.ts';

/** One object as a watch holds it: who it is, and what was kept of it. */
export interface WatchedObject<T> {
  /** Deleted and made again under one name is another object. */
  readonly uid: string;
  readonly name: string;
  /** Absent for objects of the cluster. */
  readonly namespace?: string;
  readonly resourceVersion: string;
  /** What `project` made of it. */
  readonly object: T;
}

/**
 * What happened to the objects. `replace` comes after each complete list: `objects` are all there are, `set` and `deleted` what is other
 * than before. Nothing is told of objects that stayed the same.
 */
export type WatchChange<T> =
  | { readonly kind: 'set'; readonly object: WatchedObject<T>; readonly before?: WatchedObject<T> }
  | { readonly kind: 'delete'; readonly object: WatchedObject<T> }
  | {
      readonly kind: 'replace';
      readonly objects: readonly WatchedObject<T>[];
      readonly set: readonly WatchedObject<T>[];
      readonly deleted: readonly WatchedObject<T>[];
    };

/**
 * Why the objects that are held may not be all: no list was complete yet; the server forbids to list or to watch; nothing was heard for longer
 * than `staleAfter`; `project` failed for some.
 */
export type IncompleteReason = 'not-synced' | 'forbidden' | 'stale' | 'unreadable';

export interface WatchState {
  /** A complete list arrived. It stays so: what is held is never dropped before another list is complete. */
  readonly synced: boolean;
  /** Nothing must be deleted because of what is not held. Absent: what is held is all there is. */
  readonly incomplete?: IncompleteReason;
  /** When the server was heard last, or the watch began, where something failed since. */
  readonly staleSince?: Date;
  readonly forbidden: boolean;
  /** What failed, until the server is heard again. */
  readonly problem?: ApiError;
}

export interface ResourceWatchOptions<T = ApiObject> {
  readonly type: ResourceType;
  /** Default: all of the cluster. */
  readonly selection?: Selection;
  /** What is kept of each object; it is given none of `metadata.managedFields`. Keep little where there are many. Default: all the rest. */
  readonly project?: (object: ApiObject) => T;
  /** Told of each change once it is held. What it throws is logged and changes nothing. */
  readonly onChange?: (change: WatchChange<T>) => void;
  /** Told of each change of the state. */
  readonly onState?: (state: WatchState) => void;
  /** Objects on one page of a list. Default 500; fewer where a page is too large. */
  readonly pageSize?: number;
  /** How long the server keeps a watch open, at most. Default 300. */
  readonly timeoutSeconds?: number;
  /** A watch in which nothing was heard for so long is given up. Default `2m`: servers send a bookmark each minute. */
  readonly idleTimeout?: string;
  /** Default `5m`. */
  readonly staleAfter?: string;
  readonly logger?: DeliveryLogger;
  /** Default Node's timers. */
  readonly clock?: DeliveryClock;
  /** Closes the watch. */
  readonly signal?: AbortSignal;
}

/** The objects of one type as the server has them, kept up to date until it is closed, whatever fails. */
export interface ResourceWatch<T = ApiObject> {
  readonly type: ResourceType;
  readonly selection: Selection;
  readonly state: WatchState;
  /** Objects held. */
  readonly size: number;
  get(of: ObjectName): WatchedObject<T> | undefined;
  /** Those held now. */
  objects(): readonly WatchedObject<T>[];
  /** Nothing is told any more; settles when no call is under way. May be called twice. */
  close(): Promise<void>;
}

/** What a watch needs of the API server. */
export type WatchApi = Pick<KubernetesApi, 'list' | 'watch'>;
