import { ConfigResourceTypes, describeConfigsV4, FetchIsolationLevels, fetchV12, type API } from '@platformatic/kafka';
import type { Compression } from '../../packages/sink-kafka/src/kafka-client.ts';
import { askNode } from '../servers/kafka-requests.ts';
import { testKafka } from '../support/kafka.ts';

/** What a batch says of itself, which no consumer hands out. */
export interface ReadBatch {
  readonly compression: Compression;
  readonly transactional: boolean;
  /** -1 where the producer is not idempotent. */
  readonly producerId: number;
  /** Of its records, in order. */
  readonly keys: readonly string[];
}

const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const compressionBits = 7;
const transactionalBit = 16;
const controlBit = 32;
const ownTopicSetting = 1;
const manyBytes = 64 * 1024 * 1024;

/** The batches of a partition, as the broker keeps them; marks of transactions are left out. */
export async function readBatches(topic: string, partition = 0): Promise<ReadBatch[]> {
  const from = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: 0n,
    lastFetchedEpoch: -1,
    partitionMaxBytes: manyBytes,
  };
  const topics = [{ topicId: topic, partitions: [from] }];
  const { responses } = await ask(
    fetchV12.api,
    100,
    1,
    manyBytes,
    FetchIsolationLevels.READ_UNCOMMITTED,
    0,
    -1,
    topics,
    [],
    '',
  );
  const batches = responses.flatMap((response) => response.partitions.flatMap(({ records }) => records ?? []));
  return batches
    .filter(({ attributes }) => (attributes & controlBit) === 0)
    .map(({ attributes, producerId, records }) => ({
      compression: compressions[attributes & compressionBits] ?? 'none',
      transactional: (attributes & transactionalBit) !== 0,
      producerId: Number(producerId),
      keys: records.map(({ key }) => String(key)),
    }));
}

/** The settings that somebody gave the topic; those of the broker are left out. */
export async function readConfigs(topic: string): Promise<Readonly<Record<string, string>>> {
  const { results } = await ask(
    describeConfigsV4.api,
    [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: null }],
    false,
    false,
  );
  const own = results.flatMap(({ configs }) => configs.filter(({ configSource }) => configSource === ownTopicSetting));
  return Object.fromEntries(own.map(({ name, value }) => [name, String(value)]));
}

async function ask<Arguments extends unknown[], Response>(
  api: API<Arguments, Response>,
  ...args: Arguments
): Promise<Response> {
  const [address] = testKafka().listeners.plaintext;
  if (address === undefined) throw new Error('The Kafka of this test run has no plaintext listener.');
  return askNode(address, api, ...args);
}
