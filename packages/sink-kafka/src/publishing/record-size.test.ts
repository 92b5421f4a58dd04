import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { createRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import type { KafkaRecord } from '../kafka-client.ts';
import { recordSize } from './record-size.ts';

interface Encoder {
  readonly buffer: Buffer;
}

const require = createRequire(import.meta.url);
const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (options: object) => Promise<Encoder>;
};
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (options: object) => Encoder;

/** A batch of this one record as kafkajs writes it. */
async function encoded({ key, value, headers }: KafkaRecord): Promise<Buffer> {
  const batch = await encodeBatch({
    records: [encodeRecord({ key, value, headers })],
    firstTimestamp: 1,
    maxTimestamp: 1,
  });
  return batch.buffer;
}

const sizes = fc.oneof(
  fc.nat(70),
  fc.constantFrom(0, 1, 63, 64, 127, 128, 8_191, 8_192, 16_383, 16_384, 1_048_575, 1_048_576),
);
const records: fc.Arbitrary<KafkaRecord> = fc.record({
  key: sizes.map((size) => Buffer.alloc(size, 'k')),
  value: fc.option(
    sizes.map((size) => Buffer.alloc(size, 'v')),
    { freq: 5 },
  ),
  headers: fc.dictionary(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 70 }),
    fc.string({ unit: 'grapheme', maxLength: 70 }),
    { maxKeys: 70, noNullPrototype: true },
  ),
  timestamp: fc.constant(1),
});

test('property: the size is that of a batch as kafkajs writes it', async () => {
  await fc.assert(
    fc.asyncProperty(records, async (record) => {
      expect(recordSize(record)).toBe((await encoded(record)).byteLength);
    }),
    { numRuns: 150 },
  );
});

test('and as @platformatic/kafka writes it', () => {
  const headers = { 'kollect.dev/cluster': 'prod-ü', empty: '' };
  const record = { key: Buffer.from('prod:team/all'), value: Buffer.alloc(100_000, 'v'), headers, timestamp: 1 };
  const map = new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]));
  const batch = createRecordsBatch([{ topic: 't', key: record.key, value: record.value, headers: map, timestamp: 1n }]);
  expect(recordSize(record)).toBe(batch.length);
});
