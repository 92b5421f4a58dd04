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
  /** Takes all exports to the sink out of the table, whatever their inventory. */
  takeSink(sink: string): readonly InventoryExports[];
  all(): readonly InventoryExports[];
}

export function createExportsTable(): ExportsTable {
  const byScope = new Map<string, Map<string, InventoryExports>>();

  const take = (key: string, bySink: Map<string, InventoryExports>, sink: string): InventoryExports | undefined => {
    const exports = bySink.get(sink);
    bySink.delete(sink);
    if (bySink.size === 0) byScope.delete(key);
    return exports;
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
    takeSink: (sink) => [...byScope].flatMap(([key, bySink]) => take(key, bySink, sink) ?? []),
    all: () => [...byScope.values()].flatMap((bySink) => [...bySink.values()]),
  };
}
