import { expect, test } from '@jest/globals';
import { ddlStatements } from './ddl.ts';
import { postgresDdl } from './postgres-ddl.ts';
import { postgresSink } from '../postgres-sink.ts';
import type { PostgresSpec } from '../postgres-spec-schema.ts';
import { derivedNames } from './table-names.ts';

const ddl = (part: Partial<PostgresSpec> = {}) =>
  ddlStatements(postgresSink.parseSpec({ database: 'd', schema: 's', table: 't', ...part }));

test('upsert: table, scopes and view', () => {
  expect(ddl()).toEqual([
    `CREATE TABLE IF NOT EXISTS "s"."t" (
  "inventory_namespace" pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
  "inventory_name" pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
  "target_name" pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
  "source_uid" pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
  "cluster" pg_catalog.text COLLATE pg_catalog."C" NOT NULL DEFAULT '',
  "gvk" pg_catalog.text NOT NULL,
  "generation" bigint NOT NULL,
  "payload" pg_catalog.jsonb NOT NULL,
  "exported_at" timestamp with time zone NOT NULL,
  "row_digest" pg_catalog.uuid,
  CONSTRAINT "t_pkey" PRIMARY KEY ("inventory_namespace", "inventory_name", "target_name", "source_uid")
)`,
    `CREATE TABLE IF NOT EXISTS "s"."t_exports" (
  "cluster" pg_catalog.text COLLATE pg_catalog."C" NOT NULL DEFAULT '',
  "inventory_namespace" pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
  "inventory_name" pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
  "exported_at" timestamp with time zone NOT NULL,
  "generation" bigint NOT NULL,
  "checksum" pg_catalog.text,
  "item_count" bigint NOT NULL,
  "resynced_at" timestamp with time zone,
  "table_storage" pg_catalog.text,
  "removed" boolean NOT NULL DEFAULT false,
  CONSTRAINT "t_exports_pkey" PRIMARY KEY ("cluster", "inventory_namespace", "inventory_name")
) WITH (fillfactor = 50)`,
    `CREATE OR REPLACE VIEW "s"."t_current" AS
SELECT
  item.cluster,
  item.inventory_namespace,
  item.inventory_name,
  item.target_name,
  item.source_uid,
  item.gvk,
  item.payload,
  item.generation AS changed_generation,
  item.exported_at AS changed_at,
  snapshot.generation AS snapshot_generation,
  snapshot.exported_at AS snapshot_exported_at
FROM "s"."t" AS item
JOIN "s"."t_exports" AS snapshot ON item.cluster OPERATOR(pg_catalog.=) snapshot.cluster AND item.inventory_namespace OPERATOR(pg_catalog.=) snapshot.inventory_namespace AND item.inventory_name OPERATOR(pg_catalog.=) snapshot.inventory_name`,
  ]);
});

test.each([
  [
    { deletes: 'soft' },
    ['"deleted_at" timestamp with time zone', 'ADD COLUMN IF NOT EXISTS "deleted_at"', 'WHERE item.deleted_at IS NULL'],
  ],
  [
    { clusterInKey: true },
    ['PRIMARY KEY ("cluster", "inventory_namespace", "inventory_name", "target_name", "source_uid")'],
  ],
  [
    { partitions: 2 },
    [
      'PARTITION BY HASH ("inventory_namespace", "inventory_name")',
      '"s"."t_p1" PARTITION OF "s"."t" FOR VALUES WITH (MODULUS 2, REMAINDER 1)',
    ],
  ],
  [{ indexes: ['gvk'] }, ['CREATE INDEX IF NOT EXISTS "t_gvk_idx" ON "s"."t" USING btree ("cluster", "gvk")']],
  [{ indexes: ['target'] }, ['"t_target_idx" ON "s"."t" USING btree ("target_name")']],
  [{ indexes: ['payload'] }, ['"t_payload_idx" ON "s"."t" USING gin ("payload" pg_catalog.jsonb_path_ops)']],
  [
    { mode: 'append' },
    [
      '"id" bigint GENERATED ALWAYS AS IDENTITY NOT NULL',
      '"document" pg_catalog.jsonb NOT NULL',
      'UNIQUE ("cluster", "inventory_namespace", "inventory_name", "exported_at", "checksum", "part_index")',
      '"t_exported_at_idx" ON "s"."t" USING btree ("exported_at")',
    ],
  ],
] as const satisfies readonly (readonly [Partial<PostgresSpec>, readonly string[]])[])('%j', (part, expected) => {
  const text = ddl(part).join('\n');
  for (const piece of expected) expect(text).toContain(piece);
});

test.each([
  {},
  { mode: 'append' },
  { deletes: 'soft', partitions: 3, indexes: ['gvk', 'target', 'payload'] },
] satisfies Partial<PostgresSpec>[])('%j: no name stands in the DDL that the length check does not know', (part) => {
  const spec = postgresSink.parseSpec({ database: 'd', schema: 's', table: 't', ...part });
  const named = [
    ...ddl(part)
      .join('\n')
      .matchAll(/"(t_\w+)"/g),
  ].map(([, name = '']) => name);
  const known = derivedNames(spec);
  // Of partitions the last alone is known: it has the longest name.
  expect(named.filter((name) => !known.includes(name) && !/^t_p[01]$/.test(name))).toEqual([]);
});

test('postgresDdl ends each statement and lists the grants as comments', () => {
  const text = postgresDdl({ database: 'my "db"', schema: 's', table: 't' });
  expect(text).toContain('-- Where the schema does not exist yet: CREATE SCHEMA "s";');
  expect(text).toContain('-- GRANT CONNECT ON DATABASE "my ""db""" TO kollect;');
  expect(text).toContain('-- GRANT SELECT, INSERT, UPDATE, DELETE ON "s"."t", "s"."t_exports" TO kollect;');
  expect(text).toContain('-- GRANT SELECT ON "s"."t", "s"."t_exports", "s"."t_current" TO portal;');
  expect(text.match(/;$/gm)?.length).toBeGreaterThanOrEqual(ddl().length);
  expect(text.endsWith('\n')).toBe(true);
});

test('postgresDdl refuses what a sink would refuse', () => {
  expect(() => postgresDdl({ database: 'd', table: 't', mode: 'append', deletes: 'soft' })).toThrow(
    /has no meaning with mode append/,
  );
});

test.each<[string, object, string]>([
  ['no table', { database: 'd' }, '$.postgres.table is missing: expected a string'],
  ['a typo', { database: 'd', tabel: 't' }, '$.postgres.tabel is not a known field; did you mean "table"?'],
  [
    'half a partition',
    { database: 'd', table: 't', partitions: 1.5 },
    'partitions: expected an integer, found the number 1.5',
  ],
  [
    'a typo in a value',
    { database: 'd', table: 't', mode: 'apend' },
    'found the string "apend"; did you mean "append"?',
  ],
  ['a number for a name', { database: 'd', table: 7 }, '$.postgres.table: expected a string, found the number 7'],
  ['text', 'postgres' as unknown as object, 'expected an object'],
  ['nothing', undefined as unknown as object, '$.postgres.database is missing'],
])('postgresDdl goes through the schema: %s', (_, spec, message) => {
  const print = () => postgresDdl(spec as PostgresSpec);
  expect(print).toThrow(
    expect.objectContaining({ name: 'SinkError', code: 'SPEC_INVALID', message: expect.stringContaining(message) }),
  );
});

test.each(['\n', '\r', '\r\n', '\u0085', '\u2028'])(
  'no name ends the comments of postgresDdl: %j is refused in each',
  (lineBreak) => {
    const name = `d${lineBreak}DROP TABLE victim;--`;
    for (const part of [{ database: name }, { schema: name }, { table: name }])
      expect(() => postgresDdl({ database: 'd', table: 't', ...part })).toThrow(
        /(?:holds|must not hold) .*(?:line break|U\+0085)/,
      );
  },
);
