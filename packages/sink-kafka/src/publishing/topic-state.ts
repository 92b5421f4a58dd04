import { SinkError } from '@kollect/core';
import { showText, type ClientLease, type Ending, type HeldClient } from '@kollect/core/authoring';
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
  /** What was found last, or now. Makes the topic where the spec says so. */
  known(waiting: Ending): Promise<TopicState>;
  /** What was found at most a second ago, or now; `anew`: now in any case, and nothing older where the brokers do not answer. */
  current(waiting: Ending, options: { readonly anew: boolean }): Promise<TopicState>;
  /** The topic is not what it was. */
  forget(): void;
}

/** No client is told that partitions were added, or that the topic was made again: whoever wants to know asks, at most so often while it is busy. */
const maxAgeMs = 1_000;

interface Found {
  readonly state: TopicState;
  readonly since: number;
  /** Why it is what was found before. */
  readonly failure?: unknown;
}

export function createTopicStates(
  spec: Pick<ResolvedKafkaSpec, 'topic' | 'newTopic'>,
  clients: HeldClient<KafkaClient>,
): TopicStates {
  let found: Found | undefined;
  let asking: { readonly lease: ClientLease<KafkaClient>; readonly answer: Promise<Found> } | undefined;

  const look = async (client: KafkaClient): Promise<Found> => {
    const before = found;
    try {
      return { state: stateOf(await findTopic(client, spec)), since: performance.now() };
    } catch (failure) {
      // Whoever is asked may be away while who leads the partition is not: the export itself will say.
      if (before === undefined || !kafkaError(failure).retryable) throw failure;
      return { state: before.state, since: performance.now(), failure };
    }
  };
  const ask = async (lease: ClientLease<KafkaClient>): Promise<Found> => {
    try {
      return (found = await lease.call(look));
    } finally {
      if (asking?.lease === lease) asking = undefined;
    }
  };
  const askOnce = (lease: ClientLease<KafkaClient>): Promise<Found> => {
    if (asking?.lease !== lease) asking = { lease, answer: ask(lease) };
    return asking.answer;
  };

  return {
    known: async (waiting) => {
      if (found !== undefined) return found.state;
      const lease = await clients.connected(waiting);
      return (await lease.shared(waiting, askOnce(lease))).state;
    },
    current: async (waiting, { anew }) => {
      if (!anew && found !== undefined && performance.now() - found.since < maxAgeMs) return found.state;
      const lease = await clients.connected(waiting);
      try {
        const { state, failure } = await lease.shared(waiting, askOnce(lease));
        if (anew && failure !== undefined) throw failure;
        return state;
      } catch (error) {
        // As with a request that nobody answers: the client is no good to others either.
        if (waiting.ended?.code === 'TIMEOUT') lease.giveUp();
        throw error;
      }
    },
    forget: () => (found = undefined),
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
