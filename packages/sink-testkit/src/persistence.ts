import assert from 'node:assert/strict';
import type { ExportResult, InventorySnapshot, KollectSink, SinkError } from '@kollect/core';
import type { CheckContext } from './check-context.ts';

/** Attempts of a caller that retries what is retryable; each failed one may be a connection that was found dead. */
const attempts = 4;

/** Exports as core does: a retryable error is tried again, any other is a fault. */
export async function exportPersistently(
  context: CheckContext,
  sink: KollectSink,
  snapshot: InventorySnapshot,
): Promise<ExportResult> {
  for (let attempt = 1; ; attempt += 1) {
    const exporting = sink.export(snapshot, { signal: new AbortController().signal, allowDeletes: true });
    const end = await context.settled('The export', exporting);
    if (end.status === 'fulfilled') return end.value;
    const error = end.reason as SinkError;
    if (!error.retryable || attempt === attempts)
      assert.fail(`Attempt ${attempt} of an export that should work by now ended as ${error.code}: ${error.message}`);
  }
}
