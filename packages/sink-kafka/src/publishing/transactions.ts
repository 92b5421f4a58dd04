import { SinkError } from '@kollect/core';
import { createEnding, type ClientLease, type HeldClient, type OperationScope } from '@kollect/core/authoring';
import type { KafkaClient } from '../kafka-client.ts';
import type { Delivery } from './publication.ts';

export interface TransactionsOptions {
  /** Makes nothing yet; a new client of the same id ends what the last one left open. */
  readonly hold: (transactionalId: string) => HeldClient<KafkaClient>;
  /** What the ids begin with. */
  readonly idPrefix: string;
}

/**
 * Transactions of one partition each, one at a time there. Each partition has a client and a transactional id of its own: a transaction that
 * touched a partition whose leader is gone cannot end before it is back, and until then its id begins no other.
 */
export interface Transactions {
  run(partition: number, scope: OperationScope, work: (client: Pick<KafkaClient, 'send'>) => Promise<void>): Delivery;
  /** Ends what was left open, and every client. */
  close(): Promise<void>;
}

/** How long ending what was left open may take: the brokers do it after a minute in any case. */
const abortMs = 2_000;
/** Clients that rest; each has a connection to two brokers or three. */
const maxIdle = 12;

/** The transactions of one partition. */
interface Track {
  readonly clients: HeldClient<KafkaClient>;
  running: Promise<unknown> | undefined;
  /** Messages went out, and nobody knows that their transaction ended: consumers of what is committed wait for it. */
  leftOpen: boolean;
  ending: Promise<void> | undefined;
}

export function createTransactions({ hold, idPrefix }: TransactionsOptions): Transactions {
  // In the order of their last use.
  const tracks = new Map<number, Track>();

  const trackOf = (partition: number): Track => {
    const track = tracks.get(partition) ?? {
      clients: hold(`${idPrefix}-${String(partition)}`),
      running: undefined,
      leftOpen: false,
      ending: undefined,
    };
    tracks.delete(partition);
    tracks.set(partition, track);
    return track;
  };

  const endWhatIsOpen = (track: Track): Promise<void> =>
    (track.ending ??= untilEnded(track).finally(() => (track.ending = undefined)));

  const closeSomeIdle = (): void => {
    const idle = [...tracks].filter(([, { running, leftOpen, ending }]) => !(running ?? ending ?? leftOpen));
    for (const [partition, { clients }] of idle.slice(0, Math.max(0, idle.length - maxIdle))) {
      tracks.delete(partition);
      void clients.close();
    }
  };

  return {
    run: (partition, scope, work) => {
      const track = trackOf(partition);
      let lease: ClientLease<KafkaClient> | undefined;
      const attempt = async (): Promise<void> => {
        // Its new client would be fenced by the one that ends the last transaction.
        if (track.ending !== undefined) await scope.unlessEnded(track.ending);
        lease = await track.clients.connected(scope);
        try {
          await lease.call((client) =>
            client.transaction((send) => {
              track.leftOpen = true;
              return work({ send });
            }),
          );
          track.leftOpen = false;
        } catch (error) {
          if (track.leftOpen) void endWhatIsOpen(track);
          throw error;
        }
      };
      const done = attempt();
      const running = done.then(noop, noop).finally(() => {
        if (track.running === running) track.running = undefined;
        closeSomeIdle();
      });
      track.running = running;
      return { done, giveUp: () => lease?.giveUp() };
    },
    close: async () => {
      await Promise.all(
        [...tracks.values()].map(async (track) => {
          await track.running;
          if (track.leftOpen) await endWhatIsOpen(track);
          await track.clients.close();
        }),
      );
    },
  };
}

/** A client that comes after the one that left a transaction open ends that before it begins one: here, an empty one. Never rejects. */
async function untilEnded(track: Track): Promise<void> {
  const limit = createEnding();
  const timer = setTimeout(() => limit.end(gaveUp()), abortMs);
  try {
    await track.clients.use(limit, (client) => client.transaction(() => Promise.resolve()));
    track.leftOpen = false;
  } catch {
    // The next transaction of the partition ends it, or the close of the sink, or the brokers after its time limit.
  } finally {
    clearTimeout(timer);
  }
}

function gaveUp(): SinkError {
  return new SinkError('TIMEOUT', `Ending a transaction took longer than ${String(abortMs)} ms.`, {
    sinkType: 'kafka',
  });
}

function noop(): void {}
