import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { partitionFor } from './partitioner.ts';

interface Vectors {
  readonly partitions: readonly number[];
  readonly keys: readonly (readonly [string, readonly number[]])[];
}

const vectors = JSON.parse(
  readFileSync(new URL('partitioner-vectors.fixture.json', import.meta.url), 'utf8'),
) as Vectors;

/** Seen on a broker with 12 partitions, sent by Java's producer with its defaults. */
const seenOnBroker = {
  'prod:team-a/web': 10,
  'prod:team-b/api': 2,
  'prod-eu-1:kube-system/coredns': 6,
  'staging:default/x': 8,
  'c:n/a': 1,
  'prod:team-ü/café': 2,
  'プロッド:名前/空間': 1,
  'k🚀:ns/emoji': 5,
  '': 9,
  a: 4,
  'prod:ns/ß-Ж-中': 1,
};

test('every key lands where the Java client puts it', () => {
  expect(vectors.keys.length).toBeGreaterThan(300);
  const ours = vectors.keys.map(([key]) => [
    key,
    vectors.partitions.map((count) => partitionFor(Buffer.from(key), count)),
  ]);
  expect(ours).toEqual(vectors.keys);
});

test('and where a broker had them', () => {
  expect(Object.fromEntries(Object.keys(seenOnBroker).map((key) => [key, partitionFor(Buffer.from(key), 12)]))).toEqual(
    seenOnBroker,
  );
});
