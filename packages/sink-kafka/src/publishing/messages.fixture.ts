import { sealSnapshot, type InventorySnapshot, type Item, type Scope, type SnapshotInput } from '@kollect/core';
import type { IncomingMessage } from '@kollect/core';
import type { KafkaRecord } from '../kafka-client.ts';
import { removalMessage, snapshotMessages, type SnapshotMessageOptions } from './messages.ts';

export const scope: Scope = { cluster: 'prod-eu-1', inventoryNamespace: 'team', inventoryName: 'all' };
export const exportedAt = '2026-01-31T12:00:00.000Z';
/** Small enough that two made items never share a part. */
export const onePartPerItem = 2_000;
export const document: SnapshotMessageOptions = { format: 'document', headers: {}, maxMessageBytes: 921_600 };

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

/** The records of a snapshot, a part to each item. */
export function partsOf(snapshot: InventorySnapshot, options: Partial<SnapshotMessageOptions> = {}): KafkaRecord[] {
  return [...snapshotMessages(snapshot, { ...document, maxMessageBytes: onePartPerItem, ...options }).records()];
}

export function removalOf(removed: Scope, removedAt: string): KafkaRecord {
  return removalMessage(removed, { ...document, removedAt });
}

/** The records as a partition hands them out. */
export function consumed(records: readonly KafkaRecord[], { partition = 0, from = 0 } = {}): IncomingMessage[] {
  return records.map(({ key, value, headers }, index) => ({
    topic: 'inventory',
    partition,
    offset: String(from + index),
    key,
    value,
    headers,
  }));
}
