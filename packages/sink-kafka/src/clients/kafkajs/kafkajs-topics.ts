import { leadersAmong } from '../broker-address.ts';
import type { TopicDescription } from '../../kafka-client.ts';
import { typeOf } from './kafkajs-errors.ts';
import type { Broker } from './kafkajs-internals.ts';

const topicResource = 2;

export async function partitionsOf(
  broker: Broker,
  topic: string,
): Promise<Pick<TopicDescription, 'partitions' | 'leaders'> | undefined> {
  try {
    const { brokers, topicMetadata } = await broker.metadata([topic]);
    const found = topicMetadata.find((each) => each.topic === topic)?.partitionMetadata;
    const partitions = found
      ?.map(({ partitionId, leader, replicas, isr }) => ({
        partition: partitionId,
        leader,
        replicas,
        inSyncReplicas: isr,
      }))
      .toSorted((a, b) => a.partition - b.partition);
    return partitions && { partitions, leaders: leadersAmong(brokers, partitions) };
  } catch (error) {
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  }
}

export async function configsOf(broker: Broker, topic: string): Promise<TopicDescription['configs']> {
  try {
    const { resources } = await broker.describeConfigs({ resources: [{ type: topicResource, name: topic }] });
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    return Object.fromEntries(
      entries.flatMap(({ configName, configValue }) => (configValue === null ? [] : [[configName, configValue]])),
    );
  } catch (error) {
    if (typeOf(error).endsWith('_AUTHORIZATION_FAILED')) return undefined;
    throw error;
  }
}

/**
 * kafkajs is too old to ask for permissions. A broker looks at those before it looks for the partition: so a record for one that no topic
 * has is refused for the one reason or for the other, and written nowhere.
 */
export async function permissionsOn(
  broker: Broker,
  topic: string,
  timeout: number,
): Promise<TopicDescription['authorizedOperations']> {
  const messages = [{ key: Buffer.alloc(0), value: Buffer.alloc(0) }];
  try {
    await broker.produce({
      acks: -1,
      timeout,
      topicData: [{ topic, partitions: [{ partition: 2 ** 31 - 1, firstSequence: 0, messages }] }],
    });
    return undefined;
  } catch (error) {
    const type = typeOf(error);
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return ['WRITE'];
    if (type === 'TOPIC_AUTHORIZATION_FAILED') return [];
    if (type === '') throw error;
    return undefined;
  }
}
