import type { DeliveryLogger } from '@kollect/core';
import type { ApiObject, ObjectName } from '../../api/kubernetes-api.ts';
import { inventoryType } from '../../resources/resource-types.ts';
import { fieldOf } from '../../status/conditions.ts';
import { exportedFinalizer, setFinalizer } from '../finalizer.ts';
import type { ObjectApi } from '../limited-api.ts';
import { sinkName, type SinkBook } from '../sinks/sink-book.ts';
import { closeRecord, type InventoryRecord } from './inventory-record.ts';
import { sinksOfSpec, sinksOfStatus, type Removal } from './removal.ts';

/** Takes inventories out of the sinks that they leave, and out of all where they are deleted. */
export interface InventoryEnd {
  /** Sinks that its status names and its spec does not, and that may hold rows of it still. */
  leave(record: InventoryRecord, resource: ApiObject): readonly string[];
  /** Lets a deleted inventory go once no sink holds it, or where it is suspended. True when it is let go. */
  finalize(record: InventoryRecord, resource: ApiObject): Promise<boolean>;
}

export interface InventoryEndOptions {
  readonly api: Pick<ObjectApi, 'patch'>;
  readonly sinks: SinkBook;
  /** Undefined while it is not known which sinks there are. */
  readonly hasSink: (of: ObjectName) => boolean | undefined;
  readonly timeOfDay: () => number;
  readonly logger: DeliveryLogger;
  readonly signal: AbortSignal;
}

export function createInventoryEnd(options: InventoryEndOptions): InventoryEnd {
  const { api, sinks, hasSink, timeOfDay, logger, signal } = options;

  /** A sink that is there and cannot be used holds the inventory up, as one that is down does; one that is gone does not. */
  const isRemoved = (removal: Removal, namespace: string, names: readonly string[], at: string): boolean => {
    const there = names.map((name) => ({ full: sinkName({ namespace, name }), exists: hasSink({ namespace, name }) }));
    if (there.some(({ exists }) => exists === undefined)) return false;
    const existing = there.filter(({ exists }) => exists === true).map(({ full }) => full);
    if (existing.some((full) => sinks.known(full) === undefined)) return false;
    return removal.isDone(existing, at);
  };

  return {
    leave: (record, resource) => {
      const { namespace = '' } = resource.metadata;
      const current = sinksOfSpec(resource['spec']);
      const names = sinksOfStatus(resource['status']).filter((name) => !current.includes(name));
      if (names.length === 0) {
        record.left = undefined;
        return names;
      }
      const key = names.join();
      if (record.left?.sinks !== key) record.left = { sinks: key, at: new Date(timeOfDay()).toISOString() };
      return isRemoved(record.leaving, namespace, names, record.left.at) ? [] : names;
    },

    finalize: async (record, resource) => {
      const { namespace = '', name, deletionTimestamp = '' } = resource.metadata;
      closeRecord(record);
      const suspended = fieldOf(resource['spec'], 'suspend') === true;
      const names = [...new Set([...sinksOfSpec(resource['spec']), ...sinksOfStatus(resource['status'])])];
      if (!suspended && !isRemoved(record.removal, namespace, names, deletionTimestamp)) return false;
      logger.info({ namespace, name, finalizer: exportedFinalizer, suspended }, 'The inventory is let go.');
      await setFinalizer(api, inventoryType, resource, { present: false, signal });
      return true;
    },
  };
}
