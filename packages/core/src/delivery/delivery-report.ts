import type { SinkError, SinkErrorReason } from '../contract/errors/errors.ts';
import type { ItemCounts } from '../contract/sink.ts';
import type { BreakerState, DeliveryOutcome } from '../observability/metrics.ts';
import type { Delivery, DeliveryResult } from './delivery.ts';

/** What became of one snapshot at one sink. */
export interface SinkDeliveryReport {
  readonly sink: string;
  /** Absent where no sink of that name is known. */
  readonly sinkType?: string;
  readonly outcome: DeliveryOutcome;
  /** With `failed` and `skipped-open-circuit`. */
  readonly reason?: SinkErrorReason;
  /** With `failed`; with `skipped-open-circuit` what opened the circuit. */
  readonly error?: SinkError;
  /** With `debounced` and `skipped-open-circuit`: when it will be tried without another call. Absent where the sink holds the same already. */
  readonly dueAt?: string;
  readonly attempts: number;
  /** From the call to the first attempt, or to the end where none was made. */
  readonly queueMs: number;
  /** From the first attempt's start to the last one's end, with the waits between them. */
  readonly writeMs: number;
  readonly counts: ItemCounts;
  readonly messages: number;
  readonly bytes: number;
  /** Where the store keeps what was written, such as a commit or an offset; of sinks that can say it. */
  readonly reference?: string;
}

/** What became of one snapshot, at every sink of its inventory. */
export interface DeliveryReport {
  readonly cluster?: string;
  readonly namespace: string;
  readonly name: string;
  /** True where no sink failed and none was skipped. */
  readonly ok: boolean;
  /** How many sinks ended so. */
  readonly outcomes: Readonly<Record<DeliveryOutcome, number>>;
  /** In the order of the inventory's sinks. */
  readonly sinks: readonly SinkDeliveryReport[];
}

/** `unsupported`: the sink's type cannot remove inventories; `unknown-sink`: there is no sink of that name. What either stored stays. */
export type RemovalOutcome = DeliveryOutcome | 'unsupported' | 'unknown-sink';

export type SinkRemovalReport = Omit<SinkDeliveryReport, 'outcome'> & { readonly outcome: RemovalOutcome };

export interface RemovalReport extends Omit<DeliveryReport, 'ok' | 'outcomes' | 'sinks'> {
  /** True where every sink said that the inventory is gone, cannot remove any, or is not known: a finalizer may go. A superseded removal is not ok. */
  readonly ok: boolean;
  readonly sinks: readonly SinkRemovalReport[];
}

/** How an inventory stands at one sink. */
export interface SinkStatus {
  readonly sink: string;
  readonly sinkType?: string;
  readonly lastOutcome?: DeliveryOutcome;
  /** When an export last ended `applied`, `unchanged` or `superseded`. */
  readonly lastSuccessAt?: string;
  /** Of the last export that failed, until one succeeds. */
  readonly lastError?: {
    readonly code: string;
    readonly reason: SinkErrorReason;
    readonly message: string;
    readonly at: string;
  };
  readonly breaker?: BreakerState;
  readonly running: boolean;
  readonly waiting: boolean;
  /** A debounced, failed or skipped snapshot will be delivered without another call. */
  readonly owing: boolean;
  /** When; absent where that is not known, as while another export probes the sink. */
  readonly dueAt?: string;
}

const outcomes = [
  'applied',
  'unchanged',
  'superseded',
  'debounced',
  'queued-superseded',
  'failed',
  'skipped-open-circuit',
] as const;
const noCounts: ItemCounts = Object.freeze({ inserted: 0, updated: 0, deleted: 0, unchanged: 0 });

export interface SinkReportInput {
  readonly sink: string;
  readonly sinkType?: string | undefined;
  readonly result: DeliveryResult | SinkError;
  readonly progress: Delivery['progress'];
  readonly calledAt: number;
  readonly endedAt: number;
}

export function sinkReport({
  sink,
  sinkType,
  result,
  progress,
  calledAt,
  endedAt,
}: SinkReportInput): SinkDeliveryReport {
  const failed = 'code' in result;
  const error = failed ? result : 'error' in result ? result.error : undefined;
  const { attempts, startedAt = endedAt, endedAt: writtenAt = startedAt } = progress;
  const written = 'counts' in result ? result : { counts: noCounts, messages: 0, bytes: 0 };
  return {
    sink,
    ...(sinkType === undefined ? {} : { sinkType }),
    outcome: failed ? 'failed' : result.outcome,
    ...(error === undefined ? {} : { reason: error.reason, error }),
    ...('dueAt' in result && result.dueAt !== undefined ? { dueAt: isoTime(result.dueAt) } : {}),
    attempts,
    queueMs: startedAt - calledAt,
    writeMs: writtenAt - startedAt,
    counts: written.counts,
    messages: written.messages,
    bytes: written.bytes,
    ...('reference' in written && written.reference !== undefined ? { reference: written.reference } : {}),
  };
}

export type NotAsked = 'unsupported' | 'unknown-sink';

/** Of a removal that no sink was asked for. */
export function notAskedReport(outcome: NotAsked, sink: string, sinkType?: string): SinkRemovalReport {
  return {
    sink,
    ...(sinkType === undefined ? {} : { sinkType }),
    outcome,
    attempts: 0,
    queueMs: 0,
    writeMs: 0,
    counts: noCounts,
    messages: 0,
    bytes: 0,
  };
}

export function summariseReports(sinks: readonly SinkDeliveryReport[]): Pick<DeliveryReport, 'ok' | 'outcomes'> {
  const counted = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<DeliveryOutcome, number>;
  for (const { outcome } of sinks) counted[outcome] += 1;
  return { ok: counted.failed === 0 && counted['skipped-open-circuit'] === 0, outcomes: counted };
}

const removed: ReadonlySet<RemovalOutcome> = new Set(['applied', 'unchanged', 'unsupported', 'unknown-sink']);

/** Whether nothing is left to remove, as far as the sinks can tell. */
export function isRemoved(sinks: readonly SinkRemovalReport[]): boolean {
  return sinks.every(({ outcome }) => removed.has(outcome));
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
