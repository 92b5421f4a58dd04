import { sealSnapshot, type SnapshotInput } from '../../contract/snapshot/seal-snapshot.ts';
import type { InventorySnapshot, Item, Scope } from '../../contract/snapshot/snapshot.ts';
import { kafkaBinding } from './event-binding.ts';
import {
  removalMessage,
  snapshotMessages,
  type EventMessage,
  type MessageShape,
  type SnapshotMessageOptions,
} from './event-messages.ts';
import type { IncomingMessage } from './incoming-message.ts';

export const scope: Scope = { cluster: 'prod-eu-1', inventoryNamespace: 'team', inventoryName: 'all' };
export const exportedAt = '2026-01-31T12:00:00.000Z';
/** Small enough that two made items never share a part. */
export const onePartPerItem = 2_000;
/** Without framing. */
const messageBytes = ({ keyBytes, valueBytes, headers }: MessageShape): number =>
  keyBytes +
  (valueBytes ?? 0) +
  Object.entries(headers)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
export const document: SnapshotMessageOptions = {
  binding: kafkaBinding,
  format: 'document',
  headers: {},
  maxMessageBytes: 921_600,
  messageBytes,
  sinkType: 'test',
};

/** Items of some 900 bytes, told apart by the text. */
export function items(count: number, text = 'x'): Item[] {
  return Array.from({ length: count }, (_, index) => ({
    targetNamespace: 'team',
    targetName: 'pods',
    namespace: 'shop',
    name: `web-${String(index).padStart(3, '0')}`,
    version: 'v1',
    kind: 'Pod',
    uid: `u${index}`,
    attributes: { text, filler: 'ü'.repeat(350) },
  }));
}

export function seal(changes: Partial<SnapshotInput> = {}): Promise<InventorySnapshot> {
  return sealSnapshot({ ...scope, generation: 7, exportedAt, items: items(1), ...changes });
}

/** The messages of a snapshot, a part to each item. */
export function partsOf(snapshot: InventorySnapshot, options: Partial<SnapshotMessageOptions> = {}): EventMessage[] {
  return [...snapshotMessages(snapshot, { ...document, maxMessageBytes: onePartPerItem, ...options }).messages()];
}

export function removalOf(removed: Scope, removedAt: string): EventMessage {
  return removalMessage(removed, { ...document, removedAt });
}

/** The messages as a partition hands them out. */
export function consumed(records: readonly EventMessage[], { partition = 0, from = 0 } = {}): IncomingMessage[] {
  return records.map(({ key, value, headers }, index) => ({
    topic: 'inventory',
    partition,
    offset: String(from + index),
    key,
    value,
    headers,
  }));
}
