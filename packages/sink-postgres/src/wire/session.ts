import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { QueryResult } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { SinkError } from '@kollect/core';
import type { OperationScope, StepLimits } from '@kollect/core/authoring';
import type { ClientPool, PooledConnection } from './client-pool.ts';
import type { PostgresConnection, PostgresContext } from '../postgres-client.ts';
import { isConnectionBroken, postgresError } from '../postgres-errors.ts';
import { readRows } from './read-rows.ts';
import type { SqlRow, SqlValue } from './sql-values.ts';
import { trustedNames, type Queryable } from './transaction.ts';

export interface SqlResult {
  readonly rows: readonly SqlRow[];
  readonly rowCount: number;
}

export interface Session {
  /**
   * Rows as arrays, in the order of the select list. Unnamed statements only: PgBouncer may give each transaction another server.
   * Rejects with the driver's errors; the runner turns what leaves it into SinkErrors.
   */
  query(text: string, values?: readonly SqlValue[]): Promise<SqlResult>;
  /** The same for results of any length: each row is handed over as it arrives, and none is kept. */
  eachRow(text: string, values: readonly SqlValue[], onRow: (row: SqlRow) => void): Promise<void>;
  /** Runs statements that take no parameters and give nothing, such as SET LOCAL, in one round trip. */
  setting(text: string): Promise<void>;
  /** Runs a `COPY … FROM STDIN` and feeds it; the chunks are pulled as fast as the socket takes them. Gives the rows that the server took. */
  copyIn(text: string, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<number>;
}

export interface SessionRunner {
  /** One transaction: commits what `run` returned from, rolls back what it threw from; with `discard` it rolls back in every case. */
  transaction<T>(
    scope: OperationScope,
    run: (session: Session) => Promise<T>,
    options?: { readonly readOnly?: boolean; readonly discard?: boolean },
  ): Promise<T>;
  /** For work that begins its transactions itself; each of its statements has the limits of a session. */
  client<T>(
    options: { readonly scope: OperationScope; readonly doing: string },
    run: (client: Queryable) => Promise<T>,
  ): Promise<T>;
  /**
   * One statement without parameters that commits by itself, in one round trip with the settings of a transaction; it may run twice, where the
   * connection died under the first.
   */
  statement(scope: OperationScope, text: string): Promise<SqlResult>;
}

type Limit = Required<Pick<StepLimits, 'timeoutMs' | 'timeoutField'>>;

/** How long our side waits beyond the server's own statement timeout before it gives the connection up. */
const graceMs = 5_000;

export function createSessionRunner(context: PostgresContext, pool: ClientPool): SessionRunner {
  const { statementTimeoutMs, connectTimeoutMs } = context.spec;
  const limitMs = statementTimeoutMs + graceMs;
  const ofStatement: Limit = { timeoutMs: limitMs, timeoutField: 'spec.postgres.statementTimeout' };
  /** Of what waits for nothing but the network. */
  const ofAnswer: Limit = { timeoutMs: connectTimeoutMs, timeoutField: 'spec.postgres.connectTimeout' };

  // SET LOCAL alone: behind PgBouncer a plain SET would reach whoever gets this server connection next.
  const limits = [
    trustedNames,
    `SET LOCAL statement_timeout = ${statementTimeoutMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${limitMs}`,
  ].join('; ');
  const beginWriting = `BEGIN ISOLATION LEVEL READ COMMITTED; ${limits}`;
  const beginReading = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${limits}`;
  // Statements of one simple query are one transaction, which the server ends by itself, also where one of them fails.
  const alone = `SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ${limits}`;

  /** Runs one statement under the scope and a limit of our own; whichever ends it also frees the server's locks. */
  const guard = async <T>(
    { connection }: PooledConnection,
    scope: OperationScope,
    { doing = scope.doing, ...limit }: Limit & { readonly doing?: string },
    start: () => Promise<T>,
  ): Promise<T> => {
    scope.throwIfEnded();
    const statement = start();
    try {
      return await scope.step({ doing, ...limit }, () => statement);
    } catch (error) {
      if (SinkError.isInstance(error)) {
        // Our side gave up. First the request, which PgBouncer can still relate to the session, then the reset, which ends a COPY that waits for data.
        await Promise.race([connection.cancel(), statement.then(noop, noop)]);
        connection.destroy();
      }
      throw scope.ended ?? error;
    }
  };

  const sessionOn = (pooled: PooledConnection, scope: OperationScope): Session => {
    const { client } = pooled.connection;
    return {
      async query(text, values = []) {
        const result: QueryResult<unknown[]> = await guard(pooled, scope, ofStatement, () =>
          client.query<unknown[]>({ text, values: [...values], rowMode: 'array' }),
        );
        return sqlResult(result);
      },
      async eachRow(text, values, onRow) {
        await guard(pooled, scope, ofStatement, () =>
          readRows(pooled.connection, { text, values: [...values] }, onRow),
        );
      },
      async setting(text) {
        await guard(pooled, scope, ofStatement, () => client.query(text));
      },
      async copyIn(text, chunks) {
        const copy = copyFrom(text);
        await guard(pooled, scope, ofStatement, () =>
          pipeline(Readable.from(chunks, { objectMode: true, highWaterMark: 1 }), client.query(copy)),
        );
        return copy.rowCount;
      },
    };
  };

  /**
   * Runs `first` on a pooled connection and, where that one served before and turns out to be dead, once more on a new one:
   * an idle connection that died costs the caller nothing. `first` must be harmless when it runs twice.
   */
  const firstOn = async <T>(
    scope: OperationScope,
    first: (pooled: PooledConnection) => Promise<T>,
  ): Promise<[PooledConnection, T]> => {
    let pooled = await pool.acquire(scope);
    for (;;) {
      try {
        return [pooled, await first(pooled)];
      } catch (error) {
        const dead = pooled.connection.ended || isConnectionBroken(error);
        pool.release(pooled.connection, { discard: dead });
        if (!dead || !pooled.reused || scope.ended !== undefined) throw error;
      }
      pooled = await pool.acquire(scope, { fresh: true });
    }
  };

  return {
    async transaction(scope, run, { readOnly = false, discard = readOnly } = {}) {
      const begin = readOnly ? beginReading : beginWriting;
      const [pooled] = await firstOn(scope, (on) =>
        guard(on, scope, ofAnswer, () => on.connection.client.query(begin)),
      ).catch((error: unknown) => {
        throw postgresError(error, scope);
      });
      let clean = false;
      try {
        const session = sessionOn(pooled, scope);
        const result = await run(session);
        await session.query(discard ? 'ROLLBACK' : 'COMMIT');
        clean = true;
        return result;
      } catch (error) {
        clean = !pooled.connection.ended && (await rolledBack(pooled.connection, scope, connectTimeoutMs));
        throw postgresError(error, scope);
      } finally {
        pool.release(pooled.connection, { discard: !clean });
      }
    },
    async client({ scope, doing }, run) {
      const pooled = await pool.acquire(scope);
      const { client } = pooled.connection;
      let limit = ofAnswer;
      // `pg` types each way to call it apart; a text alone, or one with values, is what comes here.
      const query = (async (text: string, values?: unknown[]) => {
        const answer = await guard(pooled, scope, { ...limit, doing }, () => client.query(text, values));
        // A BEGIN waits for nothing; what comes after it may wait for a lock.
        limit = ofStatement;
        return answer;
      }) as Queryable['query'];
      let clean = false;
      try {
        const result = await run({ query });
        clean = true;
        return result;
      } finally {
        pool.release(pooled.connection, { discard: !clean });
      }
    },
    async statement(scope, text) {
      const run = async (on: PooledConnection): Promise<SqlResult> => {
        // A query may wait for a lock as long as it must; whether anybody is there at all is found out sooner.
        if (on.stale) await guard(on, scope, ofAnswer, () => on.connection.client.query('SELECT'));
        const results: unknown = await guard(on, scope, ofStatement, () =>
          on.connection.client.query<unknown[]>({ text: `${alone}; ${text}`, rowMode: 'array' }),
        );
        return sqlResult((results as QueryResult<unknown[]>[]).at(-1));
      };
      try {
        const [pooled, result] = await firstOn(scope, run);
        pool.release(pooled.connection, { discard: false });
        return result;
      } catch (error) {
        throw postgresError(error, scope);
      }
    },
  };
}

function sqlResult(result: QueryResult<unknown[]> | undefined): SqlResult {
  return { rows: (result?.rows ?? []) as SqlRow[], rowCount: result?.rowCount ?? 0 };
}

/** A failed transaction leaves a clean connection once ROLLBACK was answered. An operation that ended waits for no answer: its connection goes. */
async function rolledBack({ client }: PostgresConnection, scope: OperationScope, timeoutMs: number): Promise<boolean> {
  if (scope.ended !== undefined) return false;
  return scope
    .step({ doing: 'rolling back', timeoutMs }, () => client.query('ROLLBACK'))
    .then(
      () => true,
      () => false,
    );
}

function noop(): void {}
