import type { HeldClient, OperationScope } from '@kollect/core/authoring';
import type { KafkaClient } from '../kafka-client.ts';
import type { ResolvedKafkaSpec } from '../kafka-spec.ts';
import { createPartitionLane, type LaneOptions, type PartitionLane, type Publication } from './partition-lane.ts';

export interface Publisher {
  /** Publishes in the order of the calls for one partition; false where the publication was no longer current at its turn. */
  publish(partition: number, publication: Publication): Promise<boolean>;
}

/** A lane for each partition in use; parts of a snapshot in a transaction where the spec says so. */
export function createPublisher(
  spec: Pick<ResolvedKafkaSpec, 'topic' | 'transactional'>,
  clients: HeldClient<KafkaClient>,
): Publisher {
  const lanes = new Map<number, PartitionLane>();
  let lastTransaction: Promise<void> = Promise.resolve();

  /** A client has one transaction at a time. */
  const inTurn = async <T>(scope: OperationScope, work: () => Promise<T>): Promise<T> => {
    const before = lastTransaction;
    let release: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (release = resolve));
    lastTransaction = before.then(() => mine);
    try {
      await scope.unlessEnded(before);
      return await work();
    } finally {
      release();
    }
  };

  // One call of the client from the first part to the last: one that another partition had to retire stays until they are out.
  const sendParts: LaneOptions['sendParts'] = (lease, { scope, records }, send) =>
    lease.call((client) => {
      const sendAll = async (sendBatch: KafkaClient['send']): Promise<void> => {
        for (const record of records()) {
          scope.throwIfEnded();
          await send({ send: sendBatch }, record);
        }
      };
      return spec.transactional
        ? inTurn(scope, () => client.transaction(sendAll))
        : sendAll((batch) => client.send(batch));
    });

  return {
    publish: (partition, publication) => {
      let lane = lanes.get(partition);
      if (lane === undefined) {
        lane = createPartitionLane({
          topic: spec.topic,
          partition,
          clients,
          sendParts,
          onIdle: () => lanes.delete(partition),
        });
        lanes.set(partition, lane);
      }
      return lane.publish(publication);
    },
  };
}
