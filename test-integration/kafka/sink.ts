import { createHash } from 'node:crypto';
import {
  createSinkRegistry,
  sealSnapshot,
  type Egress,
  type InventorySnapshot,
  type Item,
  type KollectSink,
  type SinkConnection,
  type SnapshotInput,
} from '@kollect/core';
import { createKafkaSink, kafkajsClient, type KafkaClientFactory, type KafkaSpec } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { testKafka } from '../support/kafka.ts';

/** Both clients, for `describe.each`. */
export const eachClient = [
  ['kafkajs', kafkajsClient],
  ['platformatic', platformaticClient],
] as const satisfies readonly (readonly [string, KafkaClientFactory])[];

export interface TestSinkOptions extends SinkConnection {
  readonly topic: string;
  /** On top of what names the topic and, unless it is told, the plaintext listener; waits are short. */
  readonly spec?: Partial<KafkaSpec>;
  readonly egress?: Egress;
}

/** A sink on a topic of the Kafka of this test run. */
export function sinkOver(
  client: KafkaClientFactory,
  { topic, spec, egress, ...connection }: TestSinkOptions,
): KollectSink {
  const registry = createSinkRegistry([createKafkaSink({ client })], egress === undefined ? {} : { egress });
  const defaults = {
    brokers: [...testKafka().listeners.plaintext],
    topic,
    requestTimeout: '10s',
    connectTimeout: '5s',
    deliveryTimeout: '20s',
  };
  return registry.create({ type: 'kafka', kafka: { ...defaults, ...spec } }, { name: 'test', ...connection });
}

/** A signal that ends what hangs, so that a test fails with words and not with a timeout of jest. */
export function limit(ms = 25_000): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(ms) };
}

// Not long ago: a topic removes what is older than its retention.
const start = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;

/** RFC 3339; minutes past a fixed time of today. */
export function timeAt(minutes: number): string {
  return new Date(start + minutes * 60_000).toISOString();
}

export function item(
  name: string,
  attributes: Readonly<Record<string, unknown>> = {},
  identity: Partial<Item> = {},
): Item {
  return {
    targetNamespace: 'platform',
    targetName: 'deployments',
    namespace: 'shop',
    name,
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    uid: `uid-${name}`,
    attributes,
    ...identity,
  };
}

/** Items of about so many bytes each, which no compression makes much smaller; the same options give the same items. */
export function bulkyItems(count: number, bytes: number): Item[] {
  return Array.from({ length: count }, (_, index) =>
    item(`web-${String(index).padStart(5, '0')}`, { noise: noise(bytes, index) }),
  );
}

/** Text that compresses to three quarters at best. */
export function noise(bytes: number, seed: number): string {
  return createHash('shake128', { outputLength: Math.ceil((bytes * 3) / 4) })
    .update(String(seed))
    .digest('base64')
    .slice(0, bytes);
}

/** A snapshot of `team-a/web` in cluster `prod`, at so many minutes of `timeAt`. */
export function snapshot(
  minutes: number,
  content: Iterable<Item>,
  input: Partial<SnapshotInput> = {},
): Promise<InventorySnapshot> {
  return sealSnapshot({
    cluster: 'prod',
    inventoryNamespace: 'team-a',
    inventoryName: 'web',
    generation: 1,
    exportedAt: timeAt(minutes),
    items: content,
    ...input,
  });
}
