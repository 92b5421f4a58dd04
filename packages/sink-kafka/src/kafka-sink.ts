import {
  defineSink,
  formatScope,
  refuseFutureTime,
  SinkError,
  type ExportResult,
  type ItemCounts,
  type KollectSink,
  type OperationOptions,
  type Scope,
  type SinkContext,
  type SinkOperation,
} from '@kollect/core';
import { closedError, withAttempt, type Attempt } from './publishing/attempt.ts';
import { createClientKeeper } from './clients/client-keeper.ts';
import { clientConfig } from './clients/client-config.ts';
import type { KafkaClientFactory, KafkaRecord } from './kafka-client.ts';
import { kafkaError, protocolCodeIn } from './kafka-errors.ts';
import { kafkajsClient } from './clients/kafkajs/kafkajs-client.ts';
import { resolveKafkaSpec, type ResolvedKafkaSpec } from './kafka-spec.ts';
import { kafkaCredentialFields, kafkaSpecSchema } from './kafka-spec-schema.ts';
import { removalMessage, snapshotMessages } from './publishing/messages.ts';
import type { Publication } from './publishing/partition-lane.ts';
import { partitionFor } from './publishing/partitioner.ts';
import { createPublishedTimes, showText } from '@kollect/core/authoring';
import { createPublisher } from './publishing/publisher.ts';
import { testConnection } from './kafka-test-connection.ts';
import { createTopicStates } from './publishing/topic-state.ts';

export type KafkaContext = SinkContext<ResolvedKafkaSpec>;

export interface KafkaSinkOptions {
  /** What talks to the brokers. Default `kafkajsClient`; `@kollect/sink-kafka/platformatic` exports another. */
  readonly client?: KafkaClientFactory;
}

/** The sink type `kafka`, with a client of one's own. */
export function createKafkaSink({ client = kafkajsClient }: KafkaSinkOptions = {}) {
  return defineSink({
    type: 'kafka',
    contractVersion: 1,
    role: 'event-emitter',
    // The fence lives in this process alone, and an event that is out cannot be taken back.
    capabilities: { removeInventory: true },
    credentialFields: kafkaCredentialFields,
    spanAttributes: { 'messaging.system': 'kafka', 'messaging.operation.type': 'send' },
    specSchema: kafkaSpecSchema,
    resolveSpec: resolveKafkaSpec,
    create: (context) => createSink(context, client),
  });
}

/** The sink type `kafka`: every export is announced on a topic, once acknowledged never lost. */
export const kafkaSink = createKafkaSink();

/** Below what a topic takes unless it was set otherwise. */
const usualBatchBytes = kafkaSpecSchema.properties.maxMessageBytes.default;

/** The messages of one operation. */
interface Announcement {
  readonly what: 'snapshot' | 'removal';
  readonly scope: Scope;
  /** The time that newer ones are told from older ones by. */
  readonly time: string;
  readonly key: Uint8Array;
  readonly total: number;
  readonly records: () => Iterable<KafkaRecord>;
}

const superseded: ExportResult = { outcome: 'superseded', counts: countsOf(0), messages: 0, bytes: 0 };

function createSink(context: KafkaContext, makeClient: KafkaClientFactory): KollectSink {
  const { spec } = context;
  const config = clientConfig(context);
  const keeper = createClientKeeper({
    makeClient: () => makeClient(config),
    // What the spec has no use for is refused, and not left aside: a client asks for what it needs alone.
    beforeConnect: () => Promise.all([config.credentials(), config.tlsMaterial()]),
  });
  const topics = createTopicStates(spec);
  const publisher = createPublisher(spec, keeper);
  const published = createPublishedTimes();
  const running = new Set<Promise<unknown>>();
  const closed = new AbortController();
  let closing: Promise<void> | undefined;

  /** One attempt, whose errors say what was being done. */
  const attempt = <T>(
    operation: SinkOperation,
    doing: string,
    { signal }: OperationOptions,
    run: (attempt: Attempt) => Promise<T>,
  ): Promise<T> => {
    const limits = {
      signal,
      closed: closed.signal,
      sinkName: context.name,
      operation,
      doing,
      timeoutMs: spec.deliveryTimeoutMs,
    };
    const settled = withAttempt(limits, run)
      .catch((error: unknown) => {
        if (isTopicGone(error)) topics.forget();
        throw kafkaError(error, limits);
      })
      .finally(() => running.delete(settled));
    running.add(settled);
    return settled;
  };

  /** Bytes that were published, or undefined where a newer announcement came first. */
  const announce = async (attempt: Attempt, announcement: Announcement, triesLeft = 1): Promise<number | undefined> => {
    const { what, scope, time, key, total, records } = announcement;
    if (published.isOlder(scope, time)) return undefined;
    const held = await keeper.connected(attempt);
    const { partitions, compacted, maxBatchBytes = usualBatchBytes } = await topics.current(held, attempt);
    if (total > 1 && compacted === true) throw needsParts(scope, total, spec);
    let bytes = 0;
    const counted = function* (): Iterable<KafkaRecord> {
      for (const record of records()) {
        bytes += record.value?.byteLength ?? 0;
        yield record;
      }
    };
    const publication: Publication = {
      attempt,
      total,
      records: counted,
      maxBatchBytes: Math.min(maxBatchBytes, spec.maxMessageBytes),
      isCurrent: () => !published.isOlder(scope, time),
      onAcknowledged: () => published.record(scope, time, what),
    };
    try {
      if (!(await publisher.publish(partitionFor(key, partitions), publication))) return undefined;
    } catch (error) {
      if (triesLeft === 0 || !isTopicGone(error)) throw error;
      // Nothing was written: the topic is gone, or it was made anew with other partitions. What it is now counts.
      topics.forget();
      return announce(attempt, announcement, triesLeft - 1);
    }
    return bytes;
  };

  const { format, headers, maxMessageBytes } = spec;
  // Without the brokers of the spec: an error names the one that failed, which may be another.
  const where = `topic ${showText(spec.topic)}`;
  return {
    open: (options) =>
      attempt('open', `looking for ${where}`, options, async (current) => {
        await topics.current(await keeper.connected(current), current);
      }),
    export: (snapshot, options) =>
      attempt('export', `exporting inventory ${formatScope(snapshot)} to ${where}`, options, async (current) => {
        refuseFutureTime('exportedAt', snapshot.exportedAt, new Date());
        const { key, total, records } = snapshotMessages(snapshot, { maxMessageBytes, format, headers });
        const bytes = await announce(current, {
          what: 'snapshot',
          scope: snapshot,
          time: snapshot.exportedAt,
          key,
          total,
          records,
        });
        return bytes === undefined
          ? superseded
          : { outcome: 'applied', counts: countsOf(snapshot.items.length), messages: total, bytes };
      }),
    removeInventory: (scope, options) =>
      attempt(
        'remove-inventory',
        `removing inventory ${formatScope(scope)} from ${where}`,
        options,
        async (current) => {
          refuseFutureTime('removedAt', options.removedAt, new Date());
          const record = removalMessage(scope, { removedAt: options.removedAt, format, headers });
          const bytes = await announce(current, {
            what: 'removal',
            scope,
            time: options.removedAt,
            key: record.key,
            total: 1,
            records: () => [record],
          });
          if (bytes !== undefined) return { outcome: 'applied', counts: countsOf(0), messages: 1, bytes };
          // An older removal of what is gone already has nothing to do.
          return published.isRemoved(scope) ? { ...superseded, outcome: 'unchanged' } : superseded;
        },
      ),
    testConnection: ({ signal }) => {
      if (closed.signal.aborted)
        return Promise.reject(closedError({ sinkName: context.name, operation: 'test-connection' }));
      const settled = testConnection({
        context,
        makeClient,
        signal: AbortSignal.any([signal, closed.signal]),
      }).finally(() => running.delete(settled));
      running.add(settled);
      return settled;
    },
    close: () => {
      closed.abort();
      return (closing ??= Promise.allSettled(running)
        .then(() => keeper.close())
        .then(() => undefined));
    },
  };
}

const topicGoneCodes: ReadonlySet<number | undefined> = new Set([3, 17, 100, 103]);

function isTopicGone(error: unknown): boolean {
  return topicGoneCodes.has(protocolCodeIn(error));
}

/** Compaction keeps the last message of a key, which of a document in parts is a part. */
function needsParts(scope: Scope, total: number, { topic, maxMessageBytes }: ResolvedKafkaSpec): SinkError {
  return new SinkError(
    'PAYLOAD_TOO_LARGE',
    `Inventory ${formatScope(scope)} needs ${total} messages of at most ${maxMessageBytes} bytes, and topic ${showText(topic)} is compacted, which would keep only the last: ` +
      'raise spec.kafka.maxMessageBytes with max.message.bytes of the topic, or set cleanup.policy to delete.',
    { sinkType: 'kafka' },
  );
}

function countsOf(inserted: number): ItemCounts {
  return { inserted, updated: 0, deleted: 0, unchanged: 0 };
}
