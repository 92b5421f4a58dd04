import { SinkError } from '../contract/errors/errors.ts';
import { formatScope } from '../contract/snapshot/scope.ts';
import { sinkReport, type SinkDeliveryReport } from './delivery-report.ts';
import { leftOut } from './exporter-checks.ts';
import type { ExporterState } from './exporter-state.ts';
import type { ExportInventory } from './exporter-types.ts';
import { scopeOf } from './inventory/inventory-rules.ts';
import { deriveSignal } from './derived-signal.ts';
import type { SharedSink } from './sink/shared-sink.ts';

export interface FanOut<T> {
  readonly each: (sink: SharedSink) => Promise<T>;
  /** No sink has that name. */
  readonly unknown: (name: string) => T;
  /** The exporter is closed. */
  readonly refused: (name: string, error: SinkError) => T;
}

/** Calls one of the three for every sink that the inventory names, for each once and for all at the same time. The results are in the order of the names. */
export function fanOut<T>(
  { sinks, closed }: Pick<ExporterState, 'sinks' | 'closed'>,
  inventory: ExportInventory,
  { each, unknown, refused }: FanOut<T>,
): Promise<T[]> {
  const one = async (name: string): Promise<T> => {
    if (closed) return refused(name, closedError(inventory));
    const sink = sinks.get(name);
    return sink === undefined ? unknown(name) : each(sink);
  };
  return Promise.all([...new Set(inventory.sinks)].map(one));
}

function closedError(inventory: ExportInventory): SinkError {
  const what = formatScope(scopeOf(inventory));
  return new SinkError('ABORTED', `Nothing was delivered of ${what}: the exporter is closed.`, { operation: 'export' });
}

/** Ends the inventory's exports to all sinks that it does not name any more. */
export function leaveOthers(state: ExporterState, inventory: ExportInventory): void {
  for (const exports of state.exports.others(scopeOf(inventory), new Set(inventory.sinks)))
    exports.leave(leftOut(inventory));
}

/**
 * Runs the call with a signal of its own, which aborts with the caller's and when the exporter ends. If every waiting snapshot listened on the caller's
 * signal itself, adding one more would become slower with each that waits.
 */
export async function withOwnSignal<T>(
  { calls }: Pick<ExporterState, 'calls'>,
  given: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = deriveSignal({ parent: given });
  calls.add(own);
  try {
    return await call(own.signal);
  } finally {
    calls.delete(own);
    own.release();
  }
}

/** The report for a sink that was not asked. Metrics need a sink type, which is not known here, so the log line is what a host sees that reads no reports. */
export function refusedReport(
  { clock, logger, sinks }: Pick<ExporterState, 'clock' | 'logger' | 'sinks'>,
  inventory: ExportInventory,
  sink: string,
  error: SinkError,
): SinkDeliveryReport {
  const now = clock.now();
  const { code, reason, message } = error;
  logger.warn(
    { inventory: formatScope(scopeOf(inventory)), sink, outcome: 'failed', code, reason, error: message },
    'Nothing was asked of the sink.',
  );
  return sinkReport({
    sink,
    sinkType: sinks.get(sink)?.type,
    result: error,
    progress: { attempts: 0 },
    calledAt: now,
    endedAt: now,
  });
}
