import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { postgresSink } from './postgres-sink.ts';
import { postgresSpecSchema, type PostgresSpec } from './postgres-spec-schema.ts';

const least: PostgresSpec = { database: 'inventory', table: 'items' };

test('a spec with the required fields alone gets every default', () => {
  expect(postgresSink.parseSpec(least)).toEqual({
    database: 'inventory',
    schema: 'public',
    table: 'items',
    mode: 'upsert',
    deletes: 'hard',
    provisioning: 'create',
    tls: { mode: 'verify-full' },
    statementTimeoutMs: 60_000,
    connectTimeoutMs: 10_000,
    poolSize: 4,
    applicationName: 'kollect',
    resyncIntervalMs: 86_400_000,
    clusterInKey: false,
    partitions: 0,
    indexes: [],
  });
});

test.each([
  [{ statementTimeout: '1m30s' }, { statementTimeoutMs: 90_000 }],
  [{ resyncInterval: '0s' }, { resyncIntervalMs: 0 }],
  [{ maxDeletes: 0 }, { maxDeletes: { rows: 0 } }],
  [{ maxDeletes: 500 }, { maxDeletes: { rows: 500 } }],
  [{ maxDeletes: '10%' }, { maxDeletes: { percent: 10 } }],
  [{ tls: { mode: 'verify-ca', serverName: 'db' } }, { tls: { mode: 'verify-ca', serverName: 'db' } }],
  [{ indexes: ['gvk', 'gvk'] }, { indexes: ['gvk'] }],
] as const satisfies readonly (readonly [Partial<PostgresSpec>, object])[])('%j becomes %j', (part, expected) => {
  expect(postgresSink.parseSpec({ ...least, ...part })).toMatchObject(expected);
});

test('nobody can change a resolved spec', () => {
  const spec = postgresSink.parseSpec({ ...least, maxDeletes: 1 });
  for (const frozen of [spec, spec.tls, spec.indexes, spec.maxDeletes]) expect(Object.isFrozen(frozen)).toBe(true);
});

test.each([
  [{ mode: 'append', deletes: 'soft' }, '$.postgres.deletes: has no meaning with mode append'],
  [{ mode: 'append', partitions: 4 }, '$.postgres.partitions: has no meaning with mode append'],
  [{ mode: 'append', clusterInKey: true }, '$.postgres.clusterInKey: has no meaning with mode append'],
  [{ mode: 'append', maxDeletes: 1 }, '$.postgres.maxDeletes: has no meaning with mode append'],
  [{ mode: 'append', indexes: ['gvk'] }, '$.postgres.indexes: has no meaning with mode append'],
  [{ partitions: 1 }, '$.postgres.partitions: 1 partition divides nothing'],
  [{ statementTimeout: '0s' }, '$.postgres.statementTimeout: must be above zero'],
  [{ connectTimeout: '25h' }, '$.postgres.connectTimeout: must be above zero and at most 24h'],
  [{ tls: { serverName: 'a b' } }, '$.postgres.tls.serverName: expected the name of a certificate'],
  [{ tls: { serverName: 'https://db' } }, '$.postgres.tls.serverName: expected the name of a certificate'],
  [{ tls: { serverName: 'db', mode: 'disable' } }, '$.postgres.tls.serverName: has no meaning with mode disable'],
  [{ resyncInterval: 'daily' }, '$.postgres.resyncInterval'],
  [{ table: 'a\0b' }, '$.postgres.table holds the character U+0000 at character 2'],
  [{ database: 'd\nDROP TABLE x;--' }, '$.postgres.database holds a line break at character 2'],
  [{ schema: 's\u2028' }, '$.postgres.schema: must not hold line breaks'],
  [{ schema: '\ud800' }, '$.postgres.schema holds the character U+D800 at character 1'],
  [{ database: '' }, '$.postgres.database: expected text that is not empty'],
  [
    { database: 'postgres://db/x' },
    '$.postgres.database: looks like a connection string; put the DSN into the credentials',
  ],
  [{ schema: 'app:geheim@db' }, '$.postgres.schema: looks like a connection string'],
  [{ table: 'host=db user=app' }, '$.postgres.table: looks like a connection string'],
  [{ schema: 's'.repeat(64) }, '$.postgres.schema: expected at most 63 characters'],
  [{ schema: 'é'.repeat(32) }, 'is 64 bytes long, PostgreSQL keeps 63'],
  [{ table: 't'.repeat(51) }, `makes the name "${'t'.repeat(51)}_exports_pkey" of 64 bytes`],
  [{ table: 't'.repeat(51) }, 'use a table name of at most 50 bytes'],
  [{ table: 'é'.repeat(26) }, 'use a table name of at most 50 bytes'],
  [{ table: 't'.repeat(48), mode: 'append' }, 'use a table name of at most 47 bytes'],
] as const satisfies readonly (readonly [Partial<PostgresSpec>, string])[])('%j is refused', (part, message) => {
  const resolve = () => postgresSink.parseSpec({ ...least, ...part });
  expect(resolve).toThrow(expect.objectContaining({ code: 'SPEC_INVALID', message: expect.stringContaining(message) }));
  expect(resolve).not.toThrow(/geheim/u);
});

test.each([
  [50, 'upsert'],
  [47, 'append'],
] as const)('a table name of %i bytes fits with mode %s', (bytes, mode) => {
  expect(postgresSink.parseSpec({ ...least, table: 't'.repeat(bytes), mode }).table).toHaveLength(bytes);
});

test('every problem is named at once', () => {
  const resolve = () =>
    postgresSink.parseSpec({ ...least, mode: 'append', deletes: 'soft', partitions: 8, connectTimeout: '0s' });
  expect(resolve).toThrow(/connectTimeout.*deletes.*partitions/);
});

describe('docs/postgres.md', () => {
  const page = readFileSync(new URL('../../../docs/postgres.md', import.meta.url), 'utf8');
  const section = /\n## Every field of the spec\n([\s\S]*?)\n## /.exec(page)?.[1] ?? '';
  const rows = new Map(
    [...section.matchAll(/^\| `([\w.]+)` \|([^|]*)\|/gm)].map(([, field = '', fallback = '']) => [
      field,
      fallback.trim(),
    ]),
  );

  test('its table names exactly the fields of the schema', () => {
    const { tls, ...others } = postgresSpecSchema.properties;
    expect([...rows.keys()].sort()).toEqual(
      [...Object.keys(others), ...Object.keys(tls.properties).map((name) => `tls.${name}`)].sort(),
    );
  });

  test('its defaults are those of the schema', () => {
    const { tls, ...others } = postgresSpecSchema.properties;
    const fields = {
      ...others,
      ...Object.fromEntries(Object.entries(tls.properties).map(([name, field]) => [`tls.${name}`, field])),
    };
    for (const [name, field] of Object.entries(fields)) {
      if (!('default' in field)) continue;
      const value: unknown = field.default;
      expect([name, rows.get(name)]).toEqual([
        name,
        `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``,
      ]);
    }
  });
});
