import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import {
  deletedAtColumn,
  exportsLayout,
  partitionColumns,
  tableLayout,
  upsertKey,
  type Column,
  type ColumnType,
  type TableLayout,
} from './table-layout.ts';
import { bareNames, quoteIdentifier, tableNames } from './table-names.ts';

/**
 * What makes everything a spec needs, in order; each statement leaves alone what is there already. Types, operators and collations are named with
 * their schema: people run this with a search_path of theirs, and what it finds there would be in the tables for good.
 */
export function ddlStatements(spec: ResolvedPostgresSpec): readonly string[] {
  const { exports } = tableNames(spec);
  const table = tableLayout(spec);
  return [
    ...createTable(spec, table),
    ...(spec.deletes === 'soft' ? [addDeletedAt(spec)] : []),
    ...table.indexes.map((index) => {
      const columns = index.columns.map((name) =>
        index.operatorClass === undefined
          ? quoteIdentifier(name)
          : `${quoteIdentifier(name)} pg_catalog.${index.operatorClass}`,
      );
      return `CREATE INDEX IF NOT EXISTS ${quoteIdentifier(index.name)} ON ${tableNames(spec).table} USING ${index.method} (${columns.join(', ')})`;
    }),
    createTableStatement(exports, exportsLayout(spec)),
    ...(spec.mode === 'upsert' ? [createCurrentView(spec)] : []),
  ];
}

function createTable(spec: ResolvedPostgresSpec, layout: TableLayout): string[] {
  const { table } = tableNames(spec);
  const partitions = Array.from({ length: layout.partitions }, (_, remainder) => {
    const partition = `${quoteIdentifier(spec.schema)}.${quoteIdentifier(bareNames(spec.table).partition(remainder))}`;
    const bound = `FOR VALUES WITH (MODULUS ${String(layout.partitions)}, REMAINDER ${String(remainder)})`;
    return `CREATE TABLE IF NOT EXISTS ${partition} PARTITION OF ${table} ${bound}`;
  });
  return [createTableStatement(table, layout), ...partitions];
}

function createTableStatement(qualified: string, layout: TableLayout): string {
  const constraint = (
    kind: string,
    { name, columns }: { readonly name: string; readonly columns: readonly string[] },
  ) => `CONSTRAINT ${quoteIdentifier(name)} ${kind} (${columns.map(quoteIdentifier).join(', ')})`;
  const lines = [
    ...layout.columns.map(columnSql),
    constraint('PRIMARY KEY', layout.primaryKey),
    ...(layout.unique === undefined ? [] : [constraint('UNIQUE', layout.unique)]),
  ];
  const partitioned =
    layout.partitions === 0 ? '' : ` PARTITION BY HASH (${partitionColumns.map(quoteIdentifier).join(', ')})`;
  const storage = layout.fillfactor === undefined ? '' : ` WITH (fillfactor = ${String(layout.fillfactor)})`;
  return `CREATE TABLE IF NOT EXISTS ${qualified} (\n  ${lines.join(',\n  ')}\n)${partitioned}${storage}`;
}

/** Names that the grammar knows, so that no schema is searched for them. */
const sqlTypes: ReadonlySet<ColumnType> = new Set(['bigint', 'integer', 'boolean', 'timestamp with time zone']);

function columnSql(column: Column): string {
  return [
    quoteIdentifier(column.name),
    sqlTypes.has(column.type) ? column.type : `pg_catalog.${column.type}`,
    ...(column.key === undefined ? [] : ['COLLATE pg_catalog."C"']),
    ...(column.identity === undefined ? [] : ['GENERATED ALWAYS AS IDENTITY']),
    ...(column.nullable ? [] : ['NOT NULL']),
    ...(column.default === undefined ? [] : [`DEFAULT ${column.default}`]),
  ].join(' ');
}

/** For a table that was made while deletes were hard. */
function addDeletedAt(spec: ResolvedPostgresSpec): string {
  return `ALTER TABLE ${tableNames(spec).table} ADD COLUMN IF NOT EXISTS ${columnSql(deletedAtColumn)}`;
}

/** Columns of `<table>_current` that tell a row's own last change from the snapshot it is part of. */
export const currentViewColumns = [
  ...upsertKey({ clusterInKey: true }),
  'gvk',
  'payload',
  'changed_generation',
  'changed_at',
  'snapshot_generation',
  'snapshot_exported_at',
] as const;

function createCurrentView(spec: ResolvedPostgresSpec): string {
  const { table, exports, current } = tableNames(spec);
  const columns = [
    ...upsertKey({ clusterInKey: true }).map((name) => `item.${name}`),
    'item.gvk',
    'item.payload',
    'item.generation AS changed_generation',
    'item.exported_at AS changed_at',
    'snapshot.generation AS snapshot_generation',
    'snapshot.exported_at AS snapshot_exported_at',
  ];
  const sameScope = ['cluster', 'inventory_namespace', 'inventory_name']
    .map((name) => `item.${name} OPERATOR(pg_catalog.=) snapshot.${name}`)
    .join(' AND ');
  const alive = spec.deletes === 'soft' ? '\nWHERE item.deleted_at IS NULL' : '';
  return `CREATE OR REPLACE VIEW ${current} AS
SELECT
  ${columns.join(',\n  ')}
FROM ${table} AS item
JOIN ${exports} AS snapshot ON ${sameScope}${alive}`;
}
