import { SinkError, type DeliveryLogger, type Exporter } from '@kollect/core';
import type { ObjectName } from '../../api/kubernetes-api.ts';
import { mostSinks } from '../../resources/inventory-schema.ts';
import type { ParsedInventory } from '../../resources/parse-resources.ts';
import { because } from '../../status/conditions.ts';
import { sinkName, type SinkBook } from '../sinks/sink-book.ts';
import { noteReport, type InventoryRecord } from './inventory-record.ts';
import type { SinkStanding } from './inventory-status.ts';
import { scopeName } from './scope-name.ts';

/** Hands inventories to the exporter, and says how they stand at their sinks. */
export interface InventoryDelivery {
  /** Exports what changed, or what was not exported for long; waits for no sink. */
  deliver(record: InventoryRecord, inventory: ParsedInventory): Promise<void>;
  standings(record: InventoryRecord, inventory: ParsedInventory, leaving: readonly string[]): readonly SinkStanding[];
}

export interface InventoryDeliveryOptions {
  readonly exporter: Pick<Exporter, 'export' | 'status'>;
  readonly cluster: string | undefined;
  readonly sinks: SinkBook;
  /** Undefined while it is not known which sinks there are. */
  readonly hasSink: (of: ObjectName) => boolean | undefined;
  readonly resyncMs: number;
  /** Milliseconds since the epoch, as other machines have it. */
  readonly timeOfDay: () => number;
  readonly logger: DeliveryLogger;
  readonly signal: AbortSignal;
  /** Told when something was delivered, or not. */
  readonly onDelivered: (inventory: ObjectName, sinks: readonly string[]) => void;
}

export function createInventoryDelivery(options: InventoryDeliveryOptions): InventoryDelivery {
  const { exporter, cluster, sinks, hasSink, resyncMs, timeOfDay, logger, signal } = options;

  return {
    deliver: async (record, inventory) => {
      const { collection } = record;
      const { namespace, generation, spec } = inventory;
      const scope = scopeName(cluster, inventory);
      const names = spec.sinkRefs.map(({ name }) => sinkName({ namespace, name }));
      const known = names.filter((name) => sinks.known(name) !== undefined);
      const versions = known.map((name) => [name, sinks.version(name)]);
      const signature = JSON.stringify([collection.version, generation, versions, spec.exportMinInterval]);
      const isDue = record.exported === undefined || timeOfDay() - record.exported.at >= resyncMs;
      if (known.length === 0 || (record.exported?.signature === signature && !isDue)) return;
      const snapshot = await collection.seal({ generation, exportedAt: new Date(timeOfDay()), signal });
      const taken = { generation, items: snapshot.items.length };
      record.exported = { signature, at: timeOfDay(), taken };
      exporter
        .export({ ...scope, sinks: known, delivery: { exportMinInterval: spec.exportMinInterval } }, snapshot, {
          signal,
        })
        .then(({ sinks: reports }) => {
          for (const report of reports) noteReport(record, report, taken);
        })
        .catch((error: unknown) => {
          if (!signal.aborted) logger.error({ ...scope }, SinkError.from(error).message);
        })
        .finally(() => options.onDelivered(inventory, known));
    },

    standings: (record, { namespace, name, spec }, leaving) => {
      // Those that it leaves come first: the list is bounded, and it is all that remembers them.
      const all = [...leaving, ...spec.sinkRefs.map((each) => each.name)].slice(0, mostSinks);
      const fullName = (each: string): string => sinkName({ namespace, name: each });
      const states = exporter.status({ ...scopeName(cluster, { namespace, name }), sinks: all.map(fullName) });
      return all.map((each) => {
        const full = fullName(each);
        return {
          name: each,
          problem: hasSink({ namespace, name: each }) === true ? sinks.problem(full) : because('SinkNotFound'),
          status: states.find(({ sink }) => sink === full),
          taken: record.taken.get(full),
          leaving: leaving.includes(each),
        };
      });
    },
  };
}
