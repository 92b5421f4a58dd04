import type { SinkErrorReason } from '../contract/errors/errors.ts';

export const deliveryOutcomes = [
  'applied',
  'unchanged',
  'superseded',
  'debounced',
  'queued-superseded',
  'failed',
  'skipped-open-circuit',
] as const;

/** How delivery to one sink ended; see docs/operations.md. */
export type DeliveryOutcome = (typeof deliveryOutcomes)[number];

export const breakerStates = ['closed', 'half-open', 'open'] as const;

export type BreakerState = (typeof breakerStates)[number];

/** One export to one sink, whatever became of it. */
export interface DeliveryEnded {
  readonly sinkType: string;
  readonly outcome: DeliveryOutcome;
  /** With `failed` and `skipped-open-circuit` only. */
  readonly reason?: SinkErrorReason;
  /** From the first attempt's start to the last one's end; absent where none was made. */
  readonly writeSeconds?: number;
  /** From the call to the first attempt, or to the end where none was made. */
  readonly queueSeconds: number;
  readonly attempts: number;
  /** Items that were inserted, updated or deleted. */
  readonly items: number;
  readonly bytes: number;
}

/** How much there is for the sinks of one type at this moment. */
export interface SinkBacklog {
  readonly sinkType: string;
  /** Inventories that are exported, each once for each sink. */
  readonly inventories: number;
  /** Snapshots that wait for the export before them, or for a slot. */
  readonly waiting: number;
  /** Debounced, failed and skipped snapshots that will be delivered later. */
  readonly owed: number;
}

/**
 * Where delivery counts. Calls are synchronous and cheap; what one throws is dropped. Labels are bounded: types, outcomes and reasons, never
 * names. `@kollect/core/prometheus` implements it with prom-client.
 */
export interface DeliveryMetrics {
  /** Once for each registered type when an exporter is created, so that series exist with 0 from the start. */
  declareSinkType(sinkType: string): void;
  deliveryEnded(event: DeliveryEnded): void;
  /** A failed attempt that will be made again. */
  attemptRetried(event: { readonly sinkType: string; readonly reason: SinkErrorReason }): void;
  /** An export began or ended writing to the sink. */
  inFlightChanged(event: { readonly sinkType: string; readonly delta: 1 | -1 }): void;
  /** A sink's breaker changed; `from` is absent for a new sink, `to` for one that is gone. */
  breakerChanged(event: { readonly sinkType: string; readonly from?: BreakerState; readonly to?: BreakerState }): void;
  /** Once for each exporter: `read` gives the present numbers, for each registered type, whenever they are asked for. Call what it returns when they count no more. */
  watchBacklog(read: () => readonly SinkBacklog[]): () => void;
}
