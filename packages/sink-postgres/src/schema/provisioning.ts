import { SinkError, type SinkOperation } from '@kollect/core';
import { ddlStatements } from './ddl.ts';
import { endedBySignal } from '../wire/deadline.ts';
import { postgresError } from '../postgres-errors.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import { tableDifferences, type Difference } from './table-differences.ts';
import { inspectRelations } from './table-inspection.ts';
import { bareNames, quoteLiteral, tableNames } from './table-names.ts';
import { inTransaction, type Queryable } from '../wire/transaction.ts';

export interface ProvisionOptions {
  /** Looked at between statements; ending a running one is up to the owner of the client. */
  readonly signal?: AbortSignal;
  /** Default `open`. */
  readonly operation?: SinkOperation;
}

/** How long a sink waits for another one that makes the same tables, and for exporters to let a new column in. */
const lockTimeoutMs = 15_000;

/**
 * Makes sure that the tables are there and fit. `create` adds what is missing, any number of processes at once; `existing` only looks.
 * Rejects with SCHEMA_MISMATCH that names every difference, or NOT_FOUND where a table is missing. Leaves no transaction open and no session
 * state behind, so it may run through PgBouncer.
 */
export async function provision(
  client: Queryable,
  spec: ResolvedPostgresSpec,
  options: ProvisionOptions = {},
): Promise<void> {
  const { signal, operation = 'open' } = options;
  const settings = [
    `SET LOCAL statement_timeout = ${String(spec.statementTimeoutMs)}`,
    `SET LOCAL lock_timeout = ${String(lockTimeoutMs)}`,
    'SET LOCAL client_min_messages = warning',
  ];
  const doing = `preparing table ${tableNames(spec).table}`;
  const step = async <T>(run: () => Promise<T>): Promise<T> => {
    if (signal?.aborted === true) throw endedBySignal(signal, { operation, doing });
    return run();
  };
  try {
    // Mostly all is there: then nobody takes a lock, and no CREATE privilege is needed.
    const differences = await step(() =>
      inTransaction(client, { readOnly: true, settings }, () => findDifferences(client, spec)),
    );
    if (differences.length === 0) return;
    if (spec.provisioning === 'existing' || differences.some(({ kind }) => kind === 'wrong'))
      throw mismatch(spec, differences);
    await step(() => inTransaction(client, { settings }, () => create(client, spec, step)));
  } catch (error) {
    throw postgresError(error, { operation, doing });
  }
}

/** Every difference between the database and the spec; reads the catalogue alone. */
export async function findDifferences(client: Queryable, spec: ResolvedPostgresSpec): Promise<readonly Difference[]> {
  const names = bareNames(spec.table);
  return tableDifferences(
    spec,
    await inspectRelations(client, spec.schema, [names.table, names.exports, names.current]),
  );
}

async function create(
  client: Queryable,
  spec: ResolvedPostgresSpec,
  step: <T>(run: () => Promise<T>) => Promise<T>,
): Promise<void> {
  // IF NOT EXISTS alone fails when two processes make the same table at once (23505 on pg_type).
  const lockName = quoteLiteral(`kollect:${tableNames(spec).table}`);
  await step(() => client.query(`SELECT pg_advisory_xact_lock(hashtextextended(${lockName}, 0))`));
  if ((await step(() => findDifferences(client, spec))).length === 0) return;
  for (const statement of ddlStatements(spec)) await step(() => client.query(statement));
  const left = await step(() => findDifferences(client, spec));
  if (left.length > 0) throw mismatch(spec, left);
}

/** NOT_FOUND where something is missing as a whole, else SCHEMA_MISMATCH; both with every difference and the remedy. */
export function mismatch(spec: ResolvedPostgresSpec, differences: readonly Difference[]): SinkError {
  const missing = differences.some(({ text, kind }) => kind === 'absent' || text.startsWith('schema '));
  const remedy = differences.some(({ text }) => text.startsWith('schema '))
    ? 'Create the schema and grant USAGE and CREATE on it, or correct spec.postgres.schema.'
    : spec.provisioning === 'existing'
      ? 'Apply what postgresDdl(spec) prints, or change the table to match it.'
      : 'Change the table to match what postgresDdl(spec) prints, or name another table.';
  const found = differences.map(({ text }) => text).join('; ');
  return new SinkError(
    missing ? 'NOT_FOUND' : 'SCHEMA_MISMATCH',
    `The database differs from what the sink needs: ${found}. ${remedy}`,
    { sinkType: 'postgres' },
  );
}
