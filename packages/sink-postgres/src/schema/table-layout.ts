import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import { bareNames } from './table-names.ts';

/** Types by the names of SQL. */
export type ColumnType = 'text' | 'bigint' | 'integer' | 'boolean' | 'jsonb' | 'uuid' | 'timestamp with time zone';

/** The same types as the catalogue has them: what `format_type` prints depends on settings of the session. */
export const catalogueTypes: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  bigint: 'int8',
  integer: 'int4',
  boolean: 'bool',
  jsonb: 'jsonb',
  uuid: 'uuid',
  'timestamp with time zone': 'timestamptz',
};

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** SQL of the default. */
  readonly default?: string;
  /** Compared byte by byte: no locale decides whether two keys are one. */
  readonly key?: true;
  readonly identity?: true;
}

export interface TableIndex {
  readonly name: string;
  /** `CREATE INDEX … USING <method>`. */
  readonly method: 'btree' | 'gin';
  readonly columns: readonly string[];
  readonly operatorClass?: string;
}

/** A table as the sink needs it: one source for DDL, checks and the order of COPY. */
export interface TableLayout {
  /** Bare name. */
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: { readonly name: string; readonly columns: readonly string[] };
  readonly unique?: { readonly name: string; readonly columns: readonly string[] };
  readonly indexes: readonly TableIndex[];
  /** 0: not partitioned. */
  readonly partitions: number;
  readonly fillfactor?: number;
}

const text = (name: string): Column => ({ name, type: 'text', nullable: false });
const keyText = (name: string): Column => ({ ...text(name), key: true });
const cluster: Column = { ...keyText('cluster'), default: "''" };
const timestamp = (name: string, nullable = false): Column => ({ name, type: 'timestamp with time zone', nullable });
const bigint = (name: string): Column => ({ name, type: 'bigint', nullable: false });

/** By which columns the hash partitions divide the rows. */
export const partitionColumns = ['inventory_namespace', 'inventory_name'] as const;

/** Columns of the upsert table that the write path fills, in the order of COPY. `deleted_at` is not among them: a row that is written is alive. */
export const upsertColumns = [
  keyText('inventory_namespace'),
  keyText('inventory_name'),
  keyText('target_name'),
  keyText('source_uid'),
  cluster,
  text('gvk'),
  bigint('generation'),
  { name: 'payload', type: 'jsonb', nullable: false },
  timestamp('exported_at'),
  { name: 'row_digest', type: 'uuid', nullable: true },
] as const satisfies readonly Column[];

/** Set on rows of items that are gone, with `deletes: soft` only. */
export const deletedAtColumn = timestamp('deleted_at', true);

const itemKey = ['inventory_namespace', 'inventory_name', 'target_name', 'source_uid'] as const;

/** Primary key of the upsert table: what an `ON CONFLICT` names. */
export function upsertKey(spec: Pick<ResolvedPostgresSpec, 'clusterInKey'>): readonly string[] {
  return spec.clusterInKey ? ['cluster', ...itemKey] : itemKey;
}

/** What makes a row of the append table the same one when an export is retried. */
export const appendKey = [
  'cluster',
  'inventory_namespace',
  'inventory_name',
  'exported_at',
  'checksum',
  'part_index',
] as const;

const scopeKey = ['cluster', 'inventory_namespace', 'inventory_name'] as const;

/** `<table>` for the mode of the spec. */
export function tableLayout(spec: ResolvedPostgresSpec): TableLayout {
  return spec.mode === 'upsert' ? upsertLayout(spec) : appendLayout(spec);
}

function upsertLayout(spec: ResolvedPostgresSpec): TableLayout {
  const names = bareNames(spec.table);
  const portal = {
    gvk: { method: 'btree', columns: ['cluster', 'gvk'] },
    target: { method: 'btree', columns: ['target_name'] },
    payload: { method: 'gin', columns: ['payload'], operatorClass: 'jsonb_path_ops' },
  } as const;
  return {
    name: names.table,
    columns: spec.deletes === 'soft' ? [...upsertColumns, deletedAtColumn] : upsertColumns,
    primaryKey: { name: names.primaryKey, columns: upsertKey(spec) },
    indexes: spec.indexes.map((index) => ({ name: names.portalIndex(index), ...portal[index] })),
    partitions: spec.partitions,
  };
}

function appendLayout(spec: ResolvedPostgresSpec): TableLayout {
  const names = bareNames(spec.table);
  return {
    name: names.table,
    columns: [
      { ...bigint('id'), identity: true },
      cluster,
      keyText('inventory_namespace'),
      keyText('inventory_name'),
      bigint('generation'),
      text('checksum'),
      bigint('item_count'),
      { name: 'part_index', type: 'integer', nullable: false, default: '0' },
      { name: 'part_total', type: 'integer', nullable: false, default: '1' },
      { name: 'document', type: 'jsonb', nullable: false },
      timestamp('exported_at'),
    ],
    primaryKey: { name: names.primaryKey, columns: ['id'] },
    unique: { name: names.snapshotKey, columns: appendKey },
    // A btree and not BRIN: rows are few and large, and retention leaves holes that later rows fill, which ends the order BRIN lives on.
    indexes: [{ name: names.timeIndex, method: 'btree', columns: ['exported_at'] }],
    partitions: 0,
  };
}

/** `<table>_exports`: one row per scope. Half-filled pages keep its updates in place, since every export makes one. */
export function exportsLayout(spec: Pick<ResolvedPostgresSpec, 'table'>): TableLayout {
  const names = bareNames(spec.table);
  return {
    name: names.exports,
    columns: [
      cluster,
      keyText('inventory_namespace'),
      keyText('inventory_name'),
      timestamp('exported_at'),
      bigint('generation'),
      { name: 'checksum', type: 'text', nullable: true },
      bigint('item_count'),
      timestamp('resynced_at', true),
      { name: 'table_storage', type: 'text', nullable: true },
      { name: 'removed', type: 'boolean', nullable: false, default: 'false' },
    ],
    primaryKey: { name: names.exportsPrimaryKey, columns: scopeKey },
    indexes: [],
    partitions: 0,
    fillfactor: 50,
  };
}
