import type { SinkStatus } from '@kollect/core';
import { because, fieldOf, type Cause, type Judgement } from '../../status/conditions.ts';
import { syncStateOf, threeConditions, type SyncState } from '../../status/health-judgements.ts';
import type { WantedStatus } from '../../status/status-writer.ts';

export interface SinkStandingOptions {
  readonly generation: number | undefined;
  /** Why it cannot be used. */
  readonly problem: Cause | undefined;
  /** How each inventory that names it stands there. */
  readonly inventories: readonly (SinkStatus | undefined)[];
  /** The status that stands there now. */
  readonly before: unknown;
}

/** The status of a sink, without times. What is not known since this process began is left as it stands. */
export function sinkStatus({ generation, problem, inventories, before }: SinkStandingOptions): WantedStatus {
  const sync = joined(inventories.map(syncStateOf));
  const isSame = fieldOf(before, 'observedGeneration') === generation;
  const standing = fieldOf(before, 'conditions');
  const isPending = problem === undefined && sync.kind === 'pending' && sync.cause.reason === 'Pending';
  const conditions = threeConditions(problem, sync);
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: isPending && isSame && wasReady(standing) ? (standing as readonly Judgement[]) : conditions,
  };
}

function wasReady(conditions: unknown): boolean {
  return (
    Array.isArray(conditions) &&
    conditions.some((each) => fieldOf(each, 'type') === 'Ready' && fieldOf(each, 'status') === 'True')
  );
}

function joined(states: readonly SyncState[]): SyncState {
  const failed = states.find(({ kind }) => kind === 'failed');
  if (failed !== undefined) return failed;
  if (states.length === 0) return { kind: 'pending', cause: because('NoInventory') };
  return states.find(({ kind }) => kind === 'pending') ?? { kind: 'synced' };
}
