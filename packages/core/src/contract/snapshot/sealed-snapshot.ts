import { isPromise } from 'node:util/types';
import { SinkError, type SinkOperation } from '../errors/errors.ts';
import { isList } from '../errors/show-value.ts';
import type { InventorySnapshot } from './snapshot.ts';
import { readQuietly } from '../errors/thrown.ts';

/** Throws CONTRACT_VIOLATION for anything that `sealSnapshot` did not make, before a sink writes half of it. */
export function requireSealed(snapshot: unknown, operation: SinkOperation): asserts snapshot is InventorySnapshot {
  const violation = (problem: string): SinkError =>
    new SinkError('CONTRACT_VIOLATION', `What was given as the snapshot ${problem}.`, { operation });
  if (isPromise(snapshot)) {
    // An un-awaited promise may reject later, when nobody listens: that must not end the process.
    snapshot.catch(() => undefined);
    throw violation('is a promise: await sealSnapshot(…) first');
  }
  if (!isSealed(snapshot)) throw violation('is not sealed: give what sealSnapshot(…) resolves to');
}

/** By its shape, since another copy of this package may have sealed it. */
function isSealed(snapshot: unknown): boolean {
  const [checksum, itemsByteLength, exportedAt, items, incompleteTargets] = [
    'checksum',
    'itemsByteLength',
    'exportedAt',
    'items',
    'incompleteTargets',
  ].map((field) => readQuietly(snapshot, field));
  if (typeof checksum !== 'string' || typeof itemsByteLength !== 'number' || typeof exportedAt !== 'string')
    return false;
  if (!isList(items) || !isList(incompleteTargets)) return false;
  return items.length === 0 || readQuietly(items[0], 'json') instanceof Uint8Array;
}
