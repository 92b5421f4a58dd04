import type { Exporter } from '@kollect/core';
import type { SinkBook } from './sink-book.ts';

/** Takes inventories out of sinks that they name no more. */
export type LeavingSinks = Pick<Exporter, 'removeInventory'>;

export interface LeavingSinksOptions {
  /** One of its own: a removal at some sinks ends what an exporter owes to the others of the inventory. */
  readonly exporter: Pick<Exporter, 'updateSink' | 'removeSink' | 'removeInventory'>;
  readonly sinks: Pick<SinkBook, 'known'>;
}

/** Its sinks are connected for as long as a removal takes. */
export function createLeavingSinks({ exporter, sinks }: LeavingSinksOptions): LeavingSinks {
  const users = new Map<string, number>();
  const use = (name: string, count: 1 | -1): number => {
    const now = (users.get(name) ?? 0) + count;
    if (now === 0) users.delete(name);
    else users.set(name, now);
    return now;
  };
  return {
    removeInventory: async (inventory, options) => {
      for (const name of inventory.sinks) {
        use(name, 1);
        const resource = sinks.known(name);
        if (resource !== undefined) exporter.updateSink(resource);
      }
      try {
        return await exporter.removeInventory(inventory, options);
      } finally {
        // What it still owes goes with the sink: whoever called asks again.
        for (const name of inventory.sinks)
          if (use(name, -1) === 0) void exporter.removeSink(name).catch(() => undefined);
      }
    },
  };
}
