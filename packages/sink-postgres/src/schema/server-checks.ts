import { SinkError } from '@kollect/core';
import { showText, type Finding } from '@kollect/core/authoring';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import { inspectTables, readOnlyServer, refusalOf } from './provisioning.ts';
import { inTransaction, type Queryable } from '../wire/transaction.ts';
import { bareNames, quoteIdentifier, tableNames } from './table-names.ts';

/** One row of text values, whatever parsers the client has. */
async function ask<Row extends Record<string, string | null>>(
  client: Queryable,
  text: string,
  values: readonly string[] = [],
): Promise<Row> {
  const { rows } = await inTransaction(client, { readOnly: true }, () =>
    client.query<Row>({ text, values: [...values] }),
  );
  const row = rows[0];
  if (row === undefined)
    throw new SinkError('BACKEND_ERROR', 'The server answered a question about itself without a row.', {
      sinkType: 'postgres',
    });
  return row;
}

export async function checkDatabase<C extends Queryable>(client: C): Promise<Finding<C>> {
  const { database, role, encoding } = await ask<{ database: string; role: string; encoding: string }>(
    client,
    "SELECT current_database()::text AS database, current_user::text AS role, current_setting('server_encoding') AS encoding",
  );
  const found = `Connected to database ${showText(database)} as ${showText(role)}`;
  if (encoding === 'UTF8') return { found: `${found}.`, value: client };
  const remedy =
    "Use a database of encoding UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0. Exports of items with characters that this one lacks are refused.";
  return {
    found: `${found}; its encoding is ${encoding}.`,
    value: client,
    warning: { code: 'SNAPSHOT_INVALID', remedy },
  };
}

/** The schema is there and may be used. */
export async function checkSchema<C extends Queryable>(
  client: C,
  { schema }: ResolvedPostgresSpec,
): Promise<Finding<C>> {
  const { usable } = await ask<{ usable: string | null }>(
    client,
    "SELECT (SELECT has_schema_privilege(oid, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = $1::name)::text AS usable",
    [schema],
  );
  if (usable === null)
    throw new SinkError('NOT_FOUND', `Schema ${showText(schema)} does not exist.`, { sinkType: 'postgres' });
  if (usable !== 'true')
    throw denied(
      `The user may not use schema ${showText(schema)}: GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} is missing.`,
    );
  return { found: `Schema ${showText(schema)} is there.`, value: client };
}

/** Where something is missing that the first export makes. */
export interface TableState<C> {
  readonly client: C;
  readonly complete: boolean;
}

/** The tables fit, or can be made to. */
export async function checkTable<C extends Queryable>(
  client: C,
  spec: ResolvedPostgresSpec,
): Promise<Finding<TableState<C>>> {
  const { differences, triggers } = await inTransaction(client, { readOnly: true }, () => inspectTables(client, spec));
  const { table } = tableNames(spec);
  const refusal = refusalOf(spec, differences);
  if (refusal !== undefined) throw refusal;
  const value = { client, complete: differences.length === 0 };
  const found = value.complete
    ? `${table} is as the sink needs it.`
    : `The first export will make what is missing: ${differences.map(({ text }) => text).join('; ')}.`;
  if (triggers.length === 0) return { found, value };
  const names = triggers.slice(0, 3).map(quoteIdentifier).join(', ');
  return {
    found: `${found} Before each row is written, ${names} ${triggers.length === 1 ? 'runs' : 'run'} as a trigger.`,
    value,
    warning: {
      code: 'SCHEMA_MISMATCH',
      remedy:
        'Make sure that the trigger leaves rows and columns of the sink alone: an export of which it keeps out or changes a row is refused.',
    },
  };
}

const readWrite = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

/** Every privilege that an export needs, on what is there; CREATE on the schema where something is to be made. */
export async function checkPrivileges(
  { client, complete }: TableState<Queryable>,
  spec: ResolvedPostgresSpec,
): Promise<Finding<true>> {
  const names = bareNames(spec.table);
  const columns = readWrite
    .map((privilege) => `has_table_privilege(c.oid, '${privilege}') AS "${privilege}"`)
    .join(', ');
  const { answer } = await ask<{ answer: string }>(
    client,
    `SELECT json_build_object(
       'create', (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = $1::name),
       'tables', (
         SELECT coalesce(json_object_agg(p.name, p), '{}') FROM (
           SELECT c.relname AS name, ${columns} FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = $1::name AND c.relname IN ($2::name, $3::name)
         ) p
       )
     )::text AS answer`,
    [spec.schema, names.table, names.exports],
  );
  const granted = JSON.parse(answer) as {
    readonly create: boolean;
    readonly tables: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  };
  const sql = { [names.table]: tableNames(spec).table, [names.exports]: tableNames(spec).exports };
  const missing = Object.entries(sql).flatMap(([name, qualified]) => {
    const privileges = granted.tables[name];
    if (privileges === undefined) return [];
    const lacking = readWrite.filter((privilege) => privileges[privilege] !== true);
    return lacking.length === 0 ? [] : [`${lacking.join(', ')} ON ${qualified}`];
  });
  if (!complete && !granted.create) missing.push(`CREATE ON SCHEMA ${quoteIdentifier(spec.schema)}`);
  if (missing.length > 0) throw denied(`The user lacks ${missing.join('; ')}.`);
  return { found: `${complete ? '' : 'create, '}${readWrite.join(', ').toLowerCase()}.`, value: true };
}

/** A standby, or a server that was set read-only, takes no export. */
export async function checkWritable(client: Queryable): Promise<Finding<true>> {
  const { standby, readonly } = await ask<{ standby: string; readonly: string }>(
    client,
    "SELECT pg_is_in_recovery()::text AS standby, current_setting('default_transaction_read_only') AS readonly",
  );
  if (standby === 'true' || readonly === 'on') throw readOnlyServer(standby === 'true');
  return { found: 'The server takes writes.', value: true };
}

const oldestVersion = 130_000;

export async function checkVersion(client: Queryable): Promise<Finding<true>> {
  const { number, version } = await ask<{ number: string; version: string }>(
    client,
    "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version",
  );
  const finding = { found: `PostgreSQL ${version}.`, value: true } as const;
  if (Number(number) >= oldestVersion) return finding;
  return {
    ...finding,
    warning: { code: 'BACKEND_ERROR', remedy: 'Use PostgreSQL 13 or newer: the sink is not tested with older ones.' },
  };
}

const skewLimitMs = 60_000;

/** Exports are dated by this machine and judged by the server: far apart, they are refused. */
export async function checkClock(client: Queryable): Promise<Finding<true>> {
  const before = Date.now();
  const { now } = await ask<{ now: string }>(
    client,
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS now',
  );
  const skewMs = Number(now) - (before + Date.now()) / 2;
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) <= skewLimitMs) return { found: `Within a minute of the clock of this machine.`, value: true };
  const found = `The clock of the server is ${String(seconds)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the clock of this machine.`;
  return {
    found,
    value: true,
    warning: {
      code: 'SNAPSHOT_INVALID',
      remedy: 'Set both clocks by NTP: at ten minutes the server refuses exports as dated in the future.',
    },
  };
}

function denied(message: string): SinkError {
  return new SinkError('PERMISSION_DENIED', message, { sinkType: 'postgres' });
}
