import { splitDocument, wholeDocument, type DocumentPart } from '../../contract/document/document.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';
import { removalEventHeaders, snapshotEventHeaders } from './cloud-events.ts';
import type { EventBinding } from './event-binding.ts';
import {
  partHeaders,
  removalHeaders,
  snapshotHeaders,
  type MessageHeaders,
  type MessagePart,
} from './message-headers.ts';
import { formatMessageKey } from './message-key.ts';

/** `cloudevents` adds the headers of CloudEvents to those of `document`; the value is the same. */
export type EventFormat = 'document' | 'cloudevents';

/** One message: a document, or the end of its inventory. */
export interface EventMessage {
  readonly key: string;
  /** Null says that the inventory was removed. */
  readonly value: Uint8Array | null;
  readonly headers: MessageHeaders;
  /** Milliseconds since 1970: when the snapshot was taken, or the inventory removed. */
  readonly timestamp: number;
}

/** What a size is counted from, before anything is serialised. */
export interface MessageShape {
  readonly keyBytes: number;
  /** Null where there is no value. */
  readonly valueBytes: number | null;
  readonly headers: MessageHeaders;
}

export interface EventMessageOptions {
  readonly binding: EventBinding;
  readonly format: EventFormat;
  /** Static ones, that come after our own. */
  readonly headers: MessageHeaders;
  /** Type name of the sink, for its errors. */
  readonly sinkType: string;
}

export interface SnapshotMessageOptions extends EventMessageOptions {
  /** Largest message, as `messageBytes` counts it. */
  readonly maxMessageBytes: number;
  /** What a message counts against the limit, framing included. */
  readonly messageBytes: (shape: MessageShape) => number;
}

/** The messages of one snapshot, to be sent in this order. */
export interface SnapshotMessages {
  readonly key: string;
  /** How many there are; more than one where the document goes in parts. */
  readonly total: number;
  /** Serialised one by one as they are asked for, so that no more than one is held; may be iterated again. */
  messages(): Iterable<EventMessage>;
}

/** What announces the snapshot. PAYLOAD_TOO_LARGE, before anything is serialised, where an item fits into no message. */
export function snapshotMessages(snapshot: InventorySnapshot, options: SnapshotMessageOptions): SnapshotMessages {
  return messagesOf(formatMessageKey(snapshot), snapshot, options);
}

/** The same where the key is known. */
export function messagesOf(
  key: string,
  snapshot: InventorySnapshot,
  options: SnapshotMessageOptions,
): SnapshotMessages {
  const { binding, format } = options;
  const own = snapshotHeaders(snapshot, binding);
  const makeHeaders = (part: MessagePart): MessageHeaders => ({
    ...own,
    ...partHeaders(part, binding),
    ...(format === 'cloudevents' ? snapshotEventHeaders(snapshot, part, binding) : undefined),
    ...options.headers,
  });
  // Those of a whole document are counted, and then sent.
  let made: { readonly of: MessagePart; readonly headers: MessageHeaders } | undefined;
  const headersOf = (part: MessagePart): MessageHeaders =>
    (made = made?.of === part ? made : { of: part, headers: makeHeaders(part) }).headers;
  const parts = partsOf(snapshot, { key, headersOf, options });
  const timestamp = Date.parse(snapshot.exportedAt);
  return Object.freeze({
    key,
    total: parts.length,
    *messages() {
      for (const part of parts) yield { key, value: part.bytes(), headers: headersOf(part), timestamp };
    },
  });
}

/** What says that an inventory is no more: the message of its key without a value. */
export function removalMessage(
  scope: Scope,
  { removedAt, binding, format, headers, sinkType }: EventMessageOptions & { readonly removedAt: string },
): EventMessage {
  const timestamp = Date.parse(removedAt);
  if (Number.isNaN(timestamp))
    throw new SinkError('CONTRACT_VIOLATION', 'removedAt is no time; expected RFC 3339 such as 2026-01-31T12:00:00Z.', {
      sinkType,
    });
  const time = new Date(timestamp).toISOString();
  const event = format === 'cloudevents' ? removalEventHeaders(scope, time, binding) : undefined;
  return {
    key: formatMessageKey(scope),
    value: null,
    headers: { ...removalHeaders(scope, time, binding), ...event, ...headers },
    timestamp,
  };
}

interface Envelope {
  readonly key: string;
  readonly headersOf: (part: MessagePart) => MessageHeaders;
  readonly options: SnapshotMessageOptions;
}

function partsOf(
  snapshot: InventorySnapshot,
  { key, headersOf, options: { maxMessageBytes, messageBytes, sinkType } }: Envelope,
): readonly DocumentPart[] {
  const keyBytes = Buffer.byteLength(key);
  const whole = wholeDocument(snapshot);
  if (messageBytes({ keyBytes, valueBytes: whole.byteLength, headers: headersOf(whole) }) <= maxMessageBytes)
    return [whole];
  // A part holds an item at least, so no part has a longer index or total than this one.
  const longest = { partIndex: snapshot.items.length + 1, partTotal: snapshot.items.length + 1 };
  const overhead =
    messageBytes({ keyBytes, valueBytes: maxMessageBytes, headers: headersOf(longest) }) - maxMessageBytes;
  const limit = `a message may have ${maxMessageBytes} bytes (maxMessageBytes), of which its key, headers and framing take ${overhead}`;
  if (overhead >= maxMessageBytes) {
    throw new SinkError(
      'PAYLOAD_TOO_LARGE',
      `Inventory ${key}: ${limit}: raise maxMessageBytes or give fewer headers.`,
      { sinkType },
    );
  }
  try {
    return splitDocument(snapshot, { maxBytes: maxMessageBytes - overhead });
  } catch (error) {
    if (!SinkError.isInstance(error) || error.code !== 'PAYLOAD_TOO_LARGE') throw error;
    throw new SinkError('PAYLOAD_TOO_LARGE', `${error.message.replace(/\.$/, '')} (${limit}).`, { sinkType });
  }
}
