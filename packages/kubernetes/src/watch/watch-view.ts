import type { ApiObject, ObjectName, WatchEvent } from '../api/kubernetes-api.ts';
import type { WatchChange, WatchedObject } from './watch-types.ts';

/** The objects held, by name, each with the uid that says which one it is. */
export interface WatchView<T> {
  readonly size: number;
  /** Objects of which `project` failed, so that not everything is known. */
  readonly unreadable: number;
  get(of: ObjectName): WatchedObject<T> | undefined;
  objects(): readonly WatchedObject<T>[];
  /** What one event changes; empty where it is known already. */
  apply(event: WatchEvent): readonly WatchChange<T>[];
  /** Begins a list: nothing is changed before `end`. */
  startList(): ListedObjects<T>;
}

export interface ListedObjects<T> {
  /** Gives how many of the page were not listed before. */
  add(page: readonly ApiObject[]): number;
  /** The objects listed are all there are from now on. */
  end(): WatchChange<T>;
}

export interface WatchViewOptions<T> {
  readonly project: (object: ApiObject) => T;
  /** Told what `project` threw. */
  readonly onUnreadable: (of: ObjectName, error: unknown) => void;
}

/** An object of which nothing could be kept. */
const unread = Symbol('unread');

interface Entry<T> extends Omit<WatchedObject<T>, 'object'> {
  readonly object: T | typeof unread;
}

export const keyOf = ({ namespace = '', name }: ObjectName): string => `${namespace}/${name}`;

export function createWatchView<T>({ project, onUnreadable }: WatchViewOptions<T>): WatchView<T> {
  let entries = new Map<string, Entry<T>>();
  const unreadable = new Set<string>();

  /** What is held already is taken as it is; where `project` fails, what was kept before of the same object stays. */
  const read = (object: ApiObject): Entry<T> => {
    const { uid, name, namespace, resourceVersion } = identityOf(object);
    const key = keyOf(object.metadata);
    const held = entries.get(key);
    const known = held?.uid === uid ? held : undefined;
    if (known?.resourceVersion === resourceVersion && !unreadable.has(key)) return known;
    const identity = { uid, name, ...(namespace === undefined ? {} : { namespace }), resourceVersion };
    try {
      const entry = { ...identity, object: project(withoutManagedFields(object)) };
      unreadable.delete(key);
      return entry;
    } catch (error) {
      unreadable.add(key);
      onUnreadable(object.metadata, error);
      return { ...identity, object: known?.object ?? unread };
    }
  };

  const drop = (entry: Entry<T>): readonly WatchChange<T>[] => {
    entries.delete(keyOf(entry));
    unreadable.delete(keyOf(entry));
    return isRead(entry) ? [{ kind: 'delete', object: entry }] : [];
  };

  return {
    get size() {
      return entries.size;
    },
    get unreadable() {
      return unreadable.size;
    },
    get: (of) => {
      const entry = entries.get(keyOf(of));
      return entry !== undefined && isRead(entry) ? entry : undefined;
    },
    objects: () => [...entries.values()].filter(isRead),
    apply: ({ type, object }) => {
      const key = keyOf(object.metadata);
      const held = entries.get(key);
      if (type === 'DELETED') return held === undefined || held.uid !== object.metadata.uid ? [] : drop(held);
      // Its delete was missed: one that is gone, and one that is new.
      const gone = held !== undefined && held.uid !== object.metadata.uid ? drop(held) : [];
      const before = held?.uid === object.metadata.uid ? held : undefined;
      const entry = read(object);
      if (entry === before) return gone;
      entries.set(key, entry);
      if (!isRead(entry) || entry.object === before?.object) return gone;
      return [...gone, { kind: 'set', object: entry, ...(before !== undefined && isRead(before) ? { before } : {}) }];
    },
    startList: () => {
      const listed = new Map<string, Entry<T>>();
      return {
        add: (page) => {
          const before = listed.size;
          for (const object of page) listed.set(keyOf(object.metadata), read(object));
          return listed.size - before;
        },
        end: () => {
          const set = [...listed].filter(([key, { uid, object }]) => {
            const held = entries.get(key);
            return uid !== held?.uid || object !== held.object;
          });
          const deleted = [...entries].filter(([key, entry]) => listed.get(key)?.uid !== entry.uid);
          entries = listed;
          for (const key of unreadable) if (!listed.has(key)) unreadable.delete(key);
          const read = (pairs: [string, Entry<T>][]) => pairs.map(([, entry]) => entry).filter(isRead);
          return { kind: 'replace', objects: read([...listed]), set: read(set), deleted: read(deleted) };
        },
      };
    },
  };
}

function isRead<T>(entry: Entry<T>): entry is WatchedObject<T> {
  return entry.object !== unread;
}

/** Throws where it is no object of an API server. */
function identityOf(object: ApiObject): Pick<Entry<unknown>, 'uid' | 'name' | 'namespace' | 'resourceVersion'> {
  const { uid, name, namespace, resourceVersion } = object.metadata;
  if (uid === undefined || resourceVersion === undefined) throw new TypeError('No uid or resourceVersion.');
  return { uid, name, resourceVersion, ...(namespace === undefined ? {} : { namespace }) };
}

function withoutManagedFields(object: ApiObject): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
