import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  sealSnapshot,
  type DeliveryReport,
  type ExportInventory,
  type Exporter,
  type InventorySnapshot,
  type Item,
} from '@kollect/core';

export interface StormOptions {
  readonly exporter: Exporter;
  readonly sinks: readonly string[];
  readonly inventories: number;
  readonly intervalMs: number;
  readonly itemsEach: number;
}

/** Inventories that change and are exported again and again, whatever becomes of the exports. */
export interface Storm {
  readonly inventories: readonly ExportInventory[];
  /** The newest snapshot of each inventory, by its name. */
  readonly latest: ReadonlyMap<string, InventorySnapshot>;
  /** Exports that were asked for so far. */
  readonly calls: number;
  /** From now on counts how long the exports of each sink take, in microseconds from the call to the store's answer. */
  measure(): ReadonlyMap<string, RecordableHistogram>;
  /** Outcomes of each sink so far. */
  outcomes(): Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Ends the changes; resolves when the last export was asked for. */
  stop(): Promise<void>;
}

/** Starts the changes: every inventory once per interval. */
export function startStorm({ exporter, sinks, inventories: count, intervalMs, itemsEach }: StormOptions): Storm {
  const inventories = Array.from({ length: count }, (_, index) => ({
    cluster: 'soak',
    namespace: 'team',
    name: `inventory-${index}`,
    sinks,
  }));
  const latest = new Map<string, InventorySnapshot>();
  const outcomes: Record<string, Record<string, number>> = Object.fromEntries(sinks.map((sink) => [sink, {}]));
  let histograms = histogramsOf(sinks);
  let stopped = false;
  let calls = 0;

  const note = ({ sinks: reports }: DeliveryReport): void => {
    for (const { sink, outcome, queueMs, writeMs } of reports) {
      const counted = (outcomes[sink] ??= {});
      counted[outcome] = (counted[outcome] ?? 0) + 1;
      if (outcome === 'applied') histograms.get(sink)?.record(Math.max(1, Math.round((queueMs + writeMs) * 1_000)));
    }
  };

  const change = async (inventory: ExportInventory, round: number): Promise<void> => {
    const snapshot = await sealSnapshot({
      cluster: 'soak',
      inventoryNamespace: inventory.namespace,
      inventoryName: inventory.name,
      generation: round + 1,
      exportedAt: new Date(),
      items: items(inventory.name, itemsEach, round),
    });
    latest.set(inventory.name, snapshot);
    calls += 1;
    // Not awaited: an operator's reconcile loop goes on, too.
    void exporter.export(inventory, snapshot).then(note);
  };

  const running = Promise.all(
    inventories.map(async (inventory, index) => {
      // Spread over the interval, as the inventories of an operator are.
      await sleep((intervalMs * index) / count);
      for (let round = 0; !stopped; round += 1) {
        const next = performance.now() + intervalMs;
        await change(inventory, round);
        await sleep(Math.max(1, next - performance.now()));
      }
    }),
  );

  return {
    inventories,
    latest,
    get calls() {
      return calls;
    },
    measure: () => (histograms = histogramsOf(sinks)),
    outcomes: () => outcomes,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

function histogramsOf(sinks: readonly string[]): Map<string, RecordableHistogram> {
  return new Map(sinks.map((sink) => [sink, createHistogram()]));
}

function items(inventory: string, count: number, round: number): Item[] {
  return Array.from({ length: count }, (_, index) => ({
    targetNamespace: 'team',
    targetName: 'deployments',
    namespace: 'shop',
    name: `web-${index}`,
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    uid: `${inventory}-${index}`,
    // One of them changes.
    attributes: { replicas: index === round % count ? round : 1 },
  }));
}
