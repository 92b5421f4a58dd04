import { defineSink, SinkError, type KollectSink, type SinkContext } from '@kollect/core';
import {
  aFunction,
  checkOptions,
  createEventSink,
  createHeldClient,
  createOperations,
  kafkaBinding,
  showText,
  type HeldClient,
  type Operations,
} from '@kollect/core/authoring';
import { clientConfig, transactionalIdPrefix } from './clients/client-config.ts';
import type { KafkaClient, KafkaClientConfig, KafkaClientFactory } from './kafka-client.ts';
import { kafkaError } from './kafka-errors.ts';
import { isTopicGone, overQuota } from './kafka-refusals.ts';
import { kafkajsClient } from './clients/kafkajs/kafkajs-client.ts';
import { resolveKafkaSpec, type ResolvedKafkaSpec } from './kafka-spec.ts';
import { kafkaCredentialFields, kafkaSpecSchema } from './kafka-spec-schema.ts';
import { createPublisher } from './publishing/publisher.ts';
import { testConnection } from './kafka-test-connection.ts';
import { createTopicChannel } from './publishing/topic-channel.ts';
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

  /** One attempt. A broker whose quota is used up does not refuse: it lets us wait. */
  const run: Operations['run'] = async (limits, work) => {
    const start = performance.now();
    try {
      return await operations.run(limits, async (scope) => {
        try {
          return await work(scope);
        } catch (error) {
          if (isTopicGone(error)) topics.forget();
          throw error;
        }
      });
    } catch (error) {
      const wasThrottled = SinkError.isInstance(error) && error.code === 'TIMEOUT' && throttledUntil > start;
      throw wasThrottled ? overQuota({ ...limits, waitMs: throttledUntil - performance.now() }) : error;
    }
  };

  // Without the brokers of the spec: an error names the one that failed, which may be another.
  const where = `topic ${showText(spec.topic)}`;
  return {
    open: ({ signal }) =>
      run({ operation: 'open', doing: `looking for ${where}`, signal, ...deliveryTimeout }, async (scope) => {
        await topics.current(scope, { anew: true });
      }),
    ...createEventSink({
      operations: { run },
      channel: createTopicChannel({ spec, topics, publisher }),
      message: { binding: kafkaBinding, format: spec.format, headers: spec.headers, sinkType: 'kafka' },
      where,
      ...deliveryTimeout,
    }),
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: `testing ${where}`, signal }, (scope) =>
        testConnection({ scope, context, makeClient }),
      ),
    close: () => operations.close(() => Promise.all([clients.close(), transactions?.close()])),
  };
}
