import { SinkError, type DeliveryLogger, type Exporter } from '@kollect/core';
import { fieldOf } from '../../status/conditions.ts';
import type { ScopeName } from './scope-name.ts';

/** Takes inventories out of sinks, without anybody waiting for a sink that is down. */
export interface Removal {
  /** Whether the sinks hold nothing of it any more; begins to remove, or tries again, where they do. */
  isDone(sinks: readonly string[], removedAt: string): boolean;
}

export interface RemovalOptions {
  readonly exporter: Pick<Exporter, 'removeInventory'>;
  readonly inventory: ScopeName;
  readonly timeOfDay: () => number;
  readonly logger: DeliveryLogger;
  readonly signal: AbortSignal;
  /** Time to ask again: at once, or after a while. */
  readonly onSettled: (isDone: boolean) => void;
}

const supersededOutcomes: ReadonlySet<string> = new Set(['superseded', 'queued-superseded']);

export function createRemoval({ exporter, inventory, timeOfDay, logger, signal, onSettled }: RemovalOptions): Removal {
  let running = false;
  let doneFor: string | undefined;
  let isLate = false;

  const run = async (sinks: readonly string[], removedAt: string): Promise<void> => {
    // Nobody exports it any more: what is newer in the store came of a former process, or of a clock that runs ahead.
    const at = isLate ? new Date(timeOfDay()) : removedAt;
    const report = await exporter.removeInventory({ ...inventory, sinks }, { removedAt: at, signal });
    if (report.ok) doneFor = keyOf(sinks, removedAt);
    isLate = report.sinks.some(({ outcome }) => supersededOutcomes.has(outcome));
  };

  return {
    isDone: (sinks, removedAt) => {
      if (sinks.length === 0 || doneFor === keyOf(sinks, removedAt)) return true;
      if (running) return false;
      running = true;
      run(sinks, removedAt)
        .catch((error: unknown) => {
          if (!signal.aborted) logger.warn({ ...inventory }, SinkError.from(error).message);
        })
        .finally(() => {
          running = false;
          onSettled(doneFor === keyOf(sinks, removedAt));
        });
      return false;
    },
  };
}

function keyOf(sinks: readonly string[], removedAt: string): string {
  return JSON.stringify([[...sinks].sort(), removedAt]);
}

/** Sinks that the status names: where rows of the inventory may be. */
export function sinksOfStatus(status: unknown): readonly string[] {
  return namesIn(fieldOf(status, 'sinks'));
}

/** Sinks that the spec names, as far as it can be read. */
export function sinksOfSpec(spec: unknown): readonly string[] {
  return namesIn(fieldOf(spec, 'sinkRefs'));
}

function namesIn(list: unknown): readonly string[] {
  const names = Array.isArray(list) ? list.map((each) => fieldOf(each, 'name')) : [];
  return names.filter((each): each is string => typeof each === 'string' && each !== '');
}
