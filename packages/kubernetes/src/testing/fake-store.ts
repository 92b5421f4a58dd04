import { isDeepStrictEqual } from 'node:util';
import type { DeliveryClock } from '@kollect/core';
import { callFailed } from '../api/api-error.ts';
import type { ApiObject, ObjectName, ResourceType } from '../api/kubernetes-api.ts';
import { hasStatus } from './resource-types.ts';

/** What became of one object. */
export interface FakeChange {
  readonly version: number;
  readonly type: ResourceType;
  readonly before: ApiObject | undefined;
  /** With its last resourceVersion, where it is gone. */
  readonly after: ApiObject;
  readonly deleted: boolean;
}

/** The objects of a fake, with what the API server does to each that is written. */
export interface FakeStore {
  readonly version: number;
  readonly changes: readonly FakeChange[];
  /** In the order of a list. */
  all(type: ResourceType): readonly ApiObject[];
  find(type: ResourceType, of: ObjectName): ApiObject | undefined;
  /** Throws 409 where there is one of the name. */
  create(type: ResourceType, object: ApiObject, part: 'rest' | 'all'): ApiObject;
  /** The next state of an object that is held: throws 409 for another uid or resourceVersion than that of the one held. */
  update(type: ResourceType, held: ApiObject, next: ApiObject, part: 'status' | 'rest' | 'all'): ApiObject;
  remove(type: ResourceType, held: ApiObject): void;
}

const keyOf = ({ namespace = '', name }: ObjectName): string => `${namespace}/${name}`;

/** `onChange` is told after each change. */
export function createFakeStore(clock: DeliveryClock, onChange: () => void): FakeStore {
  const byType = new Map<string, Map<string, ApiObject>>();
  const changes: FakeChange[] = [];
  let version = 1000;
  let objects = 0;

  const held = (type: ResourceType): Map<string, ApiObject> => {
    const id = `${type.apiVersion}/${type.plural}`;
    const known = byType.get(id) ?? new Map<string, ApiObject>();
    byType.set(id, known);
    return known;
  };
  const now = (): string => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;

  const commit = (type: ResourceType, before: ApiObject | undefined, next: ApiObject): ApiObject => {
    version += 1;
    const { deletionTimestamp, finalizers = [] } = next.metadata;
    const deleted = deletionTimestamp !== undefined && finalizers.length === 0;
    const after = withMeta(next, { resourceVersion: String(version) });
    if (deleted) held(type).delete(keyOf(after.metadata));
    else held(type).set(keyOf(after.metadata), after);
    changes.push({ version, type, before, after, deleted });
    onChange();
    return after;
  };

  const create: FakeStore['create'] = (type, object, part) => {
    const of = object.metadata;
    if (held(type).has(keyOf(of)))
      throw callFailed({ verb: 'create', type, of }, { status: 409, reason: 'AlreadyExists' });
    objects += 1;
    const { status, ...rest } = structuredClone(object);
    const { resourceVersion: _, deletionTimestamp: __, managedFields: ___, ...metadata } = rest.metadata;
    const shown = status === undefined || (part === 'rest' && hasStatus(type)) ? {} : { status };
    const given: ApiObject = { apiVersion: type.apiVersion, kind: type.kind, ...rest, ...shown, metadata };
    const uid = `00000000-0000-4000-8000-${objects.toString(16).padStart(12, '0')}`;
    const generation = hasStatus(type) ? { generation: 1 } : {};
    return commit(type, undefined, withMeta(given, { uid, creationTimestamp: now(), ...generation }));
  };

  const update: FakeStore['update'] = (type, current, next, part) => {
    const { uid, resourceVersion } = next.metadata;
    if ((resourceVersion ?? current.metadata.resourceVersion) !== current.metadata.resourceVersion)
      throw callFailed({ verb: 'write', type, of: current.metadata }, { status: 409, reason: 'Conflict' });
    if ((uid ?? current.metadata.uid) !== current.metadata.uid)
      throw callFailed({ verb: 'write', type, of: current.metadata }, { status: 409, reason: 'Conflict' });
    const merged = ownFields(current, partOf(current, structuredClone(next), hasStatus(type) ? part : 'all'));
    const changed = hasStatus(type) && !isDeepStrictEqual(contentOf(current), contentOf(merged));
    const counted = changed ? withMeta(merged, { generation: (current.metadata.generation ?? 0) + 1 }) : merged;
    // A write that changes nothing is none.
    return isDeepStrictEqual(current, counted) ? current : commit(type, current, counted);
  };

  return {
    changes,
    get version() {
      return version;
    },
    all: (type) => [...held(type)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object),
    find: (type, of) => held(type).get(keyOf(of)),
    create,
    update,
    remove: (type, current) => {
      if (current.metadata.deletionTimestamp !== undefined) return;
      const generation = hasStatus(type) ? { generation: (current.metadata.generation ?? 0) + 1 } : {};
      commit(type, current, withMeta(current, { deletionTimestamp: now(), ...generation }));
    },
  };
}

function withMeta(object: ApiObject, metadata: Partial<ApiObject['metadata']>): ApiObject {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}

/** Of the next state what the call may write. */
function partOf(current: ApiObject, next: ApiObject, part: 'status' | 'rest' | 'all'): ApiObject {
  if (part === 'all') return next;
  const [rest, status] = part === 'status' ? [current, next['status']] : [next, current['status']];
  const { status: _, ...others } = rest;
  return status === undefined ? others : { ...others, status };
}

/** With the fields that no client writes. */
function ownFields(current: ApiObject, next: ApiObject): ApiObject {
  const { uid, resourceVersion, creationTimestamp, deletionTimestamp, generation, name, namespace } = current.metadata;
  const { managedFields: _, ...metadata } = next.metadata;
  const own = { uid, resourceVersion, creationTimestamp, deletionTimestamp, generation, name, namespace };
  const known = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const { deletionTimestamp: __, ...rest } = metadata;
  return {
    ...next,
    apiVersion: current.apiVersion,
    kind: current.kind,
    metadata: { ...rest, ...known, name },
  } as ApiObject;
}

/** What a generation counts. */
function contentOf(object: ApiObject): object {
  const { apiVersion: _, kind: __, metadata: ___, status: ____, ...content } = object;
  return content;
}
