/** An index that readers may ask for; see `spec.postgres.indexes`. */
export type PortalIndex = 'gvk' | 'target' | 'payload';

interface NamedSpec {
  readonly schema: string;
  readonly table: string;
}

interface ShapedSpec {
  readonly table: string;
  readonly mode: 'upsert' | 'append';
  readonly partitions: number;
  readonly indexes: readonly PortalIndex[];
}

/** An identifier that means exactly this name, whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal, for statements that take no parameters. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return quoted.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** Everything that stands beside a table, each with its schema in front. */
export interface TableNames {
  /** SQL of the table, quoted and qualified: `"public"."inventory"`. */
  readonly table: string;
  /** SQL of `<table>_exports`: one row per scope, its lock and its fence. */
  readonly exports: string;
  /** SQL of the view `<table>_current`; in upsert mode only. */
  readonly current: string;
  /** `table` as a text literal, for functions such as `to_regclass`. */
  readonly tableLiteral: string;
}

/** The relations of a spec as SQL, qualified by schema so that no search_path matters. */
export function tableNames(spec: NamedSpec): TableNames {
  const qualify = (name: string) => `${quoteIdentifier(spec.schema)}.${quoteIdentifier(name)}`;
  const names = bareNames(spec.table);
  const table = qualify(spec.table);
  return { table, exports: qualify(names.exports), current: qualify(names.current), tableLiteral: quoteLiteral(table) };
}

/** The same names bare, as the catalogue has them, with those of keys and indexes. */
export function bareNames(table: string) {
  return {
    table,
    exports: `${table}_exports`,
    current: `${table}_current`,
    primaryKey: `${table}_pkey`,
    exportsPrimaryKey: `${table}_exports_pkey`,
    snapshotKey: `${table}_snapshot_key`,
    timeIndex: `${table}_exported_at_idx`,
    portalIndex: (index: PortalIndex) => `${table}_${index}_idx`,
    partition: (index: number) => `${table}_p${String(index)}`,
  };
}

/** Every name that the DDL of the spec spells out, bare: none may pass the 63 bytes PostgreSQL keeps. */
export function derivedNames(spec: ShapedSpec): readonly string[] {
  const names = bareNames(spec.table);
  const both = [names.table, names.primaryKey, names.exports, names.exportsPrimaryKey];
  if (spec.mode === 'append') return [...both, names.snapshotKey, names.timeIndex];
  const partitions = spec.partitions === 0 ? [] : [names.partition(spec.partitions - 1)];
  return [...both, names.current, ...partitions, ...spec.indexes.map((index) => names.portalIndex(index))];
}
