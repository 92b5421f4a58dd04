import {
  AclOperations,
  ConfigResourceTypes,
  findErrorBy,
  type describeConfigsV4,
  type metadataV12,
} from '@platformatic/kafka';
import { leadersAmong } from '../broker-address.ts';
import type { NewTopic, TopicDescription } from '../../kafka-client.ts';
import type { GuardedProducer } from './platformatic-producer.ts';

/** What the broker sends where it was not asked for permissions, or cannot tell. */
const noOperations = -2_147_483_648;

export interface DescribeTopicOptions {
  readonly configs?: boolean;
  readonly permissions?: boolean;
}

/** What the cluster says of the topic now, past the library's cache; undefined where it does not exist. */
export async function describeTopic(
  producer: GuardedProducer,
  topic: string,
  { configs, permissions }: DescribeTopicOptions,
): Promise<TopicDescription | undefined> {
  const answer = await metadataOf(producer, topic, permissions === true);
  if (answer === undefined) return undefined;
  const { brokers, found } = answer;
  const settings = configs === true ? await configsOf(producer, topic) : undefined;
  const operations =
    permissions === true && found.topicAuthorizedOperations !== noOperations
      ? operationsOf(found.topicAuthorizedOperations)
      : undefined;
  const partitions = found.partitions
    .map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
      partition: partitionIndex,
      leader: leaderId,
      replicas: replicaNodes,
      inSyncReplicas: isrNodes,
    }))
    .toSorted((a, b) => a.partition - b.partition);
  return {
    partitions,
    leaders: leadersAmong(brokers, partitions),
    ...(settings === undefined ? {} : { configs: settings }),
    ...(operations === undefined ? {} : { authorizedOperations: operations }),
  };
}

/** Resolves when the controller made the topic; rejects with TOPIC_ALREADY_EXISTS where somebody did before. */
export async function createTopic(
  producer: GuardedProducer,
  { topic, partitions, replicationFactor, configs }: NewTopic,
  { timeoutMs, validateOnly }: { readonly timeoutMs: number; readonly validateOnly: boolean },
): Promise<void> {
  const settings = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const request = { name: topic, numPartitions: partitions, replicationFactor, assignments: [], configs: settings };
  await producer.request({ api: 'CreateTopics', arguments: [[request], timeoutMs, validateOnly], to: 'controller' });
}

interface TopicAnswer {
  readonly brokers: metadataV12.MetadataResponse['brokers'];
  readonly found: metadataV12.MetadataResponseTopic;
}

async function metadataOf(
  producer: GuardedProducer,
  topic: string,
  permissions: boolean,
): Promise<TopicAnswer | undefined> {
  const named = ({ brokers, topics }: metadataV12.MetadataResponse): TopicAnswer | undefined => {
    const found = topics.find(({ name }) => name === topic);
    return found && { brokers, found };
  };
  try {
    return named(
      await producer.request<metadataV12.MetadataResponse>({
        api: 'Metadata',
        arguments: [[topic], false, permissions],
        to: 'any',
      }),
    );
  } catch (error) {
    if (findErrorBy(error as Error, 'apiId', 'UNKNOWN_TOPIC_OR_PARTITION') !== null) return undefined;
    throw error;
  }
}

async function configsOf(
  producer: GuardedProducer,
  topic: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: null };
    const { results } = await producer.request<describeConfigsV4.DescribeConfigsResponse>({
      api: 'DescribeConfigs',
      arguments: [[resource], false, false],
      to: 'any',
    });
    return Object.fromEntries(
      results.flatMap(({ configs }) =>
        configs.flatMap(({ name, value }) => (typeof value === 'string' ? [[name, value] as const] : [])),
      ),
    );
  } catch (error) {
    if (findErrorBy(error as Error, 'apiId', 'TOPIC_AUTHORIZATION_FAILED') !== null) return undefined;
    throw error;
  }
}

/** The broker sets one bit for each operation, by Kafka's number of it. */
function operationsOf(bits: number): readonly string[] {
  return Object.entries(AclOperations).flatMap(([name, number]) => (((bits >> number) & 1) === 1 ? [name] : []));
}
