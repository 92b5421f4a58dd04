import {
  SinkError,
  splitDocument,
  wholeDocument,
  type DocumentPart,
  type InventorySnapshot,
  type Scope,
} from '@kollect/core';
import { removalEventHeaders, snapshotEventHeaders } from '../events/cloud-events.ts';
import type { KafkaRecord } from '../kafka-client.ts';
import type { MessageFormat } from '../kafka-spec.ts';
import {
  partHeaders,
  removalHeaders,
  snapshotHeaders,
  type MessageHeaders,
  type MessagePart,
} from '../events/message-headers.ts';
import { formatMessageKey } from '../events/message-key.ts';
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

/** What announces the snapshot. PAYLOAD_TOO_LARGE, before anything is serialised, where an item fits into no message. */
export function snapshotMessages(snapshot: InventorySnapshot, options: SnapshotMessageOptions): SnapshotMessages {
  const key = Buffer.from(formatMessageKey(snapshot));
  const own = snapshotHeaders(snapshot);
  const headersOf = (part: MessagePart): MessageHeaders => ({
    ...own,
    ...partHeaders(part),
    ...(options.format === 'cloudevents' ? snapshotEventHeaders(snapshot, part) : undefined),
    ...options.headers,
  });
  const parts = partsOf(snapshot, { keyBytes: key.byteLength, headersOf, maxMessageBytes: options.maxMessageBytes });
  const timestamp = Date.parse(snapshot.exportedAt);
  return Object.freeze({
    key,
    total: parts.length,
    *records() {
      for (const part of parts) yield { key, value: part.bytes(), headers: headersOf(part), timestamp };
    },
  });
}

/** The tombstone of an inventory that is no more: a compacted topic forgets its key. */
export function removalMessage(
  scope: Scope,
  { removedAt, format, headers }: MessageOptions & { readonly removedAt: string },
): KafkaRecord {
  const timestamp = Date.parse(removedAt);
  if (Number.isNaN(timestamp))
    throw new SinkError('CONTRACT_VIOLATION', 'removedAt is no time; expected RFC 3339 such as 2026-01-31T12:00:00Z.', {
      sinkType: 'kafka',
    });
  const time = new Date(timestamp).toISOString();
  const event = format === 'cloudevents' ? removalEventHeaders(scope, time) : undefined;
  return {
    key: Buffer.from(formatMessageKey(scope)),
    value: null,
    headers: { ...removalHeaders(scope, time), ...event, ...headers },
    timestamp,
  };
}

interface Envelope {
  readonly keyBytes: number;
  readonly headersOf: (part: MessagePart) => MessageHeaders;
  readonly maxMessageBytes: number;
}

function partsOf(
  snapshot: InventorySnapshot,
  { keyBytes, headersOf, maxMessageBytes }: Envelope,
): readonly DocumentPart[] {
  const whole = wholeDocument(snapshot);
  if (shapeSize({ keyBytes, valueBytes: whole.byteLength, headers: headersOf(whole) }) <= maxMessageBytes)
    return [whole];
  // A part holds an item at least, so no part has a longer index or total than this one.
  const longest = { partIndex: snapshot.items.length + 1, partTotal: snapshot.items.length + 1 };
  const overhead = shapeSize({ keyBytes, valueBytes: maxMessageBytes, headers: headersOf(longest) }) - maxMessageBytes;
  const limit = `a message may have ${maxMessageBytes} bytes (maxMessageBytes), of which its key, headers and framing take ${overhead}`;
  if (overhead >= maxMessageBytes) {
    throw new SinkError(
      'PAYLOAD_TOO_LARGE',
      `Inventory ${formatMessageKey(snapshot)}: ${limit}: raise maxMessageBytes or give fewer headers.`,
      { sinkType: 'kafka' },
    );
  }
  try {
    return splitDocument(snapshot, { maxBytes: maxMessageBytes - overhead });
  } catch (error) {
    if (!SinkError.isInstance(error) || error.code !== 'PAYLOAD_TOO_LARGE') throw error;
    throw new SinkError('PAYLOAD_TOO_LARGE', `${error.message.replace(/\.$/, '')} (${limit}).`, { sinkType: 'kafka' });
  }
}
