import type { InventorySnapshot } from '../../contract/snapshot.ts';
import type { Pace } from '../delivery-options.ts';

/** What the gate keeps of a snapshot: all but the items, so that no second copy of an inventory stays in memory. */
export type SnapshotSummary = Omit<InventorySnapshot, 'items'> & { readonly itemCount: number };

/** A snapshot that was sent, and when its sending began. */
export interface Sent {
  readonly summary: SnapshotSummary;
  readonly at: number;
}

/** `identical`: what was sent holds the same. `waitMs`: a change that has to wait so long. */
export type GateDecision = 'pass' | 'identical' | { readonly waitMs: number };

/** True where the change should be exported at once. The snapshots differ, or as much time passed as `exportMinInterval` asks for. */
export type IsMaterialChange = (previous: SnapshotSummary, next: InventorySnapshot) => boolean;

export interface GateRules extends Pace {
  /** Default: every change of checksum, generation or incomplete targets is material. */
  readonly isMaterialChange?: IsMaterialChange | undefined;
}

export function summarise({ items, ...summary }: InventorySnapshot): SnapshotSummary {
  return { ...summary, itemCount: items.length };
}

/** Whether the snapshot is due, by what was sent last. */
export function decide(next: InventorySnapshot, last: Sent | undefined, rules: GateRules, now: number): GateDecision {
  if (last === undefined) return 'pass';
  // A clock that went back must not shut the gate.
  const elapsed = now < last.at ? Number.POSITIVE_INFINITY : now - last.at;
  const { exportMinIntervalMs, minChangeIntervalMs, isMaterialChange } = rules;
  if (isIdentical(last.summary, next))
    return exportMinIntervalMs > 0 && elapsed >= exportMinIntervalMs ? 'pass' : 'identical';
  const material = isMaterialChange === undefined || isMaterialChange(last.summary, next);
  const waitMs = (material ? minChangeIntervalMs : Math.max(minChangeIntervalMs, exportMinIntervalMs)) - elapsed;
  return waitMs > 0 ? { waitMs } : 'pass';
}

export function isIdentical(a: SnapshotSummary, b: InventorySnapshot): boolean {
  return (
    a.checksum === b.checksum && a.generation === b.generation && isEqualList(a.incompleteTargets, b.incompleteTargets)
  );
}

function isEqualList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
