import { createHash } from 'node:crypto';
import type { InventorySnapshot, Scope } from '@kollect/core';
import { formatMessageKey } from './message-key.ts';
import type { MessageHeaders, MessagePart } from './message-headers.ts';

/** `type` of the events: what happened to the inventory. */
export const eventTypes = {
  exported: 'dev.kollect.inventory.exported',
  removed: 'dev.kollect.inventory.removed',
} as const;

/** Headers of CloudEvents 1.0, Kafka binding, binary mode, beside our own; `content-type` is there already. */
export function snapshotEventHeaders(
  snapshot: InventorySnapshot,
  { partIndex, partTotal }: MessagePart,
): MessageHeaders {
  const { checksum, exportedAt } = snapshot;
  return eventHeaders(snapshot, {
    type: eventTypes.exported,
    time: exportedAt,
    identity: [checksum, partIndex, partTotal],
  });
}

/** The same of a removal. */
export function removalEventHeaders(scope: Scope, removedAt: string): MessageHeaders {
  return eventHeaders(scope, { type: eventTypes.removed, time: removedAt, identity: [] });
}

interface EventOptions {
  readonly type: string;
  readonly time: string;
  /** What tells the event from others of the same scope, type and time. */
  readonly identity: readonly (string | number)[];
}

function eventHeaders(scope: Scope, { type, time, identity }: EventOptions): MessageHeaders {
  const key = formatMessageKey(scope);
  return {
    ce_specversion: '1.0',
    ce_type: type,
    ce_source: sourceOf(scope),
    // The same event has the same id however often it is sent; docs/adr/0010 says why the time is in it.
    ce_id: createHash('sha256')
      .update(JSON.stringify([key, type, time, ...identity]))
      .digest('hex'),
    ce_time: time,
    ce_subject: `${scope.inventoryNamespace}/${scope.inventoryName}`,
    ce_partitionkey: key,
  };
}

/** A URI reference: a cluster may hold any character. */
function sourceOf({ cluster, inventoryNamespace, inventoryName }: Scope): string {
  const inventory = `/inventories/${encodeURIComponent(inventoryNamespace)}/${encodeURIComponent(inventoryName)}`;
  return cluster === undefined || cluster === '' ? inventory : `/clusters/${encodeURIComponent(cluster)}${inventory}`;
}
