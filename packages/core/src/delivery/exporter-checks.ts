import { types } from 'node:util';
import { SinkError } from '../contract/errors/errors.ts';
import { parseTime } from '../contract/snapshot/rfc3339.ts';
import { formatScope } from '../contract/snapshot/scope.ts';
import type { Scope } from '../contract/snapshot/snapshot.ts';
import { nearestName } from '../contract/errors/nearest-name.ts';
import type { ExportInventory, InventoryName } from './exporter-types.ts';
import { scopeOf } from './inventory/inventory-rules.ts';
import { showText } from '../contract/errors/show-value.ts';

export function nameOf({ cluster, namespace, name }: InventoryName): InventoryName {
  return { ...(cluster === undefined ? {} : { cluster }), namespace, name };
}

export function unknownSink(name: string, inventory: ExportInventory, known: ReadonlyMap<string, unknown>): SinkError {
  const nearest = nearestName(name, [...known.keys()]);
  const remedy = nearest === undefined ? 'make it known with updateSink' : `did you mean ${showText(nearest)}?`;
  return new SinkError(
    'SPEC_INVALID',
    `The inventory ${formatScope(scopeOf(inventory))} names the sink ${showText(name)}, which is not known: ${remedy}`,
    { operation: 'export' },
  );
}

export function leftOut(inventory: ExportInventory): SinkError {
  return new SinkError('ABORTED', `The inventory ${formatScope(scopeOf(inventory))} names the sink no longer.`, {
    operation: 'export',
  });
}

export function checkScope(inventory: ExportInventory, snapshot: Scope): void {
  const expected = formatScope(scopeOf(inventory));
  const found = formatScope(snapshot);
  if (expected === found) return;
  throw new SinkError(
    'CONTRACT_VIOLATION',
    `The snapshot of ${found} was given for the inventory ${expected}: seal one for the inventory.`,
    { operation: 'export' },
  );
}

/** Milliseconds since the epoch. Throws SNAPSHOT_INVALID. */
export function resolveRemovedAt(removedAt: string | Date, inventory: ExportInventory): number {
  const time =
    typeof removedAt === 'string' ? parseTime(removedAt) : types.isDate(removedAt) ? removedAt.getTime() : NaN;
  if (!Number.isNaN(time)) return time;
  throw new SinkError(
    'SNAPSHOT_INVALID',
    `The removal of ${formatScope(scopeOf(inventory))}: removedAt must be a Date or an RFC 3339 time such as 2026-01-31T12:00:00Z.`,
    { operation: 'remove-inventory' },
  );
}
