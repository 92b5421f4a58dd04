import type { ConnectionReport, ExportPlan } from '../contract/sink.ts';
import type { InventorySnapshot } from '../contract/snapshot/snapshot.ts';
import type { SinkError } from '../contract/errors/errors.ts';
import type { DeliveryLogger } from '../observability/logging.ts';
import type { DeliveryMetrics } from '../observability/metrics.ts';
import type { DeliveryTracer } from '../observability/tracing.ts';
import type { SinkDefinition } from '../registry/define-sink.ts';
import type { SinkConfig, SinkConnection, SinkRegistry } from '../registry/sink-registry.ts';
import type { DeliveryClock } from './delivery-clock.ts';
import type { ExporterLimits, PaceOptions, SinkDeliveryOptions } from './delivery-options.ts';
import type { DeliveryReport, RemovalReport, SinkDeliveryReport, SinkStatus } from './delivery-report.ts';
import type { IsMaterialChange } from './inventory/gate-decision.ts';

export interface ExporterOptions<Definitions extends readonly SinkDefinition[] = readonly SinkDefinition[]> {
  readonly registry: SinkRegistry<Definitions>;
  readonly metrics?: DeliveryMetrics;
  readonly tracer?: DeliveryTracer;
  readonly logger?: DeliveryLogger;
  /** Default Node's timers. The circuit breaker and the waits between attempts use those in any case. */
  readonly clock?: DeliveryClock;
  readonly limits?: ExporterLimits;
  /** Told of each delivery that no caller waits for: of a snapshot that was debounced, failed or skipped before. What it throws is dropped. */
  readonly onReport?: (inventory: InventoryName, report: SinkDeliveryReport) => void;
}

/** One KollectSink resource. */
export interface SinkResource<Definitions extends readonly SinkDefinition[] = readonly SinkDefinition[]> {
  /** Unique among the sinks of the exporter, such as `namespace/name`. */
  readonly name: string;
  readonly config: SinkConfig<Definitions>;
  readonly connection?: SinkConnection;
  /** Give the secret's resourceVersion: a sink with another one is replaced. */
  readonly revision?: string;
  readonly delivery?: SinkDeliveryOptions;
}

export interface InventoryName {
  readonly cluster?: string;
  readonly namespace: string;
  readonly name: string;
}

export interface ExportInventory extends InventoryName {
  /** Names of sinks that `updateSink` made known. */
  readonly sinks: readonly string[];
  readonly delivery?: InventoryDelivery;
}

export interface InventoryDelivery extends PaceOptions {
  /** What passes at once. Default: every change of checksum, generation or incomplete targets. Where it throws or gives a promise, the change passes. */
  readonly isMaterialChange?: IsMaterialChange;
}

export interface CallOptions {
  /** Ends this caller's wait and what it started. */
  readonly signal?: AbortSignal;
}

export interface ExportCallOptions extends CallOptions {
  /** Lets this one export delete more than the sinks' own limits. Default false. */
  readonly allowDeletes?: boolean;
}

export interface RemovalCallOptions extends CallOptions {
  /** A Date or RFC 3339. `metadata.deletionTimestamp` as it is: at a time of whole seconds the removal comes after all that this exporter was given before. */
  readonly removedAt: string | Date;
}

export interface PlanReport extends InventoryName {
  readonly sinks: readonly SinkPlanReport[];
}

/** One of `plan`, `error` and `unsupported`. */
export interface SinkPlanReport {
  readonly sink: string;
  readonly sinkType?: string;
  readonly plan?: ExportPlan;
  readonly error?: SinkError;
  /** The sink's type cannot plan. */
  readonly unsupported?: true;
}

/** How much there is to do; for metrics of the host, and to slow down before memory or time runs out. */
export interface ExporterPressure {
  /** Exports that write now. */
  readonly running: number;
  /** Snapshots that wait for the export before them, or for a slot. */
  readonly waiting: number;
  /** Debounced, failed and skipped snapshots that will be delivered later. */
  readonly owed: number;
}

/** Delivers snapshots to the sinks of their inventories, so that nothing a sink does harms the host or another sink. */
export interface Exporter<Definitions extends readonly SinkDefinition[] = readonly SinkDefinition[]> {
  /** Makes a sink known, or replaces it where anything of it changed: what runs ends on the old one, what waits goes to the new one. Throws SPEC_INVALID, and then the old one stays. */
  updateSink(resource: SinkResource<Definitions>): 'created' | 'unchanged' | 'replaced';
  /** Lets what runs end, fails what waits, closes the sink. Does nothing for a name that is not known. */
  removeSink(name: string): Promise<void>;
  /** Delivers the snapshot to every sink of the inventory. A failed sink is in the report; rejects only where the call itself is wrong. */
  export(inventory: ExportInventory, snapshot: InventorySnapshot, options?: ExportCallOptions): Promise<DeliveryReport>;
  /** What an export would do now, past gate and queue. */
  plan(inventory: ExportInventory, snapshot: InventorySnapshot, options?: ExportCallOptions): Promise<PlanReport>;
  /** Takes the inventory out of its sinks, fenced by `removedAt`: older snapshots that wait are superseded. */
  removeInventory(inventory: ExportInventory, options: RemovalCallOptions): Promise<RemovalReport>;
  /** Tries the connection with a sink of its own, closed afterwards. Rejects with SPEC_INVALID, or when it is aborted or takes too long. */
  testConnection(resource: SinkResource<Definitions>, options?: CallOptions): Promise<ConnectionReport>;
  status(inventory: Pick<ExportInventory, 'cluster' | 'namespace' | 'name' | 'sinks'>): readonly SinkStatus[];
  pressure(): ExporterPressure;
  /** Delivers what was debounced and what waits, within the deadline (default `20s`), then aborts what still runs and closes every sink. Later exports are reported as aborted. */
  close(options?: { readonly deadline?: string }): Promise<void>;
}
