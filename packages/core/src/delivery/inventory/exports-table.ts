import { formatScope } from '../../contract/snapshot/scope.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import type { InventoryExports } from './inventory-exports.ts';

/** All exports of the exporter, found by inventory and sink. */
export interface ExportsTable {
  get(scope: Scope, sink: string): InventoryExports | undefined;
  set(scope: Scope, sink: string, exports: InventoryExports): void;
  /** Takes these out of the table, unless newer ones took their place. */
  delete(scope: Scope, sink: string, exports: InventoryExports): void;
  /** The inventory's exports to every sink that is not among these. */
  others(scope: Scope, sinks: ReadonlySet<string>): readonly InventoryExports[];
  /** Takes all exports to the sink out of the table, whatever their inventory. What runs of them is `ending`. */
  takeSink(sink: string): readonly InventoryExports[];
  /** Resolves when nothing runs any more of exports of this inventory that were taken out with a sink of this name; undefined where nothing does. */
  ending(scope: Scope, sink: string): Promise<unknown> | undefined;
  all(): readonly InventoryExports[];
}

export function createExportsTable(): ExportsTable {
  const byScope = new Map<string, Map<string, InventoryExports>>();
  const ending = new Map<string, Promise<unknown>>();

  const take = (key: string, bySink: Map<string, InventoryExports>, sink: string): InventoryExports | undefined => {
    const exports = bySink.get(sink);
    bySink.delete(sink);
    if (bySink.size === 0) byScope.delete(key);
    return exports;
  };

  const noteEnd = (key: string, { busy, idle }: InventoryExports): void => {
    if (!busy) return;
    const ended: Promise<unknown> = Promise.all([ending.get(key), idle()]).finally(() => {
      if (ending.get(key) === ended) ending.delete(key);
    });
    ending.set(key, ended);
  };

  return {
    get: (scope, sink) => byScope.get(formatScope(scope))?.get(sink),
    set: (scope, sink, exports) => {
      const key = formatScope(scope);
      const bySink = byScope.get(key) ?? new Map<string, InventoryExports>();
      byScope.set(key, bySink.set(sink, exports));
    },
    delete: (scope, sink, exports) => {
      const key = formatScope(scope);
      const bySink = byScope.get(key);
      if (bySink?.get(sink) === exports) take(key, bySink, sink);
    },
    others: (scope, sinks) =>
      [...(byScope.get(formatScope(scope)) ?? [])].filter(([sink]) => !sinks.has(sink)).map(([, exports]) => exports),
    takeSink: (sink) =>
      [...byScope].flatMap(([key, bySink]) => {
        const taken = take(key, bySink, sink);
        if (taken === undefined) return [];
        noteEnd(keyOf(key, sink), taken);
        return taken;
      }),
    ending: (scope, sink) => ending.get(keyOf(formatScope(scope), sink)),
    all: () => [...byScope.values()].flatMap((bySink) => [...bySink.values()]),
  };
}

function keyOf(scope: string, sink: string): string {
  return JSON.stringify([scope, sink]);
}
