import type { PooledItem } from '../contract/snapshot/sealed-item.ts';

/** A target resource that selects objects. */
export interface TargetName {
  readonly namespace: string;
  readonly name: string;
}

/** What is newer than a replacement that runs. */
export interface NewerChanges {
  /** UIDs that were set or deleted since it was asked for. */
  readonly uids: Set<string>;
  isMarked: boolean;
}

/** What an inventory holds of one target. */
export interface HeldTarget extends TargetName {
  readonly items: Map<string, PooledItem>;
  /** `resourceVersion` by UID, of objects whose attributes were read by `source`. */
  readonly versions: Map<string, string>;
  source: unknown;
  /** UIDs of what could not become an item; the empty one stands for all that have none. */
  readonly leftOut: Set<string>;
  isMarkedIncomplete: boolean;
  /** One for each replacement that waits or runs. */
  readonly replacements: Set<NewerChanges>;
}

/** The targets of one inventory, by name and namespace. */
export interface HeldTargets extends Iterable<HeldTarget> {
  get(target: TargetName): HeldTarget | undefined;
  getOrAdd(target: TargetName): HeldTarget;
  /** Those of one name, in every namespace. */
  named(name: string): Iterable<HeldTarget>;
  /** Forgets a target of which nothing is known any more. */
  forgetIdle(target: HeldTarget): void;
}

export function createHeldTargets(): HeldTargets {
  const byName = new Map<string, Map<string, HeldTarget>>();

  const get = ({ namespace, name }: TargetName): HeldTarget | undefined => byName.get(name)?.get(namespace);
  return {
    get,
    getOrAdd(target) {
      const known = get(target);
      if (known !== undefined) return known;
      const added = emptyTarget(target);
      const namespaces = byName.get(target.name) ?? new Map<string, HeldTarget>();
      byName.set(target.name, namespaces.set(target.namespace, added));
      return added;
    },
    named: (name) => byName.get(name)?.values() ?? [],
    forgetIdle(target) {
      const { items, leftOut, isMarkedIncomplete, replacements } = target;
      if (items.size > 0 || leftOut.size > 0 || isMarkedIncomplete || replacements.size > 0) return;
      const namespaces = byName.get(target.name);
      namespaces?.delete(target.namespace);
      if (namespaces?.size === 0) byName.delete(target.name);
    },
    *[Symbol.iterator]() {
      for (const namespaces of byName.values()) yield* namespaces.values();
    },
  };
}

function emptyTarget({ namespace, name }: TargetName): HeldTarget {
  return {
    namespace,
    name,
    items: new Map(),
    versions: new Map(),
    source: undefined,
    leftOut: new Set(),
    isMarkedIncomplete: false,
    replacements: new Set(),
  };
}
