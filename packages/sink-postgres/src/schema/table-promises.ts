import { SinkError } from '@kollect/core';
import type { Session } from '../wire/session.ts';
import { quoteIdentifier, quoteLiteral, type TableNames } from './table-names.ts';

/** Of a rule `r`: it is enabled and rewrites what is written. */
export const rewritingRules = `r.ev_type <> '1' AND r.ev_enabled <> 'D'`;

/** Of a trigger `t`: it is enabled and runs before each row that is inserted, updated or deleted, so it may keep the row from it. */
export const writingTriggers = `NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype::int & 3 = 3 AND t.tgtype::int & 28 <> 0`;

/**
 * SQL that is true where tables and view are there and keep what is written to them, as every export asks. What is wrong otherwise is found by
 * provisioning, which runs again after a SCHEMA_MISMATCH.
 */
export function soundness({ tableLiteral, exports, current }: TableNames, mode: 'upsert' | 'append'): string {
  const roots = [tableLiteral, quoteLiteral(exports)].map((name) => `to_regclass(${name})::oid`).join(', ');
  const conditions = [
    `(SELECT count(*) = 2 AND bool_and(NOT row_security_active(c.oid)
        AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND ${rewritingRules})
        AND (c.relkind = 'p' OR NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid)))
      FROM pg_class c WHERE c.oid IN (${roots}))`,
    // By their numbers: a join would read all of pg_class, which in a database of many tables is what an unchanged export takes longest for.
    `NOT EXISTS (
       SELECT FROM pg_class c WHERE c.relpersistence <> 'p'
         AND c.oid = ANY (ARRAY[${roots}] || ARRAY(SELECT p.relid::oid FROM pg_partition_tree(to_regclass(${tableLiteral})) p)))`,
    ...(mode === 'upsert' ? [`to_regclass(${quoteLiteral(current)}) IS NOT NULL`] : []),
  ];
  return `(${conditions.join(' AND ')})`;
}

/** SQL that is true where the table or a partition of it has triggers that may keep rows out or change them. */
export function hasWritingTriggers({ tableLiteral }: Pick<TableNames, 'tableLiteral'>): string {
  return `EXISTS (SELECT FROM ${treeOf(tableLiteral)} JOIN pg_trigger t ON t.tgrelid = tree.oid WHERE ${writingTriggers})`;
}

/** A table and its partitions; a table without has no partition tree. */
function treeOf(tableLiteral: string): string {
  const root = `to_regclass(${tableLiteral})`;
  return `(SELECT ${root}::oid AS oid UNION SELECT p.relid::oid FROM pg_partition_tree(${root}) p) tree`;
}

export function unsound(table: string): SinkError {
  const remedy = 'testConnection() names what changed.';
  return new SinkError(
    'SCHEMA_MISMATCH',
    `Table ${table} or what stands beside it does not keep what is written as it should. Nothing was written. ${remedy}`,
    { sinkType: 'postgres', remedy },
  );
}

export interface AskedRows {
  /** SQL of the table. */
  readonly table: string;
  readonly asked: number;
  readonly done: number;
  readonly verb: 'written' | 'deleted';
}

/** Throws SCHEMA_MISMATCH that names the triggers of the table where the server did less than it was asked to. */
export async function requireAllRows(session: Session, { table, asked, done, verb }: AskedRows): Promise<void> {
  if (done >= asked) return;
  const { rows } = await session.query(
    `SELECT DISTINCT t.tgname::text FROM ${treeOf(quoteLiteral(table))} JOIN pg_trigger t ON t.tgrelid = tree.oid WHERE ${writingTriggers} ORDER BY 1`,
  );
  const triggers = rows.slice(0, 3).map(([name]) => quoteIdentifier(String(name)));
  const culprit =
    triggers.length === 0
      ? 'something in the database keeps out or changes the others'
      : `trigger ${triggers.join(' or ')} keeps out or changes the others`;
  const remedy =
    triggers.length === 0
      ? 'Look for rules and triggers on the table.'
      : 'Drop the trigger, or let it return each row as it is.';
  throw new SinkError(
    'SCHEMA_MISMATCH',
    `Of ${String(asked)} rows that were to be ${verb}, ${table} took ${String(done)}: ${culprit}. Nothing was written. ${remedy}`,
    { sinkType: 'postgres', remedy },
  );
}
