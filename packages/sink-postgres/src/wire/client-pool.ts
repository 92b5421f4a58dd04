import { SinkError, type SinkOperation } from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import { connect, type PostgresConnection, type PostgresContext } from '../postgres-client.ts';
import { endedBySignal } from './deadline.ts';

export interface AcquireOptions {
  readonly signal: AbortSignal;
  readonly operation: SinkOperation;
}

export interface PooledConnection {
  readonly connection: PostgresConnection;
  /** It served before, so the server may have gone since. */
  readonly reused: boolean;
  /** It rested so long that a firewall may have forgotten it. */
  readonly stale: boolean;
}

/** At most `spec.poolSize` connections; credentials are asked for at every connect, which `pg.Pool` cannot do. */
export interface ClientPool {
  /** A free connection or a new one; waits for its turn, first come first served. */
  acquire(options: AcquireOptions & { readonly fresh?: boolean }): Promise<PooledConnection>;
  /** Gives it back; a discarded one is not used again. */
  release(connection: PostgresConnection, options: { readonly discard: boolean }): void;
  /** Ends every connection and refuses those who wait. */
  close(): Promise<void>;
}

/** An idle connection costs the server a process: after this it goes. */
const idleLimitMs = 60_000;
const staleAfterMs = 10_000;

interface IdleConnection {
  readonly connection: PostgresConnection;
  readonly since: number;
  readonly timer: NodeJS.Timeout;
}

interface Waiter {
  admit(): void;
  refuse(error: SinkError): void;
}

export function createClientPool(context: PostgresContext): ClientPool {
  const idle: IdleConnection[] = [];
  const busy = new Set<PostgresConnection>();
  const waiters: Waiter[] = [];
  let admitted = 0;
  let closed = false;

  const closedError = (operation?: SinkOperation): SinkError =>
    new SinkError('ABORTED', `The sink ${showText(context.name)} is closed.`, { sinkType: 'postgres', operation });

  const leave = (): void => {
    admitted -= 1;
    waiters.shift()?.admit();
  };

  const enter = ({ signal, operation }: AcquireOptions): Promise<void> => {
    if (admitted < context.spec.poolSize) {
      admitted += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const settle = (): void => signal.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        admit: () => {
          settle();
          admitted += 1;
          resolve();
        },
        refuse: (error) => {
          settle();
          reject(error);
        },
      };
      const onAbort = (): void => {
        waiters.splice(waiters.indexOf(waiter), 1);
        waiter.refuse(endedBySignal(signal, { operation, doing: 'waiting for a connection of the pool' }));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      waiters.push(waiter);
    });
  };

  const takeIdle = (): PooledConnection | undefined => {
    for (let candidate = idle.pop(); candidate !== undefined; candidate = idle.pop()) {
      clearTimeout(candidate.timer);
      const { connection, since } = candidate;
      if (!connection.ended) return { connection, reused: true, stale: performance.now() - since > staleAfterMs };
      connection.destroy();
    }
    return undefined;
  };

  return {
    async acquire({ signal, operation, fresh = false }) {
      if (closed) throw closedError(operation);
      if (signal.aborted) throw endedBySignal(signal, { operation, doing: 'waiting for a connection of the pool' });
      await enter({ signal, operation });
      try {
        const known = fresh ? undefined : takeIdle();
        const pooled = known ?? {
          connection: await connect(context, { signal, operation }),
          reused: false,
          stale: false,
        };
        if (closed) {
          pooled.connection.destroy();
          throw closedError(operation);
        }
        busy.add(pooled.connection);
        return pooled;
      } catch (error) {
        leave();
        throw error;
      }
    },
    release(connection, { discard }) {
      if (!busy.delete(connection)) return;
      if (discard || closed || connection.ended) {
        connection.destroy();
      } else {
        const timer = setTimeout(() => {
          idle.splice(
            idle.findIndex((entry) => entry.connection === connection),
            1,
          );
          void connection.end();
        }, idleLimitMs);
        idle.push({ connection, since: performance.now(), timer: timer.unref() });
      }
      leave();
    },
    async close() {
      closed = true;
      for (const waiter of waiters.splice(0)) waiter.refuse(closedError());
      for (const connection of busy) {
        void connection.cancel().finally(() => connection.destroy());
      }
      const resting = idle.splice(0);
      for (const { timer } of resting) clearTimeout(timer);
      await Promise.all(resting.map(({ connection }) => connection.end()));
    },
  };
}
