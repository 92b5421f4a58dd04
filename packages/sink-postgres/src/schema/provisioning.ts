import { SinkError, type SinkOperation } from '@kollect/core';
import { ddlStatements } from './ddl.ts';
import { postgresError } from '../postgres-errors.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import { namesOfParts, tableDifferences, type Difference } from './table-differences.ts';
import { inspectRelations } from './table-inspection.ts';
import { bareNames, quoteLiteral, tableNames } from './table-names.ts';
import { inTransaction, type Queryable } from '../wire/transaction.ts';

export interface ProvisionOptions {
  /** Looked at between statements, its reason is thrown; ending a running one is up to the owner of the client. */
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
    signal?.throwIfAborted();
    return run();
  };
  try {
    // Mostly all is there: then nobody takes a lock, and no CREATE privilege is needed.
    const differences = await step(() =>
      inTransaction(client, { readOnly: true, settings }, () => findDifferences(client, spec)),
    );
    if (differences.length === 0) return;
    const refusal = refusalOf(spec, differences);
    if (refusal !== undefined) throw refusal;
    await step(() => inTransaction(client, { settings }, () => create(client, spec, step)));
  } catch (error) {
    throw postgresError(error, { operation, doing });
  }
}

export interface InspectedTables {
  /** Every difference between the database and the spec. */
  readonly differences: readonly Difference[];
  /** Names of triggers that may keep rows out of the table or change them. */
  readonly triggers: readonly string[];
}

/** Reads the catalogue alone. */
export async function inspectTables(client: Queryable, spec: ResolvedPostgresSpec): Promise<InspectedTables> {
  const names = bareNames(spec.table);
  const relations = [names.table, names.exports, names.current] as const;
  const found = await inspectRelations(client, spec.schema, relations, namesOfParts(spec));
  const triggers = relations.flatMap((name) => found.relations[name]?.triggers ?? []);
  return { differences: tableDifferences(spec, found), triggers };
}

async function findDifferences(client: Queryable, spec: ResolvedPostgresSpec): Promise<readonly Difference[]> {
  return (await inspectTables(client, spec)).differences;
}

/** Makes what is missing, within the transaction of a rehearsal; but no index of a table with rows, which may take hours and keeps writers out. */
export async function rehearseTables(client: Queryable, spec: ResolvedPostgresSpec): Promise<void> {
  // An export would wait longer, and a test that waits for long is of no use.
  await client.query(`SET LOCAL lock_timeout = ${String(lockTimeoutMs)}; SET LOCAL client_min_messages = warning`);
  const differences = await findDifferences(client, spec);
  if (differences.length === 0) return;
  const refusal = refusalOf(spec, differences);
  if (refusal !== undefined) throw refusal;
  const tableIsThere = differences.every(({ kind }) => kind === 'partial');
  await client.query(advisoryLock(spec));
  for (const statement of ddlStatements(spec))
    if (!tableIsThere || !statement.startsWith('CREATE INDEX')) await client.query(statement);
}

// IF NOT EXISTS alone fails when two processes make the same table at once (23505 on pg_type).
function advisoryLock(spec: ResolvedPostgresSpec): string {
  return `SELECT pg_advisory_xact_lock(hashtextextended(${quoteLiteral(`kollect:${tableNames(spec).table}`)}, 0))`;
}

async function create(
  client: Queryable,
  spec: ResolvedPostgresSpec,
  step: <T>(run: () => Promise<T>) => Promise<T>,
): Promise<void> {
  await step(() => refuseReadOnly(client));
  await step(() => client.query(advisoryLock(spec)));
  if ((await step(() => findDifferences(client, spec))).length === 0) return;
  for (const statement of ddlStatements(spec)) await step(() => client.query(statement));
  const left = await step(() => findDifferences(client, spec));
  if (left.length > 0) throw mismatch(spec, left);
}

/** Before anything is made: a transaction that asked for READ WRITE could create, where every export is refused then. */
async function refuseReadOnly(client: Queryable): Promise<void> {
  const { rows } = await client.query<{ readonly readonly: string; readonly standby: string }>(
    "SELECT current_setting('transaction_read_only') AS readonly, pg_is_in_recovery()::text AS standby",
  );
  if (rows[0]?.readonly === 'off') return;
  throw readOnlyServer(rows[0]?.standby === 'true');
}

/** What an export meets at a standby, or where a setting makes transactions read-only. */
export function readOnlyServer(standby: boolean): SinkError {
  const remedy = standby
    ? 'Point the host at the primary: no export succeeds before this server is promoted.'
    : 'Set default_transaction_read_only to off for the user of the sink, or for the database: no export succeeds before.';
  const what = standby ? 'The server is a standby and takes no writes.' : 'Transactions are read-only by default.';
  return new SinkError('UNAVAILABLE', `${what} Nothing was written. ${remedy}`, { sinkType: 'postgres', remedy });
}

/** Why the sink cannot go on from these differences: what only a person can change, or only the owner of a table; undefined where it can. */
export function refusalOf(spec: ResolvedPostgresSpec, differences: readonly Difference[]): SinkError | undefined {
  if (spec.provisioning === 'existing' || differences.some(({ kind }) => kind === 'wrong'))
    return differences.length === 0 ? undefined : mismatch(spec, differences);
  const ownersAlone = differences.filter(({ needsOwner }) => needsOwner === true);
  if (ownersAlone.length === 0) return undefined;
  const remedy =
    'Run postgresDdl(spec) as the owner of the table, or make the user of the sink a member of the role that owns it.';
  return new SinkError(
    'PERMISSION_DENIED',
    `The user of the sink does not own what it would have to change: ${textsOf(ownersAlone)}. ${remedy}`,
    { sinkType: 'postgres', remedy },
  );
}

/** NOT_FOUND where something is missing that the sink does not make, else SCHEMA_MISMATCH; both with every difference and the remedy. */
function mismatch(spec: ResolvedPostgresSpec, differences: readonly Difference[]): SinkError {
  const noSchema = differences.some(({ text }) => text.startsWith('schema '));
  const missing = noSchema || (spec.provisioning === 'existing' && differences.some(({ kind }) => kind === 'absent'));
  const remedy = noSchema
    ? 'Create the schema and grant USAGE and CREATE on it, or correct spec.postgres.schema.'
    : spec.provisioning === 'existing'
      ? 'Apply what postgresDdl(spec) prints, or change the table to match it.'
      : 'Change the table to match what postgresDdl(spec) prints, or name another table.';
  return new SinkError(
    missing ? 'NOT_FOUND' : 'SCHEMA_MISMATCH',
    `The database differs from what the sink needs: ${textsOf(differences)}. ${remedy}`,
    { sinkType: 'postgres', remedy },
  );
}

function textsOf(differences: readonly Difference[]): string {
  return differences.map(({ text }) => text).join('; ');
}
