import type { Item } from '../contract/snapshot/snapshot.ts';
import { createItemReader, type ItemFromObjectOptions, type KubernetesObject } from '../resources/item-from-object.ts';
import type { HeldTarget, TargetName } from './held-target.ts';

/** How the objects of a target become items. */
export interface ObjectReader<T extends KubernetesObject> {
  readonly target: TargetName;
  readonly read: (object: T) => Item;
}

/** Checks options and parses their paths once, for all objects that come with them. */
export function createObjectReaders(): <T extends KubernetesObject>(
  options: ItemFromObjectOptions<T>,
) => ObjectReader<T> {
  const known = new WeakMap<object, unknown>();
  return <T extends KubernetesObject>(options: ItemFromObjectOptions<T>) => {
    const found = known.get(options) as ObjectReader<T> | undefined;
    if (found !== undefined) return found;
    const read = createItemReader(options);
    const { namespace, name } = options.target;
    const added = { target: { namespace, name }, read };
    known.set(options, added);
    return added;
  };
}

/** In which version an object was read, and by which attributes; the version is empty where nobody knows it. */
export interface ReadVersion {
  readonly uid: string;
  readonly version: string;
  readonly source: unknown;
}

/** True where the target holds what these attributes would read of this version. */
export function holdsVersion({ source: known, versions }: HeldTarget, { uid, version, source }: ReadVersion): boolean {
  return source === known && version !== '' && versions.get(uid) === version;
}

/** What other attributes read of the target's objects says nothing of what these would read. */
export function readBy(target: HeldTarget, source: unknown): void {
  if (target.source === source) return;
  target.versions.clear();
  target.source = source;
}

/** The item of this UID is what these attributes read of the version. */
export function noteVersion(target: HeldTarget, { uid, version, source }: ReadVersion): void {
  if (version === '' || target.source !== source) target.versions.delete(uid);
  else target.versions.set(uid, version);
}
