import {
  createEnding,
  type ClientLease,
  type Ending,
  type HeldClient,
  type OperationScope,
  type OwnedEnding,
} from '@kollect/core/authoring';
import type { KafkaClient, KafkaRecord } from '../kafka-client.ts';
import { protocolCodeIn } from '../kafka-errors.ts';
import { partitionFor } from './partitioner.ts';
import type { Delivery, Publication } from './publication.ts';
import { recordSize } from './record-size.ts';
import type { TopicState } from './topic-state.ts';

export interface LaneOptions {
  readonly topic: string;
  readonly partition: number;
  readonly clients: HeldClient<KafkaClient>;
  /** The topic as it is; `anew`: read now. */
  readonly look: (waiting: Ending, options: { readonly anew: boolean }) => Promise<TopicState>;
  /** What a request of several exports may hold: as much as the topic surely takes. */
  readonly maxBatchBytes: (topic: TopicState) => number;
  /** Sends several messages, each in a request of its own, or in one transaction. */
  readonly sendParts: (
    publication: Publication,
    send: (client: Pick<KafkaClient, 'send'>, record: KafkaRecord) => Promise<void>,
  ) => Delivery;
  readonly onIdle: () => void;
}

/** `superseded`: nothing was sent, for the store got a newer one meanwhile; `moved`: nothing was sent, for its key belongs to another partition now. */
export type LaneOutcome = 'sent' | 'superseded' | 'moved';

/** One partition: at most one request in flight, in the order of the calls, which concurrent requests of a client do not keep. */
export interface PartitionLane {
  /** Rejects with what the client rejected with, or what ended its operation. */
  publish(publication: Publication): Promise<LaneOutcome>;
}

interface Waiting {
  readonly publication: Publication;
  readonly settle: (outcome: LaneOutcome) => void;
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

export function createPartitionLane(options: LaneOptions): PartitionLane {
  const { topic, partition, clients, look, maxBatchBytes, sendParts, onIdle } = options;
  const queue: Waiting[] = [];
  let running = false;
  /** Ends the wait for client and topic when nobody is left in the queue. */
  let connecting: OwnedEnding | undefined;

  const sendBatch = (client: Pick<KafkaClient, 'send'>, records: readonly KafkaRecord[]): Promise<void> =>
    client.send({ topic, partition, records });

  /** From the head of the queue: whole exports of one message each that fit one request, or one export of several. */
  const take = (state: TopicState, anew: boolean): readonly Waiting[] => {
    const taken: Waiting[] = [];
    const keys = new Set<string>();
    const most = maxBatchBytes(state);
    let bytes = 0;
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      const { publication } = next;
      if (!publication.isCurrent() || partitionFor(publication.key, state.partitions) !== partition) {
        queue.shift();
        next.settle(publication.isCurrent() ? 'moved' : 'superseded');
        continue;
      }
      if (publication.total > 1) {
        // Its turn comes with a look at the topic of its own.
        if (taken.length > 0 || !anew) break;
        queue.shift();
        const refusal = publication.refusal(state);
        if (refusal === undefined) return [next];
        next.fail(refusal);
        continue;
      }
      try {
        next.record ??= first(publication.records());
      } catch (error) {
        queue.shift();
        next.fail(error);
        continue;
      }
      bytes += recordSize(next.record);
      const key = Buffer.from(next.record.key).toString();
      // Whether the next one of an inventory is current is known when the one before it has its answer.
      if ((bytes > most || next.alone === true || keys.has(key)) && taken.length > 0) break;
      taken.push(next);
      keys.add(key);
      queue.shift();
      if (next.alone === true) break;
    }
    return taken;
  };

  const deliver = (taken: readonly Waiting[], lease: ClientLease<KafkaClient>): Delivery => {
    const [only] = taken;
    if (only !== undefined && only.publication.total > 1)
      return sendParts(only.publication, (client, record) => sendBatch(client, [record]));
    const records = taken.flatMap(({ record }) => (record === undefined ? [] : [record]));
    return { done: lease.call((client) => sendBatch(client, records)), giveUp: () => lease.giveUp() };
  };

  const turn = async (): Promise<void> => {
    const waiting = (connecting = createEnding());
    const anew = (queue[0]?.publication.total ?? 1) > 1;
    let state: TopicState;
    let lease: ClientLease<KafkaClient>;
    try {
      state = await look(waiting, { anew });
      lease = await clients.connected(waiting);
    } catch (error) {
      // Where all left, whoever came since had no part in it.
      if (waiting.ended === undefined) for (const { fail } of queue.splice(0)) fail(error);
      return;
    } finally {
      connecting = undefined;
    }
    const taken = take(state, anew);
    if (taken.length === 0) return;
    const { done, giveUp } = deliver(taken, lease);
    const isSharedRefusal = (error: unknown): boolean => taken.length > 1 && contentRefusals.has(protocolCodeIn(error));
    let staying = taken.length;
    const onLeave = (): void => {
      staying -= 1;
      // A request that others wait for is theirs.
      if (staying === 0) giveUp();
    };
    for (const { publication, settle, fail } of taken) {
      const { scope } = publication;
      follow(scope, done, onLeave).then(
        () => settle('sent'),
        (error: unknown) => {
          if (scope.ended !== undefined || !isSharedRefusal(error)) fail(error);
        },
      );
    }
    try {
      await done;
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
      new Promise<LaneOutcome>((resolve, reject) => {
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

/** Resolves once the delivery ends. Past the time limit it is left at once; aborted, it may end by itself for a moment. */
function follow(scope: OperationScope, delivery: Promise<void>, onLeave: () => void): Promise<void> {
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
        resolve();
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
