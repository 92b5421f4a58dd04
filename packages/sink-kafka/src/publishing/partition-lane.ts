import type { SinkError } from '@kollect/core';
import type { Attempt } from './attempt.ts';
import type { ClientKeeper } from '../clients/client-keeper.ts';
import type { HeldClient } from '../clients/held-client.ts';
import type { KafkaClient, KafkaRecord } from '../kafka-client.ts';
import { protocolCodeIn } from '../kafka-errors.ts';
import { recordSize } from './record-size.ts';

/** The messages of one export, or of one removal. */
export interface Publication {
  readonly attempt: Attempt;
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
  readonly keeper: ClientKeeper;
  /** Sends several messages, each in a request of its own, or in one transaction. */
  readonly sendParts: (
    held: HeldClient,
    publication: Publication,
    send: (client: Pick<KafkaClient, 'send'>, record: KafkaRecord) => Promise<void>,
  ) => Promise<void>;
  readonly onIdle: () => void;
}

/** One partition: at most one request in flight, in the order of the calls, which concurrent requests of a client do not keep. */
export interface PartitionLane {
  /** Resolves to whether the messages were sent and acknowledged. Rejects with what the client rejected with, or the attempt's reason. */
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

export function createPartitionLane({ topic, partition, keeper, sendParts, onIdle }: LaneOptions): PartitionLane {
  const queue: Waiting[] = [];
  let running = false;
  /** Ends the wait for a client when nobody is left in the queue. */
  let connecting: AbortController | undefined;

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

  const deliver = async (held: HeldClient, taken: readonly Waiting[]): Promise<void> => {
    const [only] = taken;
    if (only !== undefined && only.publication.total > 1) {
      return sendParts(held, only.publication, (client, record) => sendBatch(client, [record]));
    }
    const records = taken.flatMap(({ record }) => (record === undefined ? [] : [record]));
    return held.call((client) => sendBatch(client, records));
  };

  const turn = async (): Promise<void> => {
    connecting = new AbortController();
    let held: HeldClient;
    try {
      held = await keeper.connected({ signal: connecting.signal });
    } catch (error) {
      for (const { fail } of queue.splice(0)) fail(error);
      return;
    } finally {
      connecting = undefined;
    }
    const taken = take();
    if (taken.length === 0) return;
    const delivery = deliver(held, taken);
    const isSharedRefusal = (error: unknown): boolean => taken.length > 1 && contentRefusals.has(protocolCodeIn(error));
    let staying = taken.length;
    const onLeave = (): void => {
      staying -= 1;
      // A request that others wait for is theirs.
      if (staying === 0) held.giveUp();
    };
    for (const { publication, settle, fail } of taken) {
      const { attempt } = publication;
      follow(attempt, delivery, onLeave).then(settle, (error: unknown) => {
        if (attempt.signal.aborted || !isSharedRefusal(error)) fail(error);
      });
    }
    try {
      await delivery;
      for (const { publication } of taken) publication.onAcknowledged();
    } catch (error) {
      held.retire();
      if (!isSharedRefusal(error)) return;
      // For one of them, or for the size of all: each goes again by itself, in the same order and before those that came later.
      const again = taken.filter(({ publication }) => !publication.attempt.signal.aborted);
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
        const { signal } = publication.attempt;
        const leave = (): void => {
          const at = queue.indexOf(waiting);
          if (at === -1) return;
          queue.splice(at, 1);
          waiting.fail(signal.reason);
          if (queue.length === 0) connecting?.abort(signal.reason);
        };
        const done = (): void => signal.removeEventListener('abort', leave);
        const waiting: Waiting = {
          publication,
          settle: (outcome) => {
            done();
            resolve(outcome);
          },
          fail: (error) => {
            done();
            reject(error);
          },
        };
        if (signal.aborted) return waiting.fail(signal.reason);
        signal.addEventListener('abort', leave, { once: true });
        queue.push(waiting);
        if (!running) void run();
      }),
  };
}

/** True once the delivery ends. Past the time limit it is left at once; aborted, it may end by itself for a moment. */
async function follow({ signal }: Attempt, delivery: Promise<void>, onLeave: () => void): Promise<boolean> {
  const outcome = delivery.then(() => true);
  let onAbort: () => void = () => undefined;
  let grace: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    const leave = (): void => {
      reject(signal.reason as SinkError);
      onLeave();
    };
    onAbort = () => {
      if ((signal.reason as SinkError).code === 'TIMEOUT') leave();
      else grace = setTimeout(leave, graceMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([outcome, ended]);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearTimeout(grace);
    signal.removeEventListener('abort', onAbort);
  }
}

function first(records: Iterable<KafkaRecord>): KafkaRecord {
  for (const record of records) return record;
  throw new RangeError('An export of one message has none.');
}
