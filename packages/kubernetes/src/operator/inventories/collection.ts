import {
  createInventory,
  SinkError,
  type AttributeSource,
  type DeliveryLogger,
  type Inventory,
  type InventorySealOptions,
  type InventorySnapshot,
  type ItemFromObjectOptions,
  type Scope,
  type TargetName,
} from '@kollect/core';
import { isDeepStrictEqual } from 'node:util';
import type { ApiObject } from '../../api/kubernetes-api.ts';
import type { WatchChange } from '../../watch/watch-types.ts';
import { fieldsOfAttributes } from '../watches/object-fields.ts';
import { keyOf, type SharedWatches, type Subscription, type WatchedSelection } from '../watches/shared-watches.ts';

/** One target of an inventory, and where its objects come from. */
export interface PlannedTarget {
  readonly target: TargetName;
  readonly attributes: AttributeSource;
  readonly from: readonly WatchedSelection[];
  /** It cannot be collected now; what the sinks hold of it stays. */
  readonly missing?: boolean;
}

/** Why not everything is known of a target. */
export type IncompleteCause = 'not-synced' | 'forbidden' | 'stale' | 'unreadable' | 'missing';

export interface IncompleteTarget {
  readonly target: TargetName;
  readonly cause: IncompleteCause;
}

/** The items of one inventory, as the watches of its targets tell of them. */
export interface Collection {
  /** From now on these are its targets. */
  setPlan(plan: readonly PlannedTarget[]): void;
  /** Every watch has listed its objects, or failed to, and all of it is taken in. */
  readonly settled: boolean;
  /** Counts every change of what `seal` would give. */
  readonly version: number;
  readonly size: number;
  readonly incomplete: readonly IncompleteTarget[];
  seal(options: InventorySealOptions): Promise<InventorySnapshot>;
  close(): void;
}

export interface CollectionOptions {
  readonly scope: Scope;
  readonly watches: SharedWatches;
  readonly logger: DeliveryLogger;
  readonly onChange: () => void;
}

interface Held {
  planned: PlannedTarget;
  options: ItemFromObjectOptions<ApiObject>;
  readonly subscriptions: Map<string, Subscription>;
  /** Replacements under way: until they end nobody knows what is gone. */
  replacing: number;
  cause: IncompleteCause | undefined;
}

export function createCollection({ scope, watches, logger, onChange }: CollectionOptions): Collection {
  const inventory = createInventory(scope, { onInvalid: 'leave-out' });
  const targets = new Map<string, Held>();
  let version = 0;
  let leaving = 0;
  let closed = false;

  const changed = (): void => {
    version += 1;
    onChange();
  };
  const failed = (error: unknown): void => {
    const why = SinkError.isInstance(error) ? error.message : 'An unknown error.';
    logger.error({ namespace: scope.inventoryNamespace, name: scope.inventoryName }, why);
  };

  /** Marks the target by what its watches say now. */
  const mark = (held: Held): void => {
    const { target } = held.planned;
    const before = held.cause;
    held.cause = causeOf(held);
    if (held.cause === undefined) inventory.markComplete(target);
    else inventory.markIncomplete(target);
    if (before !== held.cause) changed();
  };

  /** Makes the target hold what its watches hold now. */
  const replace = (held: Held): void => {
    held.replacing += 1;
    mark(held);
    // Selections may overlap.
    const objects = new Map<string, ApiObject>();
    for (const each of held.subscriptions.values())
      for (const { uid, object } of each.objects()) objects.set(uid, object);
    inventory
      .replaceObjects([...objects.values()], held.options)
      .then(changed, failed)
      .finally(() => {
        held.replacing -= 1;
        if (!closed && targets.get(nameOf(held.planned.target)) === held) mark(held);
        onChange();
      });
  };

  const apply = (held: Held, change: WatchChange<ApiObject>): void => {
    if (change.kind === 'replace') return replace(held);
    const { uid, name, namespace, object } = change.object;
    const of = namespace === undefined ? { name } : { name, namespace };
    const isHeld = [...held.subscriptions.values()].some((each) => each.get(of)?.uid === uid);
    const { target } = held.planned;
    const isNews = isHeld ? inventory.setObject(object, held.options) : inventory.delete({ target, uid });
    if (isNews) changed();
  };

  const subscribe = (held: Held, selection: WatchedSelection): Subscription =>
    watches.subscribe(selection, {
      fields: fieldsOfAttributes(held.planned.attributes),
      onChange: (change) => {
        try {
          apply(held, change);
        } catch (error) {
          failed(error);
        }
      },
      onState: () => {
        mark(held);
        onChange();
      },
    });

  const setTarget = (planned: PlannedTarget): void => {
    const key = nameOf(planned.target);
    const known = targets.get(key);
    if (known !== undefined && isDeepStrictEqual(known.planned, planned)) return;
    // The same attributes as one and the same value are read once for each version of an object.
    const same = known !== undefined && isDeepStrictEqual(known.planned.attributes, planned.attributes);
    const options = same ? known.options : { target: planned.target, attributes: planned.attributes };
    const held: Held = { planned, options, subscriptions: new Map(), replacing: 0, cause: known?.cause };
    targets.set(key, held);
    for (const selection of planned.from) held.subscriptions.set(keyOf(selection), subscribe(held, selection));
    for (const old of known?.subscriptions.values() ?? []) old.release();
    if (planned.missing === true || [...held.subscriptions.values()].every(({ state }) => !state.synced)) mark(held);
    else replace(held);
  };

  const drop = (key: string, held: Held): void => {
    targets.delete(key);
    for (const subscription of held.subscriptions.values()) subscription.release();
    leaving += 1;
    inventory
      .replaceTarget(held.planned.target, [])
      .catch(failed)
      .finally(() => {
        leaving -= 1;
        changed();
      });
  };

  return {
    setPlan: (plan) => {
      const names = new Set(plan.map(({ target }) => nameOf(target)));
      for (const [key, held] of targets) if (!names.has(key)) drop(key, held);
      for (const planned of plan) setTarget(planned);
    },
    get settled() {
      return leaving === 0 && [...targets.values()].every(isSettled);
    },
    get version() {
      return version;
    },
    get size() {
      return inventory.size;
    },
    get incomplete() {
      return incompleteOf(inventory, targets);
    },
    seal: (options) => inventory.seal(options),
    close: () => {
      closed = true;
      for (const held of targets.values()) for (const each of held.subscriptions.values()) each.release();
      targets.clear();
    },
  };
}

function nameOf({ namespace, name }: TargetName): string {
  return `${namespace}/${name}`;
}

function causeOf({ planned, subscriptions, replacing }: Held): IncompleteCause | undefined {
  if (planned.missing === true) return 'missing';
  const causes = [...subscriptions.values()].flatMap(({ state }) => state.incomplete ?? []);
  return causes[0] ?? (replacing > 0 ? 'not-synced' : undefined);
}

function isSettled({ subscriptions, replacing }: Held): boolean {
  return (
    replacing === 0 && [...subscriptions.values()].every(({ state }) => state.synced || state.problem !== undefined)
  );
}

/** Those that the watches cannot vouch for, and those of which an item cannot be stored. */
function incompleteOf(inventory: Inventory, targets: ReadonlyMap<string, Held>): readonly IncompleteTarget[] {
  return inventory.incompleteTargets.flatMap((name) => {
    const held = targets.get(name);
    return held === undefined ? [] : [{ target: held.planned.target, cause: held.cause ?? 'unreadable' }];
  });
}
