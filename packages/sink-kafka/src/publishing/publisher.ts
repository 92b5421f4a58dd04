import type { HeldClient } from '@kollect/core/authoring';
import type { KafkaClient } from '../kafka-client.ts';
import type { ResolvedKafkaSpec } from '../kafka-spec.ts';
import { kafkaSpecSchema } from '../kafka-spec-schema.ts';
import { createPartitionLane, type LaneOptions, type PartitionLane } from './partition-lane.ts';
import { partitionFor } from './partitioner.ts';
import type { Delivery, Publication } from './publication.ts';
import type { TopicStates } from './topic-state.ts';
import type { Transactions } from './transactions.ts';

export interface PublisherOptions {
  readonly spec: Pick<ResolvedKafkaSpec, 'topic' | 'maxMessageBytes'>;
  readonly clients: HeldClient<KafkaClient>;
  readonly topics: TopicStates;
  /** Where parts of a snapshot become visible together; absent: they do not. */
  readonly transactions?: Transactions | undefined;
}

export interface Publisher {
  /** Publishes in the order of the calls for one partition, and resolves to that one; undefined where the publication was no longer current at its turn. */
  publish(publication: Publication): Promise<number | undefined>;
}

/** Below what a topic takes unless it was set otherwise. */
const usualBatchBytes = kafkaSpecSchema.properties.maxMessageBytes.default;

/** A lane for each partition in use. */
export function createPublisher({ spec, clients, topics, transactions }: PublisherOptions): Publisher {
  const lanes = new Map<number, PartitionLane>();

  // One call of the client from the first part to the last: one that another partition had to retire stays until they are out.
  const sendTogether = (
    { scope }: Publication,
    work: (client: Pick<KafkaClient, 'send'>) => Promise<void>,
  ): Delivery => {
    let giveUp = (): void => undefined;
    const start = async (): Promise<void> => {
      const lease = await clients.connected(scope);
      giveUp = () => lease.giveUp();
      await lease.call(work);
    };
    return { done: start(), giveUp: () => giveUp() };
  };

  const laneOf = (partition: number): PartitionLane => {
    const known = lanes.get(partition);
    if (known !== undefined) return known;
    const sendParts: LaneOptions['sendParts'] = (publication, send) => {
      const { scope, records } = publication;
      const work = async (client: Pick<KafkaClient, 'send'>): Promise<void> => {
        for (const record of records()) {
          scope.throwIfEnded();
          await send(client, record);
        }
      };
      return transactions === undefined ? sendTogether(publication, work) : transactions.run(partition, scope, work);
    };
    const lane = createPartitionLane({
      topic: spec.topic,
      partition,
      clients,
      look: topics.current,
      maxBatchBytes: ({ maxBatchBytes = usualBatchBytes }) => Math.min(maxBatchBytes, spec.maxMessageBytes),
      sendParts,
      onIdle: () => lanes.delete(partition),
    });
    lanes.set(partition, lane);
    return lane;
  };

  return {
    publish: async (publication) => {
      for (;;) {
        const { partitions } = await topics.known(publication.scope);
        const partition = partitionFor(publication.key, partitions);
        const outcome = await laneOf(partition).publish(publication);
        if (outcome !== 'moved') return outcome === 'sent' ? partition : undefined;
      }
    },
  };
}
