import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { joinParts, parseDocument, type InventoryDocument, type Item, type Scope } from '@kollect/core';
import { postgresSink } from '@kollect/sink-postgres';
import { registerConformanceTests, type ConformanceHooks, type CreateSinkOptions } from '@kollect/sink-testkit';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { sinkOver, type SinkBlock } from './sink.ts';
import { openTestDatabase } from '../support/postgres.ts';

const secretCanary = 'canary-9b1f-s3cr3t';
const ofScope = 'cluster = $1 AND inventory_namespace = $2 AND inventory_name = $3';

let roles = 0;

/** A database with a user of its own, whose password nothing may show. */
function storeWith(spec: SinkBlock) {
  const store: { database?: DatabaseAccess } = {};
  const database = (): DatabaseAccess => {
    if (store.database === undefined) throw new Error('the database is not open yet');
    return store.database;
  };
  const role = `canary_${(roles += 1)}`;
  beforeAll(async () => {
    store.database = await openTestDatabase();
    await database().query(`DROP ROLE IF EXISTS ${role}`);
    await database().query(`CREATE ROLE ${role} LOGIN PASSWORD '${secretCanary}'`);
    await database().query(`GRANT ALL ON SCHEMA public TO ${role}`);
  });
  afterAll(async () => {
    await database().drop();
  });
  let password = secretCanary;
  const sinkAt = (
    { host, port }: { readonly host: string; readonly port: number },
    { name, egress, logger }: CreateSinkOptions,
  ) =>
    sinkOver(database(), {
      spec,
      name,
      egress,
      logger,
      credentials: () => ({ username: role, password, host, port: String(port) }),
    });
  const address = () => database().credentials;
  const endSessions = () =>
    database().query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`);
  let rotations = 0;
  const hooks: ConformanceHooks = {
    server: { address, protocol: 'tcp' },
    denyWrites: async () => {
      await database().query(`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role}`);
      return async () => {
        await database().query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`);
      };
    },
    breakWrites: async () => {
      await database().query(`ALTER TABLE inventory ADD CONSTRAINT broken CHECK (false) NOT VALID`);
      return async () => {
        await database().query(`ALTER TABLE inventory DROP CONSTRAINT broken`);
      };
    },
    rotateCredentials: async () => {
      password = `${secretCanary}-${(rotations += 1)}`;
      await database().query(`ALTER ROLE ${role} PASSWORD '${password}'`);
      await endSessions();
    },
    leftovers: async () => {
      const relations = await database().query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
          UNION ALL SELECT concat_ws(' ', state, query) FROM pg_stat_activity WHERE usename = '${role}' AND state <> 'idle'`,
      );
      return relations.map(({ name }) => name);
    },
  };
  return {
    database,
    secretCanary,
    createSink: (options: CreateSinkOptions) => sinkAt(options.server ?? address(), options),
    brokenSink: (options: CreateSinkOptions) => sinkAt({ host: '127.0.0.1', port: 1 }, options),
    hooks,
  };
}

const scopeOf = ({ cluster, inventoryNamespace, inventoryName }: Scope): unknown[] => [
  cluster ?? '',
  inventoryNamespace,
  inventoryName,
];

describe.each<[string, SinkBlock]>([
  ['deletes: hard', {}],
  ['deletes: soft', { deletes: 'soft' }],
  ['clusterInKey and partitions', { clusterInKey: true, partitions: 3 }],
  ['resync at each export', { resyncInterval: '1ms' }],
])('mode: upsert, %s', (_, spec) => {
  const { database, ...store } = storeWith(spec);
  registerConformanceTests({
    test,
    definition: postgresSink,
    harness: {
      ...store,
      holds: 'items',
      read: async (scope) => {
        const alive = spec.deletes === 'soft' ? 'AND deleted_at IS NULL' : '';
        const [there] = await database().query<{ there: boolean }>(
          `SELECT to_regclass('public.inventory') IS NOT NULL AS there`,
        );
        if (there?.there !== true) return [];
        const rows = await database().query<{ payload: string }>(
          `SELECT payload::text FROM inventory WHERE ${ofScope} ${alive}`,
          scopeOf(scope),
        );
        return rows.map(({ payload }) => JSON.parse(payload) as Item);
      },
    },
  });
});

describe('mode: append', () => {
  const { database, ...store } = storeWith({ mode: 'append' });
  registerConformanceTests({
    test,
    definition: { ...postgresSink, capabilities: { ...postgresSink.capabilities, deletes: false } },
    harness: {
      ...store,
      holds: 'documents',
      read: async (scope) => {
        const [there] = await database().query<{ there: boolean }>(
          `SELECT to_regclass('public.inventory') IS NOT NULL AS there`,
        );
        if (there?.there !== true) return [];
        // History stays; that the inventory is gone is what its row of the exports table says.
        const [gone] = await database().query<{ removed: boolean }>(
          `SELECT removed FROM inventory_exports WHERE ${ofScope}`,
          scopeOf(scope),
        );
        if (gone?.removed === true) return [];
        const rows = await database().query<{ document: string; part_index: number; part_total: number }>(
          `SELECT document::text, part_index, part_total FROM inventory WHERE ${ofScope} ORDER BY exported_at, id`,
          scopeOf(scope),
        );
        const documents: InventoryDocument[] = [];
        let parts: InventoryDocument[] = [];
        for (const row of rows) {
          parts.push(parseDocument(row.document));
          if (parts.length < row.part_total) continue;
          documents.push(joinParts(parts));
          parts = [];
        }
        return documents;
      },
    },
  });
});
