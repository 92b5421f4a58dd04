import { expect } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSinkRegistry, sealSnapshot, SinkError, type InventorySnapshot, type KollectSink } from '@kollect/core';
import {
  createKafkaSink,
  formatMessageKey,
  kafkajsClient,
  readSnapshots,
  type InventoryEvent,
  type KafkaSpec,
} from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { partitionFor } from '../../packages/sink-kafka/src/publishing/partitioner.ts';
import { makeItems } from '@kollect/sink-testkit';
import { readTopicFast } from '../servers/kafka-fast-reader.ts';
import type { KafkaConnection } from '../servers/kafka-connection.ts';
import type { ReadRecord } from '../servers/kafka-records.ts';
import { waitUntil } from '../support/wait-until.ts';
import { limit, timeAt } from './sink.ts';

/** Both clients, each with the other one to read what it wrote, and a compression that the other one knows. */
export const clients = [
  { client: 'kafkajs', factory: kafkajsClient, reader: 'platformatic', compression: 'zstd' },
  { client: 'platformatic', factory: platformaticClient, reader: 'kafkajs', compression: 'gzip' },
] as const;

export type TestClient = (typeof clients)[number];

/** A sink with short limits, so that what hangs is noticed soon. */
export function exportingSink(
  { factory, compression }: TestClient,
  spec: Partial<KafkaSpec> & Pick<KafkaSpec, 'brokers' | 'topic'>,
): KollectSink {
  const registry = createSinkRegistry([createKafkaSink({ client: factory })]);
  const kafka = { compression, requestTimeout: '5s', connectTimeout: '5s', deliveryTimeout: '20s', ...spec };
  return registry.create({ type: 'kafka', kafka }, { name: 'test' });
}

/** The snapshot of an inventory in a round; about 120 bytes an item, besides what names it. */
export function snapshotOf(
  inventory: string,
  round: number,
  { count = 3, bytes = 120 }: { readonly count?: number; readonly bytes?: number } = {},
): Promise<InventorySnapshot> {
  return sealSnapshot({
    cluster: 'prod',
    inventoryNamespace: 'team-a',
    inventoryName: inventory,
    generation: round + 1,
    exportedAt: timeAt(round / 60),
    items: makeItems({ count, bytes, seed: round + 1 }),
  });
}

/** The first names whose inventories are on partitions of their own. */
export function inventoriesApart(count: number, partitions: number): string[] {
  const taken = new Map<number, string>();
  for (let index = 0; taken.size < count; index += 1) {
    const name = `apart-${index}`;
    const partition = partitionFor(Buffer.from(keyOf(name)), partitions);
    if (!taken.has(partition)) taken.set(partition, name);
  }
  return [...taken.values()];
}

export function keyOf(inventory: string): string {
  return formatMessageKey({ cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: inventory });
}

/** What became of an export. */
export function outcomeOf(exporting: Promise<{ readonly outcome: string }>): Promise<string> {
  return exporting.then(
    ({ outcome }) => outcome,
    (error: unknown) =>
      SinkError.isInstance(error) ? `${error.code}${error.retryable ? ' retryable' : ''}` : String(error),
  );
}

export interface StreamOptions {
  readonly inventory: string;
  readonly count?: number;
  /** Asked before each round. */
  readonly ended: () => boolean;
}

/** What a stream of exports saw; each snapshot was tried again until it was acknowledged, as core does while an error is retryable. */
export interface ExportStream {
  readonly acknowledged: readonly InventorySnapshot[];
  readonly failures: readonly SinkError[];
}

/** Exports one snapshot of the inventory after another. Rejects with an error that is not retryable. */
export async function streamExports(
  sink: KollectSink,
  { inventory, count = 3, ended }: StreamOptions,
): Promise<ExportStream> {
  const acknowledged: InventorySnapshot[] = [];
  const failures: SinkError[] = [];
  for (let round = 0; !ended(); round += 1) {
    const next = await snapshotOf(inventory, round, { count });
    while (acknowledged.at(-1) !== next) {
      try {
        await sink.export(next, limit(10_000));
        acknowledged.push(next);
      } catch (error) {
        if (!SinkError.isInstance(error) || !error.retryable) throw error;
        failures.push(error);
        await sleep(50);
      }
    }
  }
  return { acknowledged, failures };
}

/** All records of a topic, read by the other client. Right after a restart the broker may still load the state of consumer groups. */
export async function readBack(
  server: KafkaConnection,
  topic: string,
  { reader }: TestClient,
  options: { readonly committed?: boolean } = {},
): Promise<readonly ReadRecord[]> {
  return waitUntil(() => readTopicFast(server, topic, { client: reader, ...options }).catch(() => undefined), {
    what: `the topic "${topic}" is read`,
    timeoutMs: 20_000,
  });
}

/** The records as a consumer of the topic is told of them. */
export async function eventsIn(topic: string, records: readonly ReadRecord[]): Promise<InventoryEvent[]> {
  const messages = records.map((record) => ({ ...record, topic, headers: new Map(record.headers) }));
  const events: InventoryEvent[] = [];
  for await (const event of readSnapshots(messages)) events.push(event);
  return events;
}

/** Times of the snapshots that a consumer is told of for an inventory, in their order; those are whole and verified. */
export function deliveredTimes(events: readonly InventoryEvent[], inventory: string): string[] {
  return events.flatMap((event) =>
    event.type === 'snapshot' && event.scope.inventoryName === inventory ? [event.document.exportedAt] : [],
  );
}

/** Times of the records of an inventory, in the order of their offsets. */
export function recordTimes(records: readonly ReadRecord[], inventory: string): string[] {
  return records.flatMap(({ key, headers }) => {
    if (key?.toString() !== keyOf(inventory)) return [];
    return [String(headers.find(([name]) => name === 'kollect.dev/exported-at')?.[1])];
  });
}

export interface AcknowledgedOptions {
  readonly topic: string;
  readonly inventory: string;
  readonly acknowledged: readonly InventorySnapshot[];
  /** True where a broker that lives on may take in what a connection that was given up still held. */
  readonly lateCopies?: boolean;
}

/** Whatever was acknowledged is in the topic, in the order of its acknowledgements, and a consumer is told of each. */
export async function expectAcknowledged(
  records: readonly ReadRecord[],
  { topic, inventory, acknowledged, lateCopies = false }: AcknowledgedOptions,
): Promise<void> {
  const times = acknowledged.map(({ exportedAt }) => exportedAt);
  const recorded = recordTimes(records, inventory);
  expect([...new Set(recorded)]).toEqual(times);
  if (!lateCopies) expect(recorded).toEqual(recorded.toSorted());
  expect(deliveredTimes(await eventsIn(topic, records), inventory)).toEqual(times);
}

export interface SocketWatch {
  /** Sockets of this process to one of the ports that are not destroyed. */
  open(): readonly Socket[];
  stop(): void;
}

/** Sees each socket that this process dials with, whoever makes it: one client takes its sockets from the egress policy, the other does not. */
export function watchSockets(ports: readonly number[]): SocketWatch {
  const sockets = new Set<Socket>();
  const onSocket = (message: unknown): void => void sockets.add((message as { readonly socket: Socket }).socket);
  subscribe('net.client.socket', onSocket);
  return {
    open: () => [...sockets].filter((socket) => !socket.destroyed && ports.includes(socket.remotePort ?? 0)),
    stop: () => void unsubscribe('net.client.socket', onSocket),
  };
}
