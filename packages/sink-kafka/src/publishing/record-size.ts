import type { KafkaRecord } from '../kafka-client.ts';

/** Header of a record batch, version 2: everything from its base offset to its count of records. */
const batchHeaderBytes = 61;
/** Attributes, and the deltas of timestamp and offset of the first record of a batch. */
const fixedBytes = 3;

export interface RecordShape {
  readonly keyBytes: number;
  /** Null for a tombstone. */
  readonly valueBytes: number | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a batch of this one record counts against the broker's `max.message.bytes`, before compression. */
export function recordSize({ key, value, headers }: Pick<KafkaRecord, 'key' | 'value' | 'headers'>): number {
  return shapeSize({ keyBytes: key.byteLength, valueBytes: value?.byteLength ?? null, headers });
}

/** The same of a record that was not serialised yet. */
export function shapeSize({ keyBytes, valueBytes, headers }: RecordShape): number {
  const entries = Object.entries(headers);
  const body =
    fixedBytes +
    field(keyBytes) +
    (valueBytes === null ? varintBytes(-1) : field(valueBytes)) +
    varintBytes(entries.length) +
    entries.reduce((sum, [name, value]) => sum + field(Buffer.byteLength(name)) + field(Buffer.byteLength(value)), 0);
  return batchHeaderBytes + varintBytes(body) + body;
}

function field(bytes: number): number {
  return varintBytes(bytes) + bytes;
}

/** Bytes of a signed variable-length integer: zigzag, seven bits to a byte. */
function varintBytes(value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let bytes = 1;
  for (; rest >= 0x80; rest >>>= 7) bytes++;
  return bytes;
}
