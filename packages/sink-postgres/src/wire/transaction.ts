import type { Client } from 'pg';

/** A client that runs statements; a `pg.Client` or one of its pool. */
export type Queryable = Pick<Client, 'query'>;

/**
 * What is named without a schema is PostgreSQL's own: whoever may create in a schema of the user's search_path could else put an operator or a
 * type of theirs in its place, which would run with the rights of the sink. `pg_temp` stands last, or it would come first.
 */
export const trustedNames = 'SET LOCAL search_path = pg_catalog, pg_temp';

export interface TransactionOptions {
  readonly readOnly?: boolean;
  /** `SET LOCAL` statements: behind PgBouncer a plain SET would reach whoever gets this server connection next. */
  readonly settings?: readonly string[];
}

/** READ COMMITTED, whatever the default of the database: what is read under a lock must be what its last holder left. */
export function beginStatement({ readOnly = false, settings = [] }: TransactionOptions): string {
  return [`BEGIN ISOLATION LEVEL READ COMMITTED${readOnly ? ' READ ONLY' : ''}`, trustedNames, ...settings].join('; ');
}

/** Commits what `run` returned from, rolls back what it threw from. */
export async function inTransaction<T>(
  client: Queryable,
  options: TransactionOptions,
  run: () => Promise<T>,
): Promise<T> {
  await client.query(beginStatement(options));
  try {
    const result = await run();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A client that cannot roll back is broken, which the first error tells as well.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
