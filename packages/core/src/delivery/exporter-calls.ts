import { SinkError } from '../contract/errors/errors.ts';
import { formatScope } from '../contract/snapshot/scope.ts';
import type { InventorySnapshot } from '../contract/snapshot/snapshot.ts';
import {
  isRemoved,
  notAskedReport,
  summariseReports,
  type DeliveryReport,
  type RemovalReport,
  type SinkDeliveryReport,
  type SinkRemovalReport,
} from './delivery-report.ts';
import { checkScope, nameOf, resolveRemovedAt, unknownSink } from './exporter-checks.ts';
import { fanOut, leaveOthers, refusedReport, withOwnSignal } from './exporter-fan-out.ts';
import type { ExporterState } from './exporter-state.ts';
import type {
  ExportCallOptions,
  ExportInventory,
  PlanReport,
  RemovalCallOptions,
  SinkPlanReport,
} from './exporter-types.ts';
import { inventoryRules, scopeOf } from './inventory/inventory-rules.ts';
import type { SharedSink } from './sink/shared-sink.ts';

export async function exportInventory(
  state: ExporterState,
  inventory: ExportInventory,
  snapshot: InventorySnapshot,
  { signal: given, allowDeletes }: ExportCallOptions,
): Promise<DeliveryReport> {
  checkScope(inventory, snapshot);
  state.warnOfTargets(snapshot);
  const rules = inventoryRules(inventory);
  leaveOthers(state, inventory);
  const reports = await withOwnSignal(state, given, (signal) =>
    fanOut<SinkDeliveryReport>(state, inventory, {
      each: (sink) => state.exportsTo(sink, inventory).export(snapshot, { signal, allowDeletes }, rules),
      unknown: (name) => refusedReport(state, inventory, name, unknownSink(name, inventory, state.sinks)),
      refused: (name, error) => refusedReport(state, inventory, name, error),
    }),
  );
  return { ...nameOf(inventory), ...summariseReports(reports), sinks: reports };
}

export async function removeInventory(
  state: ExporterState,
  inventory: ExportInventory,
  { removedAt, signal: given }: RemovalCallOptions,
): Promise<RemovalReport> {
  const removed = resolveRemovedAt(removedAt, inventory);
  const scope = scopeOf(inventory);
  const rules = inventoryRules(inventory);

  const each = async (sink: SharedSink, signal: AbortSignal): Promise<SinkRemovalReport> => {
    if (sink.capabilities.removeInventory)
      return state.exportsTo(sink, inventory).remove({ removedAt: removed, signal }, rules);
    state.exports.get(scope, sink.name)?.leave({ outcome: 'queued-superseded' });
    return notAskedReport('unsupported', sink.name, sink.type);
  };
  const unknown = (sink: string): SinkRemovalReport => {
    const outcome = 'unknown-sink';
    state.logger.warn(
      { inventory: formatScope(scope), sink, outcome },
      'The inventory is removed, and one of its sinks is not known: what that one stored stays.',
    );
    return notAskedReport(outcome, sink);
  };

  leaveOthers(state, inventory);
  const reports = await withOwnSignal(state, given, (signal) =>
    fanOut<SinkRemovalReport>(state, inventory, {
      each: (sink) => each(sink, signal),
      unknown,
      refused: (name, error) => refusedReport(state, inventory, name, error),
    }),
  );
  return { ...nameOf(inventory), ok: isRemoved(reports), sinks: reports };
}

export async function planInventory(
  state: ExporterState,
  inventory: ExportInventory,
  snapshot: InventorySnapshot,
  { signal: given, allowDeletes = false }: ExportCallOptions,
): Promise<PlanReport> {
  checkScope(inventory, snapshot);
  const one = async (sink: SharedSink, signal: AbortSignal): Promise<SinkPlanReport> => {
    const report = { sink: sink.name, sinkType: sink.type };
    if (!sink.capabilities.plan) return { ...report, unsupported: true };
    try {
      const plan = await sink.once(
        signal,
        (opened, limited) => opened.plan?.(snapshot, { signal: limited, allowDeletes }) ?? Promise.resolve(undefined),
      );
      return plan === undefined ? { ...report, unsupported: true } : { ...report, plan };
    } catch (error) {
      return { ...report, error: SinkError.from(error, { sinkType: sink.type, operation: 'plan' }) };
    }
  };
  const sinks = await withOwnSignal(state, given, (signal) =>
    fanOut<SinkPlanReport>(state, inventory, {
      each: (sink) => state.track(one(sink, signal)),
      unknown: (sink) => ({ sink, error: unknownSink(sink, inventory, state.sinks) }),
      refused: (sink, error) => ({ sink, error }),
    }),
  );
  return { ...nameOf(inventory), sinks };
}
