import type { InventorySnapshot, Scope } from '@kollect/core';
import {
  kafkaBinding,
  removalMessage as removalEvent,
  snapshotMessages as snapshotEvents,
  type EventMessage,
  type MessageHeaders,
} from '@kollect/core/authoring';
import type { KafkaRecord } from '../kafka-client.ts';
import type { MessageFormat } from '../kafka-spec.ts';
import { shapeSize } from './record-size.ts';

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
    *records() {
      for (const message of messages()) yield recordOf(message, key);
    },
  });
}

/** The tombstone of an inventory that is no more: a compacted topic forgets its key. */
export function removalMessage(scope: Scope, options: MessageOptions & { readonly removedAt: string }): KafkaRecord {
  const message = removalEvent(scope, { ...options, ...ours });
  return recordOf(message, Buffer.from(message.key));
}

function recordOf({ value, headers, timestamp }: EventMessage, key: Uint8Array): KafkaRecord {
  return { key, value, headers, timestamp };
}
