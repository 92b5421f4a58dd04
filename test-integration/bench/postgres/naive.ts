import { formatGvk, type Item } from '@kollect/core';
import type pg from 'pg';
import type { Contender, ContenderOptions } from './contender.ts';
import { benchSchema, connect, createTableSql, rowColumns } from './database.ts';
import { benchScope } from './workload.ts';

const batchRows = 1_000;
const columns = rowColumns.join(', ');
const rewrite = `ON CONFLICT (inventory_namespace, inventory_name, target_name, source_uid) DO UPDATE SET
  cluster = EXCLUDED.cluster, gvk = EXCLUDED.gvk, generation = EXCLUDED.generation, payload = EXCLUDED.payload, exported_at = EXCLUDED.exported_at`;

const { inventoryNamespace, inventoryName, cluster } = benchScope;
const generation = 1;

/** What is written first: one prepared upsert for each item, awaited one after another, in one transaction. */
export function createRowAtATime(options: ContenderOptions): Promise<Contender> {
  return createNaive(options, async (client, table, items, exportedAt) => {
    const text = `INSERT INTO ${table} (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ${rewrite}`;
    for (const item of items) {
      const values = [
        inventoryNamespace,
        inventoryName,
        item.targetName,
        item.uid,
        cluster,
        formatGvk(item),
        generation,
        JSON.stringify(item),
        exportedAt,
      ];
      await client.query({ name: 'upsert', text, values });
    }
  });
}

/** What is written second: a thousand items a statement, as arrays of node-postgres, every row rewritten. */
export function createUnnestUpsert(options: ContenderOptions): Promise<Contender> {
  return createNaive(options, async (client, table, items, exportedAt) => {
    const text = `INSERT INTO ${table} (${columns})
      SELECT $1, $2, s.target_name, s.source_uid, $3, s.gvk, $4, s.payload, $5
      FROM unnest($6::text[], $7::text[], $8::text[], $9::jsonb[]) s (target_name, source_uid, gvk, payload) ${rewrite}`;
    for (let start = 0; start < items.length; start += batchRows) {
      const batch = items.slice(start, start + batchRows);
      const arrays = [
        batch.map((item) => item.targetName),
        batch.map((item) => item.uid),
        batch.map(formatGvk),
        batch.map((item) => JSON.stringify(item)),
      ];
      await client.query({
        name: 'upsert',
        text,
        values: [inventoryNamespace, inventoryName, cluster, generation, exportedAt, ...arrays],
      });
    }
  });
}

type Upsert = (client: pg.Client, table: string, items: readonly Item[], exportedAt: string) => Promise<void>;

/** Every row carries the time of the last export, so that what is gone is what carries an older one. */
async function createNaive({ dsn, table: bare }: ContenderOptions, upsert: Upsert): Promise<Contender> {
  const client = await connect(dsn);
  const table = `${benchSchema}.${bare}`;
  await client.query(createTableSql(table, { key: true }).replace('CREATE TABLE', 'CREATE TABLE IF NOT EXISTS'));
  const removeOlder = `DELETE FROM ${table} WHERE inventory_namespace = $1 AND inventory_name = $2 AND exported_at < $3`;
  return {
    tables: [table],
    stage: async (items, exportedAt) => async () => {
      await client.query('BEGIN');
      await upsert(client, table, items, exportedAt);
      await client.query(removeOlder, [inventoryNamespace, inventoryName, exportedAt]);
      await client.query('COMMIT');
    },
    close: () => client.end(),
  };
}
