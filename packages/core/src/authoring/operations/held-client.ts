import { SinkError } from '../../contract/errors/errors.ts';
import { createEnding, type Ending } from './ending.ts';

export interface HeldClientOptions<Client> {
  readonly sinkType: string;
  /** Whom the client talks to, for messages: `Kafka`. */
  readonly server: string;
  /** Does no I/O. */
  readonly make: () => Client;
  /** Asks for credentials now, so that a client made anew has those that were rotated. */
  readonly connect: (client: Client) => Promise<unknown>;
  /** Ends every connection at once, after which pending calls settle and nothing is left; may be called while `connect` runs. */
  readonly destroy: (client: Client) => Promise<unknown>;
  /** Whether the client must not be used again after the error. Default: after every error of a call. */
  readonly isFatal?: (error: unknown) => boolean;
}

/** One client for many operations, made when it is needed and replaced as a whole. */
export interface HeldClient<Client> {
  /** The client, connected once for all who ask. When the last of those who wait for that leaves, it is given up. */
  connected(waiting: Ending): Promise<ClientLease<Client>>;
  /** One call of the connected client. */
  use<T>(waiting: Ending, work: (client: Client) => Promise<T>): Promise<T>;
  /** The next operation has a new client; what runs on this one may end. For a secret that was rotated. */
  replace(): void;
  /** Gives the client up and waits until nothing of it, and of those before it, is left. */
  close(): Promise<void>;
}

/** A connected client that others use as well. */
export interface ClientLease<Client> {
  /** A call of the client; rejects with UNAVAILABLE as soon as the client is given up. After a fatal error the client is retired. */
  call<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** Waits for what others wait for as well. When the last of them leaves, a client that did not answer is given up. */
  shared<T>(waiting: Ending, promise: Promise<T>): Promise<T>;
  /** Running calls may end, then nothing of it is left. */
  retire(): void;
  /** Every call fails now, and no socket is left. */
  giveUp(): void;
}

export function createHeldClient<Client>(options: HeldClientOptions<Client>): HeldClient<Client> {
  const ending = new Set<Promise<void>>();
  let current: HeldOnce<Client> | undefined;
  let closed = false;

  const make = (): HeldOnce<Client> => {
    const held = holdOnce({
      ...options,
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

  const connected = async (waiting: Ending): Promise<ClientLease<Client>> => {
    if (closed) throw givenUp(options);
    const held = (current ??= make());
    if (held.isConnected()) waiting.throwIfEnded();
    else await held.lease.shared(waiting, held.connect());
    return held.lease;
  };

  return {
    connected,
    use: async (waiting, work) => {
      const lease = await connected(waiting);
      return lease.shared(waiting, lease.call(work));
    },
    replace: () => current?.lease.retire(),
    close: async () => {
      closed = true;
      current?.lease.giveUp();
      await Promise.all(ending);
    },
  };
}

interface HeldOnce<Client> {
  readonly lease: ClientLease<Client>;
  readonly connect: () => Promise<void>;
  readonly isConnected: () => boolean;
}

interface HoldOptions<Client> extends HeldClientOptions<Client> {
  /** Called once, as soon as nobody must use it any more. */
  readonly onRetired: () => void;
  /** Called once, with what settles when nothing of it is left. */
  readonly onDestroyed: (gone: Promise<void>) => void;
}

function holdOnce<Client>(options: HoldOptions<Client>): HeldOnce<Client> {
  const { isFatal = () => true, onRetired, onDestroyed } = options;
  const client = options.make();
  // Not a promise: one that all calls race keeps something of each, and a client lives for months.
  const life = createEnding();
  let state: 'in use' | 'retired' | 'destroyed' = 'in use';
  let calls = 0;
  let waiters = 0;
  let connecting: Promise<void> | undefined;
  let isConnected = false;

  const giveUp = (): void => {
    if (state === 'destroyed') return;
    if (state === 'in use') onRetired();
    state = 'destroyed';
    life.end(givenUp(options));
    onDestroyed(settled(() => options.destroy(client)));
  };
  const retire = (): void => {
    if (state === 'in use') {
      state = 'retired';
      onRetired();
    }
    if (calls === 0) giveUp();
  };
  const call: ClientLease<Client>['call'] = async (work) => {
    life.throwIfEnded();
    calls += 1;
    try {
      return await life.unlessEnded(work(client));
    } catch (error) {
      if (state === 'in use' && isFatal(error)) retire();
      throw error;
    } finally {
      calls -= 1;
      if (state === 'retired' && calls === 0) giveUp();
    }
  };
  const connect = async (): Promise<void> => {
    try {
      await call(options.connect);
      isConnected = true;
    } catch (error) {
      retire();
      throw error;
    }
  };
  return {
    connect: () => (connecting ??= connect()),
    isConnected: () => isConnected,
    lease: {
      call,
      shared: async (waiting, promise) => {
        waiters += 1;
        let answered = false;
        const onAnswer = (): boolean => (answered = true);
        promise.then(onAnswer, onAnswer);
        try {
          return await waiting.unlessEnded(promise);
        } finally {
          waiters -= 1;
          // A client that has answered stays: other operations may be using it.
          if (waiting.ended !== undefined && !answered && waiters === 0 && calls > 0) giveUp();
        }
      },
      retire,
      giveUp,
    },
  };
}

async function settled(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch {
    // A client that could not be closed is not used any more either.
  }
}

function givenUp({ sinkType, server }: Pick<HeldClientOptions<unknown>, 'sinkType' | 'server'>): SinkError {
  return new SinkError(
    'UNAVAILABLE',
    `The connection to ${server} was given up, for it did not answer in time or the sink was closed.`,
    { sinkType },
  );
}
