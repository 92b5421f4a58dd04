import type { OperationScope } from '@kollect/core/authoring';
import { connect, type PostgresConnection, type PostgresContext } from '../postgres-client.ts';

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
  acquire(scope: OperationScope, options?: { readonly fresh?: boolean }): Promise<PooledConnection>;
  /** Gives it back; a discarded one is not used again. */
  release(connection: PostgresConnection, options: { readonly discard: boolean }): void;
  /** Ends what rests, once all operations ended. */
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

export function createClientPool(context: PostgresContext): ClientPool {
  const idle: IdleConnection[] = [];
  const busy = new Set<PostgresConnection>();
  const waiters: (() => void)[] = [];
  let admitted = 0;

  /** Whoever waits first has the place at once: nobody slips in between. */
  const leave = (): void => {
    const next = waiters.shift();
    if (next === undefined) admitted -= 1;
    else next();
  };

  const enter = async (scope: OperationScope): Promise<void> => {
    if (admitted < context.spec.poolSize) {
      admitted += 1;
      return;
    }
    let admit: () => void = () => undefined;
    const turn = new Promise<void>((resolve) => waiters.push((admit = resolve)));
    try {
      await scope.step({ doing: 'waiting for a connection of the pool' }, () => turn);
    } catch (error) {
      const at = waiters.indexOf(admit);
      if (at === -1) leave();
      else waiters.splice(at, 1);
      throw error;
    }
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
    async acquire(scope, { fresh = false } = {}) {
      scope.throwIfEnded();
      await enter(scope);
      try {
        const known = fresh ? undefined : takeIdle();
        const pooled = known ?? { connection: await connect(context, scope), reused: false, stale: false };
        busy.add(pooled.connection);
        return pooled;
      } catch (error) {
        leave();
        throw error;
      }
    },
    release(connection, { discard }) {
      if (!busy.delete(connection)) return;
      if (discard || connection.ended) {
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
      const resting = idle.splice(0);
      for (const { timer } of resting) clearTimeout(timer);
      await Promise.all(resting.map(({ connection }) => connection.end()));
    },
  };
}
