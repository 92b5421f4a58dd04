import { createHash } from 'node:crypto';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';
import type { EventBinding } from './event-binding.ts';
import { formatMessageKey } from './message-key.ts';
import type { MessageHeaders, MessagePart } from './message-headers.ts';

/** `type` of the events: what happened to the inventory. */
export const eventTypes = Object.freeze({
  exported: 'dev.kollect.inventory.exported',
  removed: 'dev.kollect.inventory.removed',
} as const);

/** Headers of CloudEvents 1.0 in binary mode, beside our own; `content-type` is there already. */
export function snapshotEventHeaders(
  snapshot: InventorySnapshot,
  { partIndex, partTotal }: MessagePart,
  binding: EventBinding,
): MessageHeaders {
  const { checksum, exportedAt } = snapshot;
  return eventHeaders(snapshot, binding, {
    type: eventTypes.exported,
    time: exportedAt,
    identity: [checksum, partIndex, partTotal],
  });
}

/** The same of a removal. */
export function removalEventHeaders(scope: Scope, removedAt: string, binding: EventBinding): MessageHeaders {
  return eventHeaders(scope, binding, { type: eventTypes.removed, time: removedAt, identity: [] });
}

interface EventOptions {
  readonly type: string;
  readonly time: string;
  /** What tells the event from others of the same scope, type and time. */
  readonly identity: readonly (string | number)[];
}

function eventHeaders(
  scope: Scope,
  { cloudEventsPrefix, encode }: EventBinding,
  { type, time, identity }: EventOptions,
): MessageHeaders {
  const key = formatMessageKey(scope);
  const attributes = {
    specversion: '1.0',
    type,
    source: sourceOf(scope),
    // The same event has the same id however often it is sent; docs/adr/0010 says why the time is in it.
    id: createHash('sha256')
      .update(JSON.stringify([key, type, time, ...identity]))
      .digest('hex'),
    time,
    subject: `${scope.inventoryNamespace}/${scope.inventoryName}`,
    partitionkey: key,
  };
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [`${cloudEventsPrefix}${name}`, encode(value)]),
  );
}

/** A URI reference: a cluster may hold any character. */
function sourceOf({ cluster, inventoryNamespace, inventoryName }: Scope): string {
  const inventory = `/inventories/${encodeURIComponent(inventoryNamespace)}/${encodeURIComponent(inventoryName)}`;
  return cluster === undefined || cluster === '' ? inventory : `/clusters/${encodeURIComponent(cluster)}${inventory}`;
}
