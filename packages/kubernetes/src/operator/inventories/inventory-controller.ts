import { SinkError, type Exporter, type InventoryName, type SinkDeliveryReport } from '@kollect/core';
import type { ApiObject, ObjectName } from '../../api/kubernetes-api.ts';
import { parseInventory, type ParsedInventory } from '../../resources/parse-resources.ts';
import { readHead } from '../../resources/resource-head.ts';
import { inventoryType } from '../../resources/resource-types.ts';
import { because, causeOf, type Cause } from '../../status/conditions.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import { hasFinalizer, setFinalizer } from '../finalizer.ts';
import type { LeavingSinks } from '../sinks/leaving-sinks.ts';
import { sinkName } from '../sinks/sink-book.ts';
import type { SharedWatches } from '../watches/shared-watches.ts';
import { createCollection, type Collection, type PlannedTarget } from './collection.ts';
import { createHostPlanner, type CollectInventory } from './collect-by-host.ts';
import { createInventoryDelivery, type InventoryDeliveryOptions } from './inventory-delivery.ts';
import { createInventoryEnd, type InventoryEndOptions } from './inventory-end.ts';
import { closeRecord, noteReport, type InventoryRecord } from './inventory-record.ts';
import { inventoryStatus, refusedInventory } from './inventory-status.ts';
import { createRemoval, sinksOfStatus, type Removal } from './removal.ts';
import { scopeName } from './scope-name.ts';

/** Keeps every KollectInventory in its sinks. */
export interface InventoryController {
  /** Looks at one inventory; gives in how many milliseconds it is to be looked at again. */
  visit(of: ObjectName, resource: ApiObject | undefined): Promise<number | undefined>;
  /** Of a delivery that nobody waited for. */
  noteReport(inventory: InventoryName, report: SinkDeliveryReport): void;
  close(): void;
}

export interface InventoryControllerOptions extends InventoryDeliveryOptions, InventoryEndOptions {
  readonly exporter: Exporter;
  readonly leaving: LeavingSinks;
  readonly watches: SharedWatches;
  readonly collect: CollectInventory | undefined;
  /** The plan from KollectTarget resources; undefined while they are not known. */
  readonly planOf: (inventory: ParsedInventory) => readonly PlannedTarget[] | undefined;
  readonly status: StatusWriter;
  /** Asks for a visit. */
  readonly wake: (of: ObjectName, delayMs?: number) => void;
}

/** Changes of objects come in bursts. */
const burstMs = 1_000;
const againMs = 5_000;

export function createInventoryController(options: InventoryControllerOptions): InventoryController {
  const { api, exporter, cluster, sinks, hasSink, status, resyncMs, timeOfDay, logger, signal, wake } = options;
  const records = new Map<string, InventoryRecord>();
  const delivery = createInventoryDelivery(options);
  const end = createInventoryEnd(options);

  const drop = (key: string): undefined => {
    const record = records.get(key);
    if (record !== undefined) closeRecord(record);
    records.delete(key);
  };
  /** Nothing more is delivered of it, not even what was owed: a removal from no sink leaves all of them. */
  const letGo = (of: ObjectName): undefined => {
    drop(sinkName(of));
    const left = { ...scopeName(cluster, of), sinks: [] };
    exporter.removeInventory(left, { removedAt: new Date(timeOfDay()), signal }).catch((error: unknown) => {
      if (!signal.aborted) logger.warn({ ...scopeName(cluster, of) }, SinkError.from(error).message);
    });
  };
  const removalBy = (by: Pick<Exporter, 'removeInventory'>, of: ObjectName): Removal => {
    const onSettled = (isDone: boolean): void => wake(of, isDone ? 0 : againMs);
    return createRemoval({ exporter: by, inventory: scopeName(cluster, of), timeOfDay, logger, signal, onSettled });
  };
  const recordOf = (of: ObjectName, uid: string): InventoryRecord => {
    const key = sinkName(of);
    const known = records.get(key);
    if (known?.uid === uid) return known;
    drop(key);
    const { collect, watches } = options;
    const onChange = (): void => wake(of, burstMs);
    const scope = {
      ...(cluster === undefined ? {} : { cluster }),
      inventoryNamespace: of.namespace ?? '',
      inventoryName: of.name,
    };
    const record: InventoryRecord = {
      uid,
      collection: createCollection({ scope, watches, logger, onChange }),
      planner: collect === undefined ? undefined : createHostPlanner({ collect, watches, onChange }),
      removal: removalBy(exporter, of),
      leaving: removalBy(options.leaving, of),
      isPlanned: false,
      exported: undefined,
      taken: new Map(),
      left: undefined,
    };
    records.set(key, record);
    return record;
  };

  /** Takes the plan where there is one; says why there is none. */
  const plan = (
    { planner, collection }: InventoryRecord,
    inventory: ParsedInventory,
  ): Cause | 'planned' | 'unknown' => {
    try {
      const planned = planner === undefined ? options.planOf(inventory) : planner.plan(inventory);
      if (planned === undefined) return planner?.isBlocked === true ? because('TargetIncomplete') : 'unknown';
      collection.setPlan(planned);
      return 'planned';
    } catch (error) {
      logger.error({ ...scopeName(cluster, inventory) }, SinkError.from(error).message);
      return because('CollectFailed');
    }
  };

  const finalize = async (of: ObjectName, resource: ApiObject): Promise<number | undefined> => {
    if (!hasFinalizer(resource)) return letGo(of);
    const isGone = await end.finalize(recordOf(of, resource.metadata.uid ?? ''), resource);
    return isGone ? undefined : againMs;
  };

  const refuse = async (of: ObjectName, resource: ApiObject, error: unknown): Promise<undefined> => {
    drop(sinkName(of));
    logger.warn({ ...scopeName(cluster, of) }, SinkError.from(error).message);
    const { generation } = resource.metadata;
    await status.write(inventoryType, resource, refusedInventory(causeOf(error), resource['status'], generation));
  };

  const work = async (inventory: ParsedInventory, resource: ApiObject): Promise<number | undefined> => {
    const record = recordOf(inventory, inventory.uid);
    const { collection } = record;
    const { suspend, sinkRefs } = inventory.spec;
    const write = (degraded: Cause | undefined, leaving: readonly string[]): Promise<number | undefined> => {
      const items = record.exported?.taken.items;
      const standings = delivery.standings(record, inventory, leaving);
      const wanted = inventoryStatus({ inventory, degraded, items, sinks: standings, before: resource['status'] });
      return status.write(inventoryType, resource, wanted);
    };
    const noted = sinksOfStatus(resource['status']);
    if (suspend) {
      letGo(inventory);
      return write(
        undefined,
        noted.filter((name) => !sinkRefs.some((ref) => ref.name === name)),
      );
    }
    // First the finalizer, then the export: what nobody removes must not be written.
    if (!hasFinalizer(resource)) {
      await setFinalizer(api, inventoryType, resource, { present: true, signal });
      return undefined;
    }
    const planned = plan(record, inventory);
    if (planned === 'planned') record.isPlanned = true;
    const leaving = end.leave(record, resource);
    const failure = typeof planned === 'string' ? undefined : planned;
    const isReady = record.isPlanned && collection.settled;
    if (!isReady && failure === undefined) return undefined;
    // The status remembers where rows are: it names a sink before anything is there.
    if (isReady && sinkRefs.some(({ name }) => !noted.includes(name))) await write(failure, leaving);
    if (isReady) await delivery.deliver(record, inventory);
    const laterMs = await write(failure ?? incompleteCause(collection), leaving);
    return Math.min(laterMs ?? Infinity, resyncMs);
  };

  return {
    visit: async (of, resource) => {
      if (resource === undefined) return letGo(of);
      readHead(inventoryType, resource);
      if (resource.metadata.deletionTimestamp !== undefined) return finalize(of, resource);
      let inventory: ParsedInventory;
      try {
        inventory = parseInventory(resource);
      } catch (error) {
        return refuse(of, resource, error);
      }
      const { namespace } = inventory;
      const refs = inventory.spec.sinkRefs.map(({ name }) => ({ namespace, name }));
      // Before it is known which sinks there are, and how they are, nothing can be said.
      const isKnown = (ref: ObjectName): boolean =>
        hasSink(ref) === false || (hasSink(ref) === true && sinks.isSeen(sinkName(ref)));
      return refs.every(isKnown) ? work(inventory, resource) : undefined;
    },
    noteReport: ({ namespace, name }, report) => {
      const record = records.get(sinkName({ namespace, name }));
      if (record?.exported !== undefined) noteReport(record, report, record.exported.taken);
      options.onDelivered({ namespace, name }, [report.sink]);
    },
    close: () => {
      for (const key of records.keys()) drop(key);
    },
  };
}

function incompleteCause({ incomplete }: Collection): Cause | undefined {
  if (incomplete.some(({ cause }) => cause === 'missing')) return because('TargetNotFound');
  return incomplete.length > 0 ? because('TargetIncomplete') : undefined;
}
