import { SinkError } from '@kollect/core';
import { showText, type ClientLease, type OperationScope } from '@kollect/core/authoring';
import type { KafkaClient, TopicDescription } from '../kafka-client.ts';
import { kafkaError, protocolCodeIn } from '../kafka-errors.ts';
import type { ResolvedKafkaSpec } from '../kafka-spec.ts';

/** What an export must know of its topic. */
export interface TopicState {
  readonly partitions: number;
  /** Compaction keeps the last message of a key; undefined where we may not read the settings. */
  readonly compacted: boolean | undefined;
  /** What a batch may have, before or after compression; undefined where we may not read the settings. */
  readonly maxBatchBytes: number | undefined;
}

export interface TopicStates {
  /** What was found at most five minutes ago, or now. Makes the topic where the spec says so. */
  current(lease: ClientLease<KafkaClient>, scope: OperationScope): Promise<TopicState>;
  /** The topic is not what it was. */
  forget(): void;
}

/** As Java's metadata.max.age.ms. */
const maxAgeMs = 5 * 60_000;

export function createTopicStates(spec: Pick<ResolvedKafkaSpec, 'topic' | 'newTopic'>): TopicStates {
  let known: { readonly state: TopicState; readonly since: number } | undefined;
  let asking: { readonly lease: ClientLease<KafkaClient>; readonly answer: Promise<TopicState> } | undefined;

  const ask = async (lease: ClientLease<KafkaClient>): Promise<TopicState> => {
    try {
      const state = stateOf(await lease.call((client) => findTopic(client, spec)));
      known = { state, since: performance.now() };
      return state;
    } catch (error) {
      // An old answer is better than none while the cluster is away: the export itself will say whether it is.
      if (known !== undefined && kafkaError(error).retryable) return known.state;
      throw error;
    } finally {
      asking = undefined;
    }
  };

  return {
    current: async (lease, scope) => {
      if (known !== undefined && performance.now() - known.since < maxAgeMs) return known.state;
      if (asking?.lease !== lease) asking = { lease, answer: ask(lease) };
      return lease.shared(scope, asking.answer);
    },
    forget: () => (known = undefined),
  };
}

/** Whether the topic's settings keep only the last message of a key; undefined where they are not told. */
export function isCompacted(configs: TopicDescription['configs']): boolean | undefined {
  return configs?.['cleanup.policy']?.split(',').some((policy) => policy.trim() === 'compact');
}

function stateOf({ partitions, configs }: TopicDescription): TopicState {
  const limit = configs?.['max.message.bytes'];
  return {
    partitions: partitions.length,
    compacted: isCompacted(configs),
    maxBatchBytes: limit === undefined ? undefined : Number(limit),
  };
}

const topicExists = 36;
const patienceMs = 100;
const tries = 50;

/** The topic, made where it is missing and the spec allows it. Throws NOT_FOUND. */
async function findTopic(
  client: KafkaClient,
  { topic, newTopic }: Pick<ResolvedKafkaSpec, 'topic' | 'newTopic'>,
): Promise<TopicDescription> {
  const describe = () => client.describeTopic(topic, { configs: true });
  const found = await describe();
  if (found !== undefined) return found;
  if (newTopic === undefined) {
    throw new SinkError(
      'NOT_FOUND',
      `The topic ${showText(topic)} does not exist. Create it, correct spec.kafka.topic, or set topicProvisioning to create.`,
      { sinkType: 'kafka' },
    );
  }
  try {
    await client.createTopic({ topic, ...newTopic });
  } catch (error) {
    if (protocolCodeIn(error) !== topicExists) throw error;
  }
  // The broker that is asked may hear of it later than the one that made it.
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const made = await describe().catch((error: unknown) => {
      if (!kafkaError(error).retryable) throw error;
    });
    if (made !== undefined && made.partitions.length > 0) return made;
    await new Promise((resolve) => setTimeout(resolve, patienceMs));
  }
  throw new SinkError('UNAVAILABLE', `The topic ${showText(topic)} was made, and the brokers do not know it yet.`, {
    sinkType: 'kafka',
  });
}
