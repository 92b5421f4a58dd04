import {
  createEnding,
  type ClientLease,
  type HeldClient,
  type OperationScope,
  type OwnedEnding,
} from '@kollect/core/authoring';
import type { KafkaClient, KafkaRecord } from '../kafka-client.ts';
import { protocolCodeIn } from '../kafka-errors.ts';
import { recordSize } from './record-size.ts';

/** The messages of one export, or of one removal. */
export interface Publication {
  readonly scope: OperationScope;
  /** One message shares a request with those of others; several have the partition alone until the last was acknowledged. */
  readonly total: number;
  /** Made one after another, when it is their turn: parts of a large snapshot are never in memory together. */
  readonly records: () => Iterable<KafkaRecord>;
  /** What a request of several exports may hold: as much as the topic surely takes. */
  readonly maxBatchBytes: number;
  /** False where the store got a newer one while this one waited for its turn: then nothing is sent. */
  readonly isCurrent: () => boolean;
  /** Called as soon as the broker acknowledged all of it, also where nobody waits any more, and before anything else has its turn. */
  readonly onAcknowledged: () => void;
}

export interface LaneOptions {
  readonly topic: string;
  readonly partition: number;
  readonly clients: HeldClient<KafkaClient>;
  /** Sends several messages, each in a request of its own, or in one transaction. */
  readonly sendParts: (
    lease: ClientLease<KafkaClient>,
    publication: Publication,
    send: (client: Pick<KafkaClient, 'send'>, record: KafkaRecord) => Promise<void>,
  ) => Promise<void>;
  readonly onIdle: () => void;
}

/** One partition: at most one request in flight, in the order of the calls, which concurrent requests of a client do not keep. */
export interface PartitionLane {
  /** Resolves to whether the messages were sent and acknowledged. Rejects with what the client rejected with, or what ended its operation. */
  publish(publication: Publication): Promise<boolean>;
}

interface Waiting {
  readonly publication: Publication;
  readonly settle: (outcome: boolean) => void;
  readonly fail: (error: unknown) => void;
  /** Made early to learn its size. */
  record?: KafkaRecord;
  /** The broker refused what it shared a request with. */
  alone?: true;
}

/** A message or a batch too large, a time out of range, a record that the topic does not take: of such a request nothing is written. */
const contentRefusals: ReadonlySet<number | undefined> = new Set([10, 18, 32, 87]);

/** How long an aborted request may take to end by itself, before it is left. */
const graceMs = 200;

export function createPartitionLane({ topic, partition, clients, sendParts, onIdle }: LaneOptions): PartitionLane {
  const queue: Waiting[] = [];
  let running = false;
  /** Ends the wait for a client when nobody is left in the queue. */
  let connecting: OwnedEnding | undefined;

  const sendBatch = (client: Pick<KafkaClient, 'send'>, records: readonly KafkaRecord[]): Promise<void> =>
    client.send({ topic, partition, records });

  /** From the head of the queue: whole exports of one message each that fit one request, or one export of several. */
  const take = (): readonly Waiting[] => {
    const taken: Waiting[] = [];
    const keys = new Set<string>();
    let bytes = 0;
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      if (!next.publication.isCurrent()) {
        queue.shift();
        next.settle(false);
        continue;
      }
      if (next.publication.total > 1) {
        if (taken.length > 0) break;
        queue.shift();
        return [next];
      }
      try {
        next.record ??= first(next.publication.records());
      } catch (error) {
        queue.shift();
        next.fail(error);
        continue;
      }
      bytes += recordSize(next.record);
      const key = Buffer.from(next.record.key).toString();
      // Whether the next one of an inventory is current is known when the one before it has its answer.
      if ((bytes > next.publication.maxBatchBytes || next.alone === true || keys.has(key)) && taken.length > 0) break;
      taken.push(next);
      keys.add(key);
      queue.shift();
      if (next.alone === true) break;
    }
    return taken;
  };

  const deliver = async (lease: ClientLease<KafkaClient>, taken: readonly Waiting[]): Promise<void> => {
    const [only] = taken;
    if (only !== undefined && only.publication.total > 1) {
      return sendParts(lease, only.publication, (client, record) => sendBatch(client, [record]));
    }
    const records = taken.flatMap(({ record }) => (record === undefined ? [] : [record]));
    return lease.call((client) => sendBatch(client, records));
  };

  const turn = async (): Promise<void> => {
    connecting = createEnding();
    let lease: ClientLease<KafkaClient>;
    try {
      lease = await clients.connected(connecting);
    } catch (error) {
      for (const { fail } of queue.splice(0)) fail(error);
      return;
    } finally {
      connecting = undefined;
    }
    const taken = take();
    if (taken.length === 0) return;
    const delivery = deliver(lease, taken);
    const isSharedRefusal = (error: unknown): boolean => taken.length > 1 && contentRefusals.has(protocolCodeIn(error));
    let staying = taken.length;
    const onLeave = (): void => {
      staying -= 1;
      // A request that others wait for is theirs.
      if (staying === 0) lease.giveUp();
    };
    for (const { publication, settle, fail } of taken) {
      const { scope } = publication;
      follow(scope, delivery, onLeave).then(settle, (error: unknown) => {
        if (scope.ended !== undefined || !isSharedRefusal(error)) fail(error);
      });
    }
    try {
      await delivery;
      for (const { publication } of taken) publication.onAcknowledged();
    } catch (error) {
      if (!isSharedRefusal(error)) return;
      // For one of them, or for the size of all: each goes again by itself, in the same order and before those that came later.
      const again = taken.filter(({ publication }) => publication.scope.ended === undefined);
      for (const waiting of again) waiting.alone = true;
      queue.unshift(...again);
    }
  };

  const run = async (): Promise<void> => {
    running = true;
    while (queue.length > 0) await turn();
    running = false;
    onIdle();
  };

  return {
    publish: (publication) =>
      new Promise<boolean>((resolve, reject) => {
        const { scope } = publication;
        if (scope.ended !== undefined) return reject(scope.ended);
        const stay = scope.onEnd((error) => {
          const at = queue.indexOf(waiting);
          if (at === -1) return;
          queue.splice(at, 1);
          waiting.fail(error);
          if (queue.length === 0) connecting?.end(error);
        });
        const waiting: Waiting = {
          publication,
          settle: (outcome) => {
            stay();
            resolve(outcome);
          },
          fail: (error) => {
            stay();
            reject(error);
          },
        };
        queue.push(waiting);
        if (!running) void run();
      }),
  };
}

/** True once the delivery ends. Past the time limit it is left at once; aborted, it may end by itself for a moment. */
function follow(scope: OperationScope, delivery: Promise<void>, onLeave: () => void): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Timeout | undefined;
    const stay = scope.onEnd((error) => {
      const leave = (): void => {
        reject(error);
        onLeave();
      };
      if (error.code === 'TIMEOUT') leave();
      else grace = setTimeout(leave, graceMs);
    });
    const stop = (): void => {
      clearTimeout(grace);
      stay();
    };
    delivery.then(
      () => {
        stop();
        resolve(true);
      },
      (error: unknown) => {
        stop();
        reject(scope.ended ?? error);
      },
    );
  });
}

function first(records: Iterable<KafkaRecord>): KafkaRecord {
  for (const record of records) return record;
  throw new RangeError('An export of one message has none.');
}
