import { expect, test } from '@jest/globals';
import { currentViewColumns } from './ddl.ts';
import { postgresSink } from '../postgres-sink.ts';
import type { PostgresSpec } from '../postgres-spec-schema.ts';
import { tableDifferences } from './table-differences.ts';
import type { FoundRelation, Inspection } from './table-inspection.ts';
import { catalogueTypes, exportsLayout, tableLayout, type TableLayout } from './table-layout.ts';

const unproblematic = {
  owned: true,
  rowSecurity: false,
  rules: [],
  triggers: [],
  unlogged: [],
  temporary: [],
  foreign: [],
} as const;

const found = (layout: TableLayout): FoundRelation => ({
  kind: layout.partitions > 0 ? 'p' : 'r',
  columns: layout.columns.map(({ name, type, nullable, identity, ...column }) => ({
    name,
    type,
    plainType: catalogueTypes[type],
    nullable,
    computed: false,
    filled: identity === true || column.default !== undefined,
    deterministic: true,
  })),
  indexes: [
    { name: 'pk', method: 'btree', columns: layout.primaryKey.columns, unique: true, primary: true },
    ...(layout.unique === undefined
      ? []
      : [{ name: 'u', method: 'btree', columns: layout.unique.columns, unique: true, primary: false }]),
    ...layout.indexes.map(({ method, columns }) => ({ name: 'i', method, columns, unique: false, primary: false })),
  ],
  partitions: layout.partitions,
  modulus: layout.partitions === 0 ? null : layout.partitions,
  reads: [],
  ...unproblematic,
});

const view: FoundRelation = {
  kind: 'v',
  columns: currentViewColumns.map((name) => ({
    name,
    type: 'text',
    plainType: 'text',
    nullable: true,
    filled: false,
    computed: false,
    deterministic: true,
  })),
  indexes: [],
  partitions: 0,
  modulus: null,
  reads: ['deleted_at'],
  ...unproblematic,
};

/** What differs once `change` was made to tables that fit the spec. */
function differences(
  part: Partial<PostgresSpec>,
  change: (table: FoundRelation) => Partial<FoundRelation> | undefined,
): readonly string[] {
  const spec = postgresSink.parseSpec({ database: 'd', table: 't', ...part });
  const fitting = found(tableLayout(spec));
  const changed = change(fitting);
  const table = changed === undefined ? {} : { t: { ...fitting, ...changed } };
  const relations: Inspection['relations'] = { ...table, t_exports: found(exportsLayout(spec)), t_current: view };
  return tableDifferences(spec, { schemaExists: true, relations, taken: {} }).map(
    ({ text, kind }) => `${kind}: ${text}`,
  );
}

type Change = Parameters<typeof differences>[1];
const column =
  (name: string, change: Partial<FoundRelation['columns'][number]>): Change =>
  (table) => ({
    columns: table.columns.map((there) => (there.name === name ? { ...there, ...change } : there)),
  });
const without =
  (name: string): Change =>
  (table) => ({ columns: table.columns.filter((there) => there.name !== name) });
const extra =
  (change: Partial<FoundRelation['columns'][number]>): Change =>
  (table) => ({
    columns: [
      ...table.columns,
      {
        name: 'extra',
        type: 'text',
        plainType: 'text',
        nullable: false,
        filled: false,
        computed: false,
        deterministic: true,
        ...change,
      },
    ],
  });

test.each<readonly [string, Partial<PostgresSpec>, Change, readonly string[]]>([
  ['nothing', {}, () => ({}), []],
  ['nothing, append', { mode: 'append' }, () => ({}), []],
  ['nothing, partitioned and soft', { partitions: 4, deletes: 'soft', indexes: ['gvk', 'payload'] }, () => ({}), []],
  ['no table', {}, () => undefined, ['absent: table "public"."t" does not exist']],
  ['a view in its place', {}, () => ({ kind: 'v' }), ['wrong: "public"."t" is no table']],
  ['a lacking column', {}, without('payload'), ['wrong: "public"."t" lacks column payload (jsonb)']],
  [
    'a lacking deleted_at',
    { deletes: 'soft' },
    without('deleted_at'),
    ['partial: "public"."t" lacks column deleted_at (timestamp with time zone)'],
  ],
  [
    'another type',
    {},
    column('payload', { type: 'json', plainType: 'json' }),
    ['wrong: "public"."t" has column payload of type json, expected jsonb'],
  ],
  [
    'a type printed in another way by settings of the session',
    {},
    column('payload', { type: 'pg_catalog."jsonb"' }),
    [],
  ],
  [
    'a type of the same name in another schema',
    {},
    column('payload', { type: 'mine.jsonb', plainType: null }),
    ['wrong: "public"."t" has column payload of type mine.jsonb, expected jsonb'],
  ],
  [
    'a column that the server computes',
    {},
    column('gvk', { computed: true }),
    ['wrong: "public"."t" has column gvk that the server computes, expected one that can be written'],
  ],
  [
    'UNLOGGED',
    {},
    () => ({ unlogged: ['public.t'] }),
    ['wrong: "public"."t" is UNLOGGED, and a crash of the server empties it; run ALTER TABLE public.t SET LOGGED'],
  ],
  [
    'temporary',
    {},
    () => ({ temporary: ['pg_temp.t'] }),
    ['wrong: "public"."t" is temporary (pg_temp.t), and ends with its session'],
  ],
  [
    'foreign partitions',
    { partitions: 4 },
    () => ({ foreign: ['far.p1', 'far.p2'] }),
    ['wrong: "public"."t" has foreign partitions (far.p1, far.p2), whose writes are not of one transaction with ours'],
  ],
  [
    'row security',
    {},
    () => ({ rowSecurity: true }),
    [
      'wrong: "public"."t" hides rows from the user of the sink by row security; give the user BYPASSRLS, or run ALTER TABLE "public"."t" DISABLE ROW LEVEL SECURITY',
    ],
  ],
  ['rules', {}, () => ({ rules: ['a'] }), ['wrong: "public"."t" rewrites what is written by rule "a"; drop it']],
  [
    'tables that inherit',
    {},
    () => ({ partitions: 2 }),
    [
      'wrong: "public"."t" has 2 tables that inherit from it, whose rows would count as its own; end it by ALTER TABLE … NO INHERIT',
    ],
  ],
  ['triggers, whose effect each export looks at', {}, () => ({ triggers: ['audit'] }), []],
  [
    'NULL where there must be none',
    {},
    column('gvk', { nullable: true }),
    ['wrong: "public"."t" has column gvk that may be NULL, expected NOT NULL'],
  ],
  [
    'NOT NULL where NULL means something',
    {},
    column('row_digest', { nullable: false }),
    ['wrong: "public"."t" has column row_digest NOT NULL, expected one that may be NULL'],
  ],
  [
    'no identity',
    { mode: 'append' },
    column('id', { filled: false }),
    ['wrong: "public"."t" has column id without a default, expected an identity'],
  ],
  [
    'a collation that lumps keys',
    {},
    column('source_uid', { deterministic: false }),
    ['wrong: "public"."t" has column source_uid with a collation that takes different keys for equal, expected "C"'],
  ],
  [
    'an extra column nobody fills',
    {},
    extra({}),
    ['wrong: "public"."t" has column extra of its own, NOT NULL and without a default, which the sink would not fill'],
  ],
  ['an extra column with a default', {}, extra({ filled: true }), []],
  ['an extra column that may be NULL', {}, extra({ nullable: true }), []],
  [
    'deleted_at of an earlier setting',
    {},
    extra({ name: 'deleted_at', nullable: true }),
    [
      'wrong: "public"."t" has column deleted_at of deletes: soft; keep deletes: soft, or run ' +
        'DELETE FROM "public"."t" WHERE deleted_at IS NOT NULL; ALTER TABLE "public"."t" DROP COLUMN deleted_at CASCADE',
    ],
  ],
  [
    'no primary key',
    {},
    () => ({ indexes: [] }),
    ['wrong: "public"."t" has no primary key, expected (inventory_namespace, inventory_name, target_name, source_uid)'],
  ],
  [
    'the primary key of another setting',
    { clusterInKey: true },
    () => ({ indexes: found(tableLayout(postgresSink.parseSpec({ database: 'd', table: 't' }))).indexes }),
    [
      'wrong: "public"."t" has the primary key (inventory_namespace, inventory_name, target_name, source_uid), ' +
        'expected (cluster, inventory_namespace, inventory_name, target_name, source_uid)',
    ],
  ],
  [
    'no unique constraint',
    { mode: 'append' },
    (table) => ({ indexes: table.indexes.filter(({ unique, primary }) => primary || !unique) }),
    [
      'wrong: "public"."t" lacks a unique constraint on (cluster, inventory_namespace, inventory_name, exported_at, checksum, part_index)',
    ],
  ],
  [
    'no index',
    { indexes: ['gvk'] },
    (table) => ({ indexes: table.indexes.slice(0, 1) }),
    ['partial: "public"."t" lacks a valid btree index on (cluster, gvk)'],
  ],
  [
    'no partitions',
    { partitions: 4 },
    () => ({ kind: 'r', partitions: 0 }),
    ['wrong: "public"."t" has no partitions, expected 4 partitions'],
  ],
  [
    'partitions nobody asked for',
    {},
    () => ({ kind: 'p', partitions: 4 }),
    ['wrong: "public"."t" has 4 partitions, expected no partitions'],
  ],
  [
    'too few partitions',
    { partitions: 4 },
    () => ({ partitions: 3 }),
    ['partial: "public"."t" has 3 partitions, expected 4 partitions'],
  ],
  [
    'partitions of another division',
    { partitions: 8 },
    () => ({ partitions: 4, modulus: 4 }),
    ['wrong: "public"."t" has 4 partitions, expected 8 partitions'],
  ],
  [
    'too many partitions',
    { partitions: 4 },
    () => ({ partitions: 5 }),
    ['wrong: "public"."t" has 5 partitions, expected 4 partitions'],
  ],
])('%s', (_, part, change, expected) => {
  expect(differences(part, change)).toEqual(expected);
});

test('a missing schema is all there is to say', () => {
  const spec = postgresSink.parseSpec({ database: 'd', schema: 'nowhere', table: 't' });
  expect(tableDifferences(spec, { schemaExists: false, relations: {}, taken: {} }).map(({ text }) => text)).toEqual([
    'schema "nowhere" does not exist',
  ]);
});

test('a name that something else holds is named with its holder', () => {
  const spec = postgresSink.parseSpec({ database: 'd', table: 't', partitions: 2, indexes: ['gvk'] });
  const taken = {
    t_pkey: { kind: 'i', of: 'public.t_old', ofName: 't_old' },
    t_p1: { kind: 'r', of: null, ofName: null },
    t_exports: { kind: 'type', of: null, ofName: null },
  };
  const texts = tableDifferences(spec, { schemaExists: true, relations: {}, taken }).map(({ text }) => text);
  for (const text of [
    'index "public"."t_pkey" of public.t_old has a name that the sink needs; rename it, or name another table',
    'table "public"."t_p1" has a name that the sink needs; rename it, or name another table',
    'type "public"."t_exports" has a name that the sink needs; rename it, or name another table',
  ])
    expect(texts).toContain(text);
});

test('what only the owner of a table can change is marked', () => {
  const spec = postgresSink.parseSpec({ database: 'd', table: 't', indexes: ['gvk'], deletes: 'soft' });
  const table = { ...found(tableLayout(postgresSink.parseSpec({ database: 'd', table: 't' }))), owned: false };
  const relations = {
    t: table,
    t_exports: found(exportsLayout(spec)),
    t_current: { ...view, reads: [], owned: false },
  };
  expect(tableDifferences(spec, { schemaExists: true, relations, taken: {} })).toEqual(
    [
      '"public"."t" lacks column deleted_at (timestamp with time zone)',
      '"public"."t" lacks a valid btree index on (cluster, gvk)',
      'view "public"."t_current" shows rows that are soft-deleted',
    ].map((text) => ({ text, kind: 'partial', needsOwner: true })),
  );
});
