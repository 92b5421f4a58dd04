import { sealSnapshot, type InventorySnapshot, type Item, type Scope, type SnapshotInput } from '@kollect/core';
import type { IncomingMessage } from '@kollect/core';
import {
  kafkaBinding,
  removalMessage as removalEvent,
  snapshotMessages as snapshotEvents,
  type MessageHeaders,
} from '@kollect/core/authoring';
import type { KafkaRecord } from '../kafka-client.ts';
import type { MessageFormat } from '../kafka-spec.ts';
import { shapeSize } from './record-size.ts';
import { recordsOf } from './topic-channel.ts';

export interface MessageOptions {
  readonly format: MessageFormat;
  /** Static ones, that come after our own. */
  readonly headers: MessageHeaders;
}

export interface SnapshotMessageOptions extends MessageOptions {
  /** Largest record, as `recordSize` counts it. */
  readonly maxMessageBytes: number;
}

/** The records of one snapshot, for one partition and in this order. */
export interface SnapshotMessages {
  readonly key: Uint8Array;
  /** How many records there are; more than one where the document goes in parts. */
  readonly total: number;
  /** Serialised one by one as they are asked for, so that no more than one is held; may be iterated again. */
  records(): Iterable<KafkaRecord>;
}

const ours = { binding: kafkaBinding, sinkType: 'kafka' } as const;

/** What announces the snapshot. PAYLOAD_TOO_LARGE, before anything is serialised, where an item fits into no message. */
export function snapshotMessages(snapshot: InventorySnapshot, options: SnapshotMessageOptions): SnapshotMessages {
  const { key: text, total, messages } = snapshotEvents(snapshot, { ...options, ...ours, messageBytes: shapeSize });
  const key = Buffer.from(text);
  return Object.freeze({
    key,
    total,
    records: () => recordsOf(messages(), key),
  });
}

/** The tombstone of an inventory that is no more: a compacted topic forgets its key. */
export function removalMessage(scope: Scope, options: MessageOptions & { readonly removedAt: string }): KafkaRecord {
  const message = removalEvent(scope, { ...options, ...ours });
  const [record] = recordsOf([message], Buffer.from(message.key));
  if (record === undefined) throw new Error('A removal is one record.');
  return record;
}

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
