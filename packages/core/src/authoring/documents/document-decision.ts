import { SinkError } from '../../contract/errors/errors.ts';
import { withCarriedItems } from '../../contract/snapshot/merge-snapshot.ts';
import type { ExportOutcome } from '../../contract/sink.ts';
import type { InventorySnapshot } from '../../contract/snapshot/snapshot.ts';
import { createTimeSlices } from '../../contract/time-slices.ts';
import type { OperationScope } from '../operations/operation-scope.ts';
import { compareItemsWith, noDifference, type Difference } from './compare-items.ts';
import { isOlder, type DocumentHead } from './document-head.ts';
import type { DocumentState } from './document-state.ts';

/** What an export is to do about the state that was read. */
export interface Decision extends Pick<Difference, 'counts' | 'samples'> {
  readonly outcome: ExportOutcome;
  /** What the store is to hold: the snapshot, and what is carried. */
  readonly content: InventorySnapshot;
  /** `content`: everything is written; `fence`: the head alone says something new. */
  readonly write: 'content' | 'fence' | 'nothing';
}

/** Compares a snapshot with the state. SCHEMA_MISMATCH where items are to be carried and what is stored is damaged. */
export async function decide(
  snapshot: InventorySnapshot,
  { head, nextItem }: DocumentState,
  operation: OperationScope,
): Promise<Decision> {
  const { counts, samples } = noDifference;
  const base = { content: snapshot, counts, samples };
  if (isOlder(snapshot.exportedAt, head)) return { ...base, outcome: 'superseded', write: 'nothing' };
  if (head !== undefined && isEqual(snapshot, head)) {
    const unchanged = { ...counts, unchanged: snapshot.items.length };
    return { ...base, counts: unchanged, outcome: 'unchanged', write: fenceOf(snapshot, head) };
  }
  const slices = createTimeSlices({ signal: operation.signal, operation: operation.operation });
  const next = head === undefined || head.removed ? async () => undefined : nextItem;
  let difference: Difference | undefined;
  try {
    difference = await compareItemsWith({ snapshot, next, slices });
  } catch (error) {
    // A complete snapshot needs nothing of what was stored, and mends it; what it replaces cannot be counted.
    if (!isDamage(error) || snapshot.incompleteTargets.length > 0) throw error;
  }
  if (difference === undefined) {
    const inserted = await compareItemsWith({ snapshot, next: async () => undefined, slices });
    return { ...base, ...pick(inserted), outcome: 'applied', write: 'content' };
  }
  const content = await withCarriedItems(snapshot, difference.carried, slices);
  if (head !== undefined && !head.removed && head.checksum === content.checksum)
    return { ...pick(difference), content, outcome: 'unchanged', write: fenceOf(content, head) };
  return { ...pick(difference), content, outcome: 'applied', write: 'content' };
}

/** True for the error of a stored file that is not what its head says. */
export function isDamage(error: unknown): boolean {
  return SinkError.isInstance(error) && error.code === 'SCHEMA_MISMATCH';
}

/** By checksum, which counts only where nothing was carried: else the store holds more than the snapshot that it is of. */
function isEqual(snapshot: InventorySnapshot, head: DocumentHead): boolean {
  return (
    head !== undefined && !head.removed && head.incompleteTargets.length === 0 && head.checksum === snapshot.checksum
  );
}

function fenceOf(
  { exportedAt, generation, incompleteTargets }: InventorySnapshot,
  head: DocumentHead,
): Decision['write'] {
  const isSame =
    head.exportedAt === exportedAt &&
    head.generation === generation &&
    JSON.stringify(head.incompleteTargets) === JSON.stringify(incompleteTargets);
  return isSame ? 'nothing' : 'fence';
}

function pick({ counts, samples }: Difference): Pick<Difference, 'counts' | 'samples'> {
  return { counts, samples };
}
