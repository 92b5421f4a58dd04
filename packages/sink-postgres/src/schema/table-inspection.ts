import type { Queryable } from '../wire/transaction.ts';
import { rewritingRules, writingTriggers } from './table-promises.ts';

export interface FoundColumn {
  readonly name: string;
  /** As `format_type` prints it, for people: settings of the session change how. */
  readonly type: string;
  /** Name of the type where it is one of PostgreSQL's own without a modifier, as pg_type has it: `timestamptz`; null of another one. */
  readonly plainType: string | null;
  readonly nullable: boolean;
  /** A default, an identity or a generated value: a row may leave the column out. */
  readonly filled: boolean;
  /** The server computes it, so that nobody can write it. */
  readonly computed: boolean;
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
  /** Partitions, or tables that inherit from one that is not partitioned. */
  readonly partitions: number;
  /** By how many the hash of its partitions is divided; null without partitions. */
  readonly modulus: number | null;
  /** Columns of other relations that a view reads. */
  readonly reads: readonly string[];
  /** The user is its owner, or a member of the role that is. */
  readonly owned: boolean;
  /** Row security decides which rows the user sees. */
  readonly rowSecurity: boolean;
  /** Those that rewrite what is written to it. */
  readonly rules: readonly string[];
  /** Enabled ones that run before a row is written, in it and its partitions: they may drop or change it. */
  readonly triggers: readonly string[];
  /** It or partitions of it that are not kept in a table that survives a crash, as SQL. */
  readonly unlogged: readonly string[];
  readonly temporary: readonly string[];
  readonly foreign: readonly string[];
}

/** Who has a name that the sink would give. */
export interface TakenName {
  /** As `relkind` of pg_class has it, `type` for a type. */
  readonly kind: string;
  /** Name of the table that an index or a partition belongs to, as SQL and bare. */
  readonly of: string | null;
  readonly ofName: string | null;
}

export interface Inspection {
  readonly schemaExists: boolean;
  readonly relations: Readonly<Record<string, FoundRelation>>;
  /** By name, of those that were asked for. */
  readonly taken: Readonly<Record<string, TakenName>>;
}

/** A table and its partitions; a table without has no partition tree. */
const tree = `(SELECT c.oid AS relid UNION SELECT p.relid::oid FROM pg_catalog.pg_partition_tree(c.oid) p) tree`;
const ofTree = (condition: string): string => `(
        SELECT coalesce(json_agg(m.oid::regclass::text ORDER BY m.relname), '[]')
        FROM ${tree} JOIN pg_catalog.pg_class m ON m.oid = tree.relid WHERE ${condition}
      )`;

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
          'plainType', (SELECT t.typname FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid AND a.atttypmod = -1 AND t.typnamespace = 'pg_catalog'::regnamespace),
          'nullable', NOT a.attnotnull,
          'filled', a.atthasdef OR a.attidentity <> '',
          'computed', a.attgenerated <> '',
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
      ),
      'owned', pg_catalog.pg_has_role(c.relowner, 'USAGE'),
      'rowSecurity', pg_catalog.row_security_active(c.oid),
      'rules', (
        SELECT coalesce(json_agg(r.rulename ORDER BY r.rulename), '[]')
        FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND ${rewritingRules}
      ),
      'triggers', (
        SELECT coalesce(json_agg(DISTINCT t.tgname), '[]')
        FROM ${tree} JOIN pg_catalog.pg_trigger t ON t.tgrelid = tree.relid WHERE ${writingTriggers}
      ),
      'unlogged', ${ofTree("m.relpersistence = 'u'")},
      'temporary', ${ofTree("m.relpersistence = 't'")},
      'foreign', ${ofTree("m.relkind = 'f' AND m.oid <> c.oid")}
    )), '{}')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::name AND c.relname IN ($2::name, $3::name, $4::name)
  ),
  'taken', (
    SELECT coalesce(json_object_agg(name, json_build_object('kind', kind, 'of', owner::regclass::text, 'ofName', (
      SELECT o.relname FROM pg_catalog.pg_class o WHERE o.oid = owner
    ))), '{}') FROM (
      SELECT c.relname AS name, c.relkind::text AS kind, coalesce(
        (SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = c.oid),
        (SELECT h.inhparent FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid AND h.inhseqno = 1)
      ) AS owner
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1::name AND c.relname = ANY($5::name[])
      UNION ALL
      SELECT t.typname, 'type', NULL
      FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      WHERE n.nspname = $1::name AND t.typname = ANY($5::name[]) AND t.typrelid = 0 AND t.typcategory <> 'A'
    ) taken
  )
)::text AS found`;

/** What the catalogue says of three relations of a schema, and who has names of others; takes no lock on them and needs no privilege on them. */
export async function inspectRelations(
  client: Queryable,
  schema: string,
  names: readonly [string, string, string],
  others: readonly string[],
): Promise<Inspection> {
  const { rows } = await client.query<{ readonly found: string }>({
    text: inspect,
    values: [schema, ...names, [...names, ...others]],
  });
  return JSON.parse(rows[0]?.found ?? '{"schemaExists":false,"relations":{},"taken":{}}') as Inspection;
}
