import type { SinkErrorCode, SinkStatus } from '@kollect/core';
import { because, judge, type Cause, type Judgement } from './conditions.ts';
import { reasonOf, textOfCode } from './reasons.ts';

/** How something stands at a sink: `pending` is known of nothing yet. */
export type SyncState =
  | { readonly kind: 'synced' }
  | { readonly kind: 'pending'; readonly cause: Cause }
  | { readonly kind: 'failed'; readonly cause: Cause };

/** What the exporter knows of one inventory at one sink, as a tenant may see it. */
export function syncStateOf(status: SinkStatus | undefined): SyncState {
  if (status?.lastError !== undefined) {
    const code = status.lastError.code as SinkErrorCode;
    return { kind: 'failed', cause: { reason: reasonOf(code), message: textOfCode(code) } };
  }
  if (status?.lastOutcome === 'superseded') return { kind: 'failed', cause: because('Superseded') };
  if (status?.lastSuccessAt !== undefined) return { kind: 'synced' };
  return { kind: 'pending', cause: because('Pending') };
}

/** `Ready`, `Synced` and `Degraded`; `problem` is why it cannot be used at all. */
export function threeConditions(problem: Cause | undefined, sync: SyncState): readonly Judgement[] {
  const ready = problem === undefined ? judge('Ready', 'True', because('Accepted')) : judge('Ready', 'False', problem);
  const wrong = problem ?? (sync.kind === 'failed' ? sync.cause : undefined);
  return [
    ready,
    syncedOf(problem, sync),
    wrong === undefined ? judge('Degraded', 'False', because('AsExpected')) : judge('Degraded', 'True', wrong),
  ];
}

function syncedOf(problem: Cause | undefined, sync: SyncState): Judgement {
  if (problem !== undefined) return judge('Synced', 'False', problem);
  if (sync.kind === 'synced') return judge('Synced', 'True', because('Delivered'));
  return judge('Synced', sync.kind === 'pending' ? 'Unknown' : 'False', sync.cause);
}
