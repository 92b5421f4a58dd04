import type { SinkStatus } from '@kollect/core';
import type { ParsedInventory } from '../../resources/parse-resources.ts';
import { because, fieldOf, judge, type Cause, type Judgement } from '../../status/conditions.ts';
import { syncStateOf, threeConditions, type SyncState } from '../../status/health-judgements.ts';
import type { WantedEntry, WantedStatus } from '../../status/status-writer.ts';

/** How an inventory stands at one of its sinks. */
export interface SinkStanding {
  readonly name: string;
  /** Why the sink cannot be used. */
  readonly problem: Cause | undefined;
  /** What the exporter knows. */
  readonly status: SinkStatus | undefined;
  /** What the sink took last. */
  readonly taken: { readonly generation: number; readonly items: number } | undefined;
  /** It is no sink of the inventory any more. */
  readonly leaving: boolean;
}

export interface InventoryStanding {
  readonly inventory: ParsedInventory;
  /** Why nothing can be collected, or why not everything is known. */
  readonly degraded: Cause | undefined;
  readonly items: number | undefined;
  readonly sinks: readonly SinkStanding[];
  /** The status that stands there now. */
  readonly before: unknown;
}

/** The status of an inventory, without times. What is not known since this process began is left as it stands: a restart flips nothing. */
export function inventoryStatus(standing: InventoryStanding): WantedStatus {
  const { inventory, degraded, items, before } = standing;
  const isSame = fieldOf(before, 'observedGeneration') === inventory.generation;
  const stays = (entry: unknown): unknown => (isSame ? entry : undefined);
  const { suspend } = inventory.spec;
  const sinks = standing.sinks.map((sink) => sinkEntry(sink, { suspend, before: entryOf(before, sink.name), stays }));
  const failing = sinks.find(({ entry }) => isFailed(entry));
  const shown = items ?? fieldOf(before, 'items');
  return {
    observedGeneration: inventory.generation,
    ...(shown === undefined ? {} : { items: shown }),
    conditions: [
      judge('Ready', 'True', because(suspend ? 'Suspended' : 'Accepted')),
      syncedOf(sinks, suspend),
      degradedOf(degraded, failing),
    ],
    sinks: sinks.map(({ entry }) => entry),
  };
}

/** Of one that cannot be read: what stands of its sinks stays, since it says where its rows are. */
export function refusedInventory(problem: Cause, before: unknown, generation: number | undefined): WantedStatus {
  const standing = fieldOf(before, 'sinks');
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: threeConditions(problem, { kind: 'failed', cause: problem }),
    ...(Array.isArray(standing) ? { sinks: standing as readonly WantedEntry[] } : {}),
  };
}

interface Entry {
  readonly entry: WantedEntry;
  readonly leaving: boolean;
}

function sinkEntry(
  { name, problem, status, taken, leaving }: SinkStanding,
  { suspend, before, stays }: { suspend: boolean; before: unknown; stays: (entry: unknown) => unknown },
): Entry {
  const sync = suspend ? pending('Suspended') : leaving ? leavingState(status) : syncStateOf(status);
  const standing = stays(before);
  const isKept = problem === undefined && sync.kind === 'pending' && sync.cause.reason === 'Pending';
  const kept = isKept ? fieldOf(standing, 'conditions') : undefined;
  const conditions =
    Array.isArray(kept) && kept.length > 0 ? (kept as readonly Judgement[]) : threeConditions(problem, sync);
  const outcome = outcomeOf(status, fieldOf(before, 'outcome'));
  const fields = {
    outcome,
    // When the sink took something other than before: what brought nothing new is nothing to write about.
    lastExportTime:
      status?.lastOutcome === 'applied' ? timeOf(status) : (fieldOf(before, 'lastExportTime') ?? timeOf(status)),
    generation: taken?.generation ?? fieldOf(before, 'generation'),
    items: taken?.items ?? fieldOf(before, 'items'),
  };
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { entry: { name, ...Object.fromEntries(known), conditions }, leaving };
}

const pending = (reason: 'Suspended' | 'Removing'): SyncState => ({ kind: 'pending', cause: because(reason) });

function leavingState(status: SinkStatus | undefined): SyncState {
  const sync = syncStateOf(status);
  return sync.kind === 'failed' ? sync : pending('Removing');
}

/** `unchanged` after `applied` says nothing new. */
function outcomeOf(status: SinkStatus | undefined, before: unknown): unknown {
  const last = status?.lastError === undefined ? status?.lastOutcome : 'failed';
  if (last === 'unchanged') return before === 'applied' ? 'applied' : 'unchanged';
  return last === 'applied' || last === 'superseded' || last === 'failed' ? last : before;
}

function timeOf({ lastSuccessAt }: Partial<SinkStatus> = {}): string | undefined {
  return lastSuccessAt?.replace(/\.\d+Z$/u, 'Z');
}

function entryOf(status: unknown, name: string): unknown {
  const sinks = fieldOf(status, 'sinks');
  return Array.isArray(sinks)
    ? (sinks as readonly unknown[]).find((each) => fieldOf(each, 'name') === name)
    : undefined;
}

const conditionOf = ({ conditions }: WantedEntry, type: string): Judgement | undefined =>
  conditions.find((each) => each.type === type);

function isFailed(entry: WantedEntry): boolean {
  return conditionOf(entry, 'Degraded')?.status === 'True';
}

function syncedOf(sinks: readonly Entry[], suspend: boolean): Judgement {
  if (suspend) return judge('Synced', 'Unknown', because('Suspended'));
  const synced = sinks.filter(({ leaving }) => !leaving).map(({ entry }) => conditionOf(entry, 'Synced'));
  const failed = synced.find((each) => each?.status === 'False');
  if (failed !== undefined) return judge('Synced', 'False', because('SinkDegraded'));
  return synced.some((each) => each?.status !== 'True')
    ? judge('Synced', 'Unknown', because('Pending'))
    : judge('Synced', 'True', because('Delivered'));
}

function degradedOf(degraded: Cause | undefined, failing: Entry | undefined): Judgement {
  if (degraded !== undefined) return judge('Degraded', 'True', degraded);
  return failing === undefined
    ? judge('Degraded', 'False', because('AsExpected'))
    : judge('Degraded', 'True', because('SinkDegraded'));
}
