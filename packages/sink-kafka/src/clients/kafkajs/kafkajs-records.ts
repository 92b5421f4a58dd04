import kafkajs, { type CompressionTypes, type Message } from 'kafkajs';
import type { Acks, Compression, KafkaRecord } from '../../kafka-client.ts';
import { loadCodec } from '../codecs.ts';

// CommonJS: Node finds some of its names, not all.
const { CompressionCodecs, CompressionTypes: types } = kafkajs;

export const acksNumbers: Readonly<Record<Acks, number>> = { all: -1, leader: 1, none: 0 };
export const compressionTypes: Readonly<Record<Compression, CompressionTypes>> = {
  none: types.None,
  gzip: types.GZIP,
  snappy: types.Snappy,
  lz4: types.LZ4,
  zstd: types.ZSTD,
};

export function messageOf({ key, value, headers, timestamp }: KafkaRecord, partition: number): Message {
  return {
    key: bytesOf(key),
    value: value === null ? null : bytesOf(value),
    headers: { ...headers },
    timestamp: String(timestamp),
    partition,
  };
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The registry of codecs belongs to all who use kafkajs in this process: only an empty place is filled. */
export function registerCodec(compression: Compression): void {
  if (compression === 'none' || compression === 'gzip') return;
  const slots = CompressionCodecs as unknown as Record<number, () => unknown>;
  const type = compressionTypes[compression];
  try {
    slots[type]?.();
  } catch {
    const codec = loadCodec(compression);
    const adapter = {
      compress: (encoder: { readonly buffer: Buffer }) => codec.compress(encoder.buffer),
      decompress: codec.decompress,
    };
    slots[type] = () => adapter;
  }
}
