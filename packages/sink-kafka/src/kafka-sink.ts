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
import {
  aFunction,
  checkOptions,
  createHeldClient,
  createOperations,
  createPublishedTimes,
  showText,
  type HeldClient,
  type OperationScope,
} from '@kollect/core/authoring';
import { clientConfig, transactionalIdPrefix } from './clients/client-config.ts';
import type { KafkaClient, KafkaClientConfig, KafkaClientFactory, KafkaRecord } from './kafka-client.ts';
import { kafkaError } from './kafka-errors.ts';
import { isTopicGone, needsParts, overQuota } from './kafka-refusals.ts';
import { kafkajsClient } from './clients/kafkajs/kafkajs-client.ts';
import { resolveKafkaSpec, type ResolvedKafkaSpec } from './kafka-spec.ts';
import { kafkaCredentialFields, kafkaSpecSchema } from './kafka-spec-schema.ts';
import { removalMessage, snapshotMessages } from './publishing/messages.ts';
import type { Publication } from './publishing/publication.ts';
import { createPublisher } from './publishing/publisher.ts';
import { testConnection } from './kafka-test-connection.ts';
import { createTopicStates } from './publishing/topic-state.ts';
import { createTransactions } from './publishing/transactions.ts';

export type KafkaContext = SinkContext<ResolvedKafkaSpec>;

export interface KafkaSinkOptions {
  /** What talks to the brokers. Default `kafkajsClient`; `@kollect/sink-kafka/platformatic` exports another. */
  readonly client?: KafkaClientFactory;
}

/** The sink type `kafka`, with a client of one's own. */
export function createKafkaSink(options?: KafkaSinkOptions) {
  const of = 'The options of createKafkaSink';
  const { client = kafkajsClient } = checkOptions<KafkaSinkOptions>(options, { client: aFunction }, { of });
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

/** The messages of one operation. */
interface Announcement {
  readonly what: 'snapshot' | 'removal';
  readonly inventory: Scope;
  /** The time that newer ones are told from older ones by. */
  readonly time: string;
  readonly key: Uint8Array;
  readonly total: number;
  readonly records: () => Iterable<KafkaRecord>;
}

const superseded: ExportResult = { outcome: 'superseded', counts: countsOf(0), messages: 0, bytes: 0 };

function createSink(context: KafkaContext, makeClient: KafkaClientFactory): KollectSink {
  const { spec } = context;
  let throttledUntil = 0;
  const config: KafkaClientConfig = {
    ...clientConfig(context),
    onThrottle: (ms) => (throttledUntil = Math.max(throttledUntil, performance.now() + ms)),
  };
  const deliveryTimeout = { timeoutMs: spec.deliveryTimeoutMs, timeoutField: 'spec.kafka.deliveryTimeout' };
  const operations = createOperations({ sinkType: 'kafka', name: context.name, classify: kafkaError });
  // Every error is fatal to a client: its sequence numbers may be those of batches that never arrived.
  const hold = (own: Pick<KafkaClientConfig, 'transactionalId'> = {}): HeldClient<KafkaClient> =>
    createHeldClient({
      sinkType: 'kafka',
      server: 'Kafka',
      make: () => makeClient({ ...config, ...own }),
      connect: async (client) => {
        // What the spec has no use for is refused, and not left aside: a client asks for what it needs alone.
        await Promise.all([config.credentials(), config.tls()]);
        await client.connect();
      },
      destroy: (client) => client.destroy(),
    });
  const clients = hold();
  const topics = createTopicStates(spec, clients);
  const transactions = spec.transactional
    ? createTransactions({
        hold: (transactionalId) => hold({ transactionalId }),
        idPrefix: transactionalIdPrefix(spec),
      })
    : undefined;
  const publisher = createPublisher({ spec, clients, topics, transactions });
  const published = createPublishedTimes();

  /** One attempt, whose errors say what was being done. A broker whose quota is used up does not refuse: it lets us wait. */
  const attempt = async <T>(
    operation: SinkOperation,
    doing: string,
    { signal }: OperationOptions,
    run: (scope: OperationScope) => Promise<T>,
  ): Promise<T> => {
    const start = performance.now();
    try {
      return await operations.run({ operation, doing, signal, ...deliveryTimeout }, async (scope) => {
        try {
          return await run(scope);
        } catch (error) {
          if (isTopicGone(error)) topics.forget();
          throw error;
        }
      });
    } catch (error) {
      const wasThrottled = SinkError.isInstance(error) && error.code === 'TIMEOUT' && throttledUntil > start;
      throw wasThrottled ? overQuota({ operation, doing, waitMs: throttledUntil - performance.now() }) : error;
    }
  };

  /** What was published and where, or undefined where a newer announcement came first. */
  const announce = async (
    scope: OperationScope,
    announcement: Announcement,
    triesLeft = 1,
  ): Promise<Pick<ExportResult, 'bytes' | 'reference'> | undefined> => {
    const { what, inventory, time, key, total, records } = announcement;
    if (published.isOlder(inventory, time)) return undefined;
    let bytes = 0;
    const counted = function* (): Iterable<KafkaRecord> {
      for (const record of records()) {
        bytes += record.value?.byteLength ?? 0;
        yield record;
      }
    };
    const publication: Publication = {
      scope,
      key,
      total,
      records: counted,
      refusal: ({ compacted }) => (total > 1 && compacted === true ? needsParts(inventory, total, spec) : undefined),
      isCurrent: () => !published.isOlder(inventory, time),
      onAcknowledged: () => published.record(inventory, time, what),
    };
    try {
      const partition = await publisher.publish(publication);
      return partition === undefined ? undefined : { bytes, reference: `${spec.topic}/${partition}` };
    } catch (error) {
      if (triesLeft === 0 || !isTopicGone(error)) throw error;
      // Nothing was written: the topic is gone, or it was made anew with other partitions. What it is now counts.
      topics.forget();
      return announce(scope, announcement, triesLeft - 1);
    }
  };

  const { format, headers, maxMessageBytes } = spec;
  // Without the brokers of the spec: an error names the one that failed, which may be another.
  const where = `topic ${showText(spec.topic)}`;
  return {
    open: (options) =>
      attempt('open', `looking for ${where}`, options, async (scope) => {
        await topics.current(scope, { anew: true });
      }),
    export: (snapshot, options) =>
      attempt('export', `exporting inventory ${formatScope(snapshot)} to ${where}`, options, async (scope) => {
        refuseFutureTime('exportedAt', snapshot.exportedAt, new Date());
        const { key, total, records } = snapshotMessages(snapshot, { maxMessageBytes, format, headers });
        const sent = await announce(scope, {
          what: 'snapshot',
          inventory: snapshot,
          time: snapshot.exportedAt,
          key,
          total,
          records,
        });
        return sent === undefined
          ? superseded
          : { outcome: 'applied', counts: countsOf(snapshot.items.length), messages: total, ...sent };
      }),
    removeInventory: (inventory, options) =>
      attempt(
        'remove-inventory',
        `removing inventory ${formatScope(inventory)} from ${where}`,
        options,
        async (scope) => {
          refuseFutureTime('removedAt', options.removedAt, new Date());
          const record = removalMessage(inventory, { removedAt: options.removedAt, format, headers });
          const sent = await announce(scope, {
            what: 'removal',
            inventory,
            time: options.removedAt,
            key: record.key,
            total: 1,
            records: () => [record],
          });
          if (sent !== undefined) return { outcome: 'applied', counts: countsOf(0), messages: 1, ...sent };
          // An older removal of what is gone already has nothing to do.
          return published.isRemoved(inventory) ? { ...superseded, outcome: 'unchanged' } : superseded;
        },
      ),
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: `testing ${where}`, signal }, (scope) =>
        testConnection({ scope, context, makeClient }),
      ),
    close: () => operations.close(() => Promise.all([clients.close(), transactions?.close()])),
  };
}

function countsOf(inserted: number): ItemCounts {
  return { inserted, updated: 0, deleted: 0, unchanged: 0 };
}
