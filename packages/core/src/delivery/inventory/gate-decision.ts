import type { InventorySnapshot } from '../../contract/snapshot/snapshot.ts';
import type { Pace } from '../delivery-options.ts';

/** A snapshot without its items, which the gate can keep without holding the whole inventory in memory. */
export type SnapshotSummary = Omit<InventorySnapshot, 'items'> & { readonly itemCount: number };

/** A snapshot that was sent, and when its sending began. */
export interface Sent {
  readonly summary: SnapshotSummary;
  readonly at: number;
}

/** `pass`: export it now. `identical`: the last snapshot that was sent says the same. `waitMs`: it is a change, to be exported in so many milliseconds. */
export type GateDecision = 'pass' | 'identical' | { readonly waitMs: number };

/** The host's answer to whether a change is to be exported at once; false lets it wait for `exportMinInterval`. */
export type IsMaterialChange = (previous: SnapshotSummary, next: InventorySnapshot) => boolean;

export interface GateRules extends Pace {
  /** Default: every change of checksum, generation or incomplete targets is material. */
  readonly isMaterialChange?: IsMaterialChange | undefined;
}

export function summarise({ items, ...summary }: InventorySnapshot): SnapshotSummary {
  return { ...summary, itemCount: items.length };
}

/** Compares the snapshot with the last one that was sent. */
export function decide(next: InventorySnapshot, last: Sent | undefined, rules: GateRules, now: number): GateDecision {
  if (last === undefined) return 'pass';
  // Where the clock was set back, the last export would seem to be in the future and hold back all others.
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
