import type { Queryable } from '../wire/transaction.ts';

export interface FoundColumn {
  readonly name: string;
  /** As `format_type` prints it. */
  readonly type: string;
  readonly nullable: boolean;
  /** A default, an identity or a generated value: a row may leave the column out. */
  readonly filled: boolean;
  readonly deterministic: boolean;
}

export interface FoundIndex {
  readonly name: string;
  readonly method: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
  readonly primary: boolean;
}

/** A relation as the catalogue describes it. */
export interface FoundRelation {
  /** `r` table, `p` partitioned table, `v` view; others as pg_class.relkind has them. */
  readonly kind: string;
  readonly columns: readonly FoundColumn[];
  /** Valid ones over plain columns alone. */
  readonly indexes: readonly FoundIndex[];
  readonly partitions: number;
  /** By how many the hash of its partitions is divided; null without partitions. */
  readonly modulus: number | null;
  /** Columns of other relations that a view reads. */
  readonly reads: readonly string[];
}

export interface Inspection {
  readonly schemaExists: boolean;
  readonly relations: Readonly<Record<string, FoundRelation>>;
}

// Of the catalogue's tables alone: pg_get_viewdef, for one, would wait for locks on what the view reads.
const inspect = `
SELECT json_build_object(
  'schemaExists', EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1::name),
  'relations', (
    SELECT coalesce(json_object_agg(c.relname, json_build_object(
      'kind', c.relkind,
      'columns', (
        SELECT coalesce(json_agg(json_build_object(
          'name', a.attname,
          'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
          'nullable', NOT a.attnotnull,
          'filled', a.atthasdef OR a.attidentity <> '',
          'deterministic', coalesce((SELECT l.collisdeterministic FROM pg_catalog.pg_collation l WHERE l.oid = a.attcollation), true)
        ) ORDER BY a.attnum), '[]')
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      ),
      'indexes', (
        SELECT coalesce(json_agg(json_build_object(
          'name', ic.relname,
          'method', am.amname,
          'columns', (
            SELECT json_agg(a.attname ORDER BY k.position)
            FROM unnest(i.indkey) WITH ORDINALITY k(attnum, position)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE k.position <= i.indnkeyatts
          ),
          'unique', i.indisunique AND i.indimmediate,
          'primary', i.indisprimary
        )), '[]')
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
        JOIN pg_catalog.pg_am am ON am.oid = ic.relam
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      ),
      'partitions', (SELECT count(*) FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid),
      'modulus', (
        SELECT max(substring(pg_catalog.pg_get_expr(p.relpartbound, 0) FROM 'modulus ([0-9]+)')::int)
        FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = h.inhrelid WHERE h.inhparent = c.oid
      ),
      'reads', (
        SELECT coalesce(json_agg(a.attname), '[]')
        FROM pg_catalog.pg_rewrite r
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
        JOIN pg_catalog.pg_attribute a ON d.refclassid = 'pg_catalog.pg_class'::regclass AND a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE r.ev_class = c.oid AND d.refobjid <> c.oid
      )
    )), '{}')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::name AND c.relname IN ($2::name, $3::name, $4::name)
  )
)::text AS found`;

/** What the catalogue says of three relations of a schema; takes no lock on them and needs no privilege on them. */
export async function inspectRelations(
  client: Queryable,
  schema: string,
  names: readonly [string, string, string],
): Promise<Inspection> {
  const { rows } = await client.query<{ readonly found: string }>({ text: inspect, values: [schema, ...names] });
  return JSON.parse(rows[0]?.found ?? '{"schemaExists":false,"relations":{}}') as Inspection;
}
