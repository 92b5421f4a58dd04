import type { SinkError } from '../contract/errors/errors.ts';
import { formatScope } from '../contract/snapshot/scope.ts';
import type { ExportResult, KollectSink } from '../contract/sink.ts';
import type { InventorySnapshot, Scope } from '../contract/snapshot/snapshot.ts';

/** What the stations note about a delivery while it passes. */
export interface DeliveryProgress {
  attempts: number;
  /** When the first attempt began and the last one ended, by the delivery's clock. */
  startedAt?: number;
  endedAt?: number;
}

/** One piece of work for one sink: a snapshot to be exported, or an inventory to be removed. */
export interface Delivery {
  readonly operation: 'export' | 'remove-inventory';
  readonly scope: Scope;
  /** `exportedAt` or `removedAt` in milliseconds: what is older never takes the place of what is newer. */
  readonly time: number;
  /** With an export only. */
  readonly snapshot?: InventorySnapshot;
  readonly allowDeletes: boolean;
  readonly signal: AbortSignal;
  /** Limit of all attempts in milliseconds, and when it passes by the delivery's clock. */
  readonly deadline?: { readonly ms: number; readonly at: number };
  readonly progress: DeliveryProgress;
  /** One attempt at the sink. */
  readonly attempt: (sink: KollectSink, signal: AbortSignal) => Promise<ExportResult>;
}

/** A delivery that did not reach its sink, for a reason that is no failure. */
export interface HeldResult {
  readonly outcome: 'debounced' | 'queued-superseded' | 'skipped-open-circuit';
  /** When it will be tried without another call; absent where nothing is owed. */
  readonly dueAt?: number;
  /** With `skipped-open-circuit`: what opened the circuit. */
  readonly error?: SinkError;
}

export type DeliveryResult = ExportResult | HeldResult;

/** What gate, queue, breaker, retry, attempt and sink have in common: each passes a delivery on to the next. Rejects with SinkError only. */
export interface Station {
  deliver(delivery: Delivery): Promise<DeliveryResult>;
}

export interface ExportDeliveryOptions {
  readonly signal: AbortSignal;
  readonly allowDeletes?: boolean | undefined;
}

export function exportDelivery(
  snapshot: InventorySnapshot,
  { signal, allowDeletes = false }: ExportDeliveryOptions,
): Delivery {
  return {
    operation: 'export',
    scope: snapshot,
    time: Date.parse(snapshot.exportedAt),
    snapshot,
    allowDeletes,
    signal,
    progress: { attempts: 0 },
    attempt: (sink, signal) => sink.export(snapshot, { signal, allowDeletes }),
  };
}

export interface RemovalDeliveryOptions {
  /** Milliseconds since the epoch. */
  readonly removedAt: number;
  readonly signal: AbortSignal;
}

/** For a sink that can remove inventories. */
export function removalDelivery(scope: Scope, { removedAt, signal }: RemovalDeliveryOptions): Delivery {
  return {
    operation: 'remove-inventory',
    scope,
    time: removedAt,
    allowDeletes: false,
    signal,
    progress: { attempts: 0 },
    attempt: async (sink, signal) => {
      if (sink.removeInventory === undefined)
        throw new Error(`The sink has no removeInventory for ${formatScope(scope)}.`);
      return sink.removeInventory(scope, { removedAt: new Date(removedAt).toISOString(), signal });
    },
  };
}

/** A copy of the delivery that no caller waits for: it has another signal and counts its attempts anew. */
export function redelivery(delivery: Delivery, signal: AbortSignal): Delivery {
  return { ...delivery, signal, progress: { attempts: 0 } };
}

/** `The export of east:team/apps`, to begin a message. */
export function describeDelivery({ operation, scope }: Pick<Delivery, 'operation' | 'scope'>): string {
  return `The ${operation === 'export' ? 'export' : 'removal'} of ${formatScope(scope)}`;
}
