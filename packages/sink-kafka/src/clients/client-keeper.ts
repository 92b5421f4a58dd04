import type { Attempt } from '../publishing/attempt.ts';
import { holdClient, type HeldClient } from './held-client.ts';
import type { KafkaClient } from '../kafka-client.ts';

/** One client at a time, made when it is needed and replaced after a failure. */
export interface ClientKeeper {
  /** The client, connected. */
  connected(attempt: Attempt): Promise<HeldClient>;
  /** Gives the client up and waits until nothing of it, and of those before it, is left. */
  close(): Promise<void>;
}

export interface ClientKeeperOptions {
  readonly makeClient: () => KafkaClient;
  /** What a client does not connect without. */
  readonly beforeConnect: () => Promise<unknown>;
}

export function createClientKeeper({ makeClient, beforeConnect }: ClientKeeperOptions): ClientKeeper {
  const ending = new Set<Promise<void>>();
  let current: HeldClient | undefined;

  const make = (): HeldClient => {
    const held = holdClient({
      client: makeClient(),
      beforeConnect,
      onRetired: () => {
        if (current === held) current = undefined;
      },
      onDestroyed: (gone) => {
        const forgotten = gone.finally(() => ending.delete(forgotten));
        ending.add(forgotten);
      },
    });
    return held;
  };

  return {
    connected: async (attempt) => {
      const held = (current ??= make());
      await held.shared(attempt, held.connect());
      return held;
    },
    close: async () => {
      current?.giveUp();
      await Promise.all(ending);
    },
  };
}
