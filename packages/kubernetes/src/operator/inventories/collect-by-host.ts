import { isPromise } from 'node:util/types';
import { SinkError, type AttributeSource } from '@kollect/core';
import type { ApiObject } from '../../api/kubernetes-api.ts';
import type { ParsedInventory } from '../../resources/parse-resources.ts';
import { keyOf, type SharedWatches, type Subscription, type WatchedSelection } from '../watches/shared-watches.ts';
import type { PlannedTarget } from './collection.ts';

/** A target of the host's own. */
export interface CollectedTarget {
  readonly name: string;
  /** Default: the namespace of the inventory. */
  readonly namespace?: string;
  /** What is read of each object. Give the same function each time: another one means that every object is read again. */
  readonly attributes: AttributeSource;
}

/** Objects that are watched as long as the inventory needs them. */
export interface WatchedObjects {
  /** Those that are there now; the host is asked again whenever they change, and what it says counts once all of them are known. */
  objects(): readonly ApiObject[];
}

export interface CollectContext {
  /** The KollectInventory that is asked for. */
  readonly inventory: ParsedInventory;
  /** Makes the objects items of the target; may be called again for the same one. */
  collect(target: CollectedTarget, from: WatchedObjects): void;
  /** The objects of a type, of all namespaces unless one is given. Costs nothing where somebody watches them already. */
  watch(selection: WatchedSelection): WatchedObjects;
}

/** Says what belongs to an inventory. Called whenever the inventory changes, and what it read of `objects`. What it throws is contained. */
export type CollectInventory = (context: CollectContext) => void;

/** One inventory's plan, as the host makes it. */
export interface HostPlanner {
  /** Undefined while what the host read is not known yet. Throws what the host threw. */
  plan(inventory: ParsedInventory): readonly PlannedTarget[] | undefined;
  /** What the host read cannot be known now: a list failed or is forbidden. */
  readonly isBlocked: boolean;
  close(): void;
}

export interface HostPlannerOptions {
  readonly collect: CollectInventory;
  readonly watches: SharedWatches;
  /** What the host read has changed. */
  readonly onChange: () => void;
}

export function createHostPlanner({ collect, watches, onChange }: HostPlannerOptions): HostPlanner {
  const read = new Map<string, Subscription>();

  return {
    plan: (inventory) => {
      const planned = new Map<string, PlannedTarget>();
      const selections = new Map<object, WatchedSelection>();
      const reading = new Set<string>();
      const watch = (selection: WatchedSelection): WatchedObjects => {
        const given = checkedSelection(selection);
        const key = keyOf(given);
        const handle: WatchedObjects = {
          objects: () => {
            reading.add(key);
            const known = read.get(key);
            const subscription = known ?? watches.subscribe(given, { fields: 'all', onChange, onState: onChange });
            read.set(key, subscription);
            return subscription.objects().map(({ object }) => object);
          },
        };
        selections.set(handle, given);
        return handle;
      };
      const add = (target: CollectedTarget, from: WatchedObjects): void => {
        const selection = selections.get(from);
        if (selection === undefined) throw hostError('collect takes what watch returned in the same call');
        const { name, namespace = inventory.namespace, attributes } = target;
        const key = `${namespace}/${name}`;
        const known = planned.get(key)?.from ?? [];
        planned.set(key, { target: { namespace, name }, attributes, from: [...known, selection] });
      };
      const returned: unknown = collect({ inventory, collect: add, watch });
      if (isPromise(returned)) {
        returned.catch(() => undefined);
        throw hostError('the function given to inventories returned a promise: what it collects must be said at once');
      }
      for (const [key, subscription] of read) {
        if (reading.has(key)) continue;
        read.delete(key);
        subscription.release();
      }
      const isKnown = [...read.values()].every(({ state }) => state.incomplete === undefined);
      return isKnown ? [...planned.values()] : undefined;
    },
    get isBlocked() {
      return [...read.values()].some(({ state }) => state.incomplete !== undefined && state.problem !== undefined);
    },
    close: () => {
      for (const subscription of read.values()) subscription.release();
      read.clear();
    },
  };
}

function checkedSelection(selection: WatchedSelection): WatchedSelection {
  const { apiVersion, kind, namespace, labelSelector, fieldSelector } = selection;
  for (const [field, value] of Object.entries({ apiVersion, kind }))
    if (typeof value !== 'string' || value === '')
      throw hostError(`watch needs ${field}, such as apps/v1 and Deployment`);
  return {
    apiVersion,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

function hostError(problem: string): SinkError {
  return new SinkError('CONTRACT_VIOLATION', `An inventory cannot be collected: ${problem}.`, { operation: 'seal' });
}
