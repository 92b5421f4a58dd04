import { formatScope } from '../../contract/scope.ts';
import type { Scope } from '../../contract/snapshot.ts';
import type { InventoryLane } from './inventory-lane.ts';

/** The lanes there are, by inventory and sink. */
export interface LaneTable {
  get(scope: Scope, sink: string): InventoryLane | undefined;
  set(scope: Scope, sink: string, lane: InventoryLane): void;
  /** Forgets the lane, unless another one took its place. */
  delete(scope: Scope, sink: string, lane: InventoryLane): void;
  /** Takes the inventory's lanes to all but these sinks out of the table. */
  takeOthers(scope: Scope, sinks: ReadonlySet<string>): readonly InventoryLane[];
  /** Takes every inventory's lane to the sink out of the table. */
  takeSink(sink: string): readonly InventoryLane[];
  all(): readonly InventoryLane[];
}

export function createLaneTable(): LaneTable {
  const byScope = new Map<string, Map<string, InventoryLane>>();

  const take = (key: string, lanes: Map<string, InventoryLane>, sink: string): InventoryLane | undefined => {
    const lane = lanes.get(sink);
    lanes.delete(sink);
    if (lanes.size === 0) byScope.delete(key);
    return lane;
  };

  return {
    get: (scope, sink) => byScope.get(formatScope(scope))?.get(sink),
    set: (scope, sink, lane) => {
      const key = formatScope(scope);
      const lanes = byScope.get(key) ?? new Map<string, InventoryLane>();
      byScope.set(key, lanes.set(sink, lane));
    },
    delete: (scope, sink, lane) => {
      const key = formatScope(scope);
      const lanes = byScope.get(key);
      if (lanes?.get(sink) === lane) take(key, lanes, sink);
    },
    takeOthers: (scope, sinks) => {
      const key = formatScope(scope);
      const lanes = byScope.get(key);
      if (lanes === undefined) return [];
      return [...lanes.keys()].filter((sink) => !sinks.has(sink)).flatMap((sink) => take(key, lanes, sink) ?? []);
    },
    takeSink: (sink) => [...byScope].flatMap(([key, lanes]) => take(key, lanes, sink) ?? []),
    all: () => [...byScope.values()].flatMap((lanes) => [...lanes.values()]),
  };
}
