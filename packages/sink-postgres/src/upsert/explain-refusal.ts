import { SinkError, type InventorySnapshot, type SealedItem } from '@kollect/core';
import { showText, type OperationScope } from '@kollect/core/authoring';
import { sqlStateOf } from '../postgres-errors.ts';
import { quoteIdentifier, type TableNames } from '../schema/table-names.ts';
import type { Session, SessionRunner } from '../wire/session.ts';
import type { RefusedItems } from './refused-items.ts';
import type { RowWrites } from './row-writes.ts';

export interface Explaining {
  readonly runner: SessionRunner;
  readonly scope: OperationScope;
  readonly names: TableNames;
  readonly writes: RowWrites;
  readonly snapshot: InventorySnapshot;
}

/** The error with the item that caused it, found by writing parts of what was refused and taking all of it back. */
export async function explainRefusal(
  error: SinkError,
  refused: RefusedItems,
  explaining: Explaining,
): Promise<SinkError> {
  const { runner, scope } = explaining;
  try {
    const explain = async (session: Session): Promise<SinkError> => {
      const unique = refused.sqlState === '23505' ? await foreignIndex(session, refused) : undefined;
      if (refused.sqlState === '23505' && unique === undefined) return error;
      const encoding = refused.sqlState === '22P05' ? await databaseEncoding(session) : undefined;
      const item = await offender(session, refused, explaining);
      const culprit = item === undefined ? 'one of the items' : describe(item);
      if (unique !== undefined) return uniqueIndex(unique, culprit, explaining.names);
      if (encoding !== undefined && encoding.name !== 'UTF8') return unencodable(encoding, culprit);
      return item === undefined ? error : naming(error, culprit);
    };
    return await runner.transaction(scope, explain, { discard: true });
  } catch (thrown) {
    // What was wrong is known already, and only its item is not.
    return SinkError.isInstance(thrown) && (thrown.code === 'ABORTED' || thrown.code === 'TIMEOUT') ? thrown : error;
  }
}

async function offender(
  session: Session,
  { sqlState, items }: RefusedItems,
  { writes, snapshot }: Explaining,
): Promise<SealedItem | undefined> {
  const refuses = async (some: readonly SealedItem[]): Promise<boolean> => {
    await session.setting('SAVEPOINT attempt');
    try {
      await writes.upsert(session, snapshot, some, { skipEqual: false, triggers: false });
      return false;
    } catch (error) {
      if (sqlStateOf(error) === undefined) throw error;
      return sqlStateOf(error) === sqlState;
    } finally {
      await session.setting('ROLLBACK TO attempt');
    }
  };
  if (items.length > 1 && !(await refuses(items))) return undefined;
  // Two items may be refused together alone: the last of the shortest refused beginning is the one, with those before it.
  let accepted = 0;
  let refused = items.length;
  while (refused - accepted > 1) {
    const middle = (accepted + refused) >> 1;
    if (await refuses(items.slice(0, middle))) refused = middle;
    else accepted = middle;
  }
  return items[refused - 1];
}

/** Name of the unique index that refused a row, where it is none of the sink's. */
async function foreignIndex(session: Session, { schema, constraint }: RefusedItems): Promise<string | undefined> {
  if (schema === undefined || constraint === undefined) return undefined;
  const { rows } = await session.query(
    `SELECT i.indisprimary FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1::name AND c.relname = $2::name`,
    [schema, constraint],
  );
  return rows[0]?.[0] === false ? constraint : undefined;
}

interface DatabaseEncoding {
  readonly database: string;
  readonly name: string;
}

async function databaseEncoding(session: Session): Promise<DatabaseEncoding> {
  const { rows } = await session.query("SELECT current_database()::text, current_setting('server_encoding')");
  return { database: String(rows[0]?.[0]), name: String(rows[0]?.[1]) };
}

function uniqueIndex(index: string, culprit: string, { table }: TableNames): SinkError {
  const remedy = 'Drop the index, or make it one that is not unique.';
  return new SinkError(
    'SCHEMA_MISMATCH',
    `Unique index ${quoteIdentifier(index)} on ${table}, which is none of the sink's, refused ${culprit}. Nothing was written. ${remedy}`,
    { sinkType: 'postgres', operation: 'export', remedy },
  );
}

function unencodable({ database, name }: DatabaseEncoding, culprit: string): SinkError {
  const remedy = 'Use a database of encoding UTF8.';
  return new SinkError(
    'SNAPSHOT_INVALID',
    `Database ${showText(database)} is of encoding ${name}, which lacks a character of ${culprit}. Nothing was written. ${remedy}`,
    { sinkType: 'postgres', operation: 'export', remedy },
  );
}

function naming(error: SinkError, culprit: string): SinkError {
  const { code, message, retryable, remedy } = error;
  const found = remedy !== undefined && message.endsWith(remedy) ? message.slice(0, -remedy.length).trimEnd() : message;
  return new SinkError(code, [found, `It is ${culprit}.`, ...(remedy === undefined ? [] : [remedy])].join(' '), {
    sinkType: 'postgres',
    operation: 'export',
    retryable,
    remedy,
  });
}

function describe({ kind, namespace, name, uid }: SealedItem): string {
  const where = namespace === '' ? name : `${namespace}/${name}`;
  return `item ${kind} ${showText(where)} (uid ${showText(uid)})`;
}
