import pg from 'pg';
import { timed, collectGarbage } from '../measure/time.ts';

/** Holds every table of the benchmark. */
export const benchSchema = 'kollect_bench';

/** Durability as in production; what would strike one contender and not another, or grow with chance, is held still. */
export const serverSettings = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  max_wal_size: '16GB',
} as const;

/** A table as the sink makes it; without its key it is the heap that L0 fills. */
export function createTableSql(table: string, { key }: { readonly key: boolean }): string {
  const text = 'text COLLATE "C" NOT NULL';
  return `CREATE TABLE ${table} (
    inventory_namespace ${text}, inventory_name ${text}, target_name ${text}, source_uid ${text}, cluster ${text} DEFAULT '',
    gvk text NOT NULL, generation bigint NOT NULL, payload jsonb NOT NULL, exported_at timestamptz NOT NULL, row_digest uuid
    ${key ? ', PRIMARY KEY (inventory_namespace, inventory_name, target_name, source_uid)' : ''})`;
}

/** Columns that a contender of the benchmark's own fills; the digest is the sink's affair. */
export const rowColumns = [
  'inventory_namespace',
  'inventory_name',
  'target_name',
  'source_uid',
  'cluster',
  'gvk',
  'generation',
  'payload',
  'exported_at',
] as const;

/** A client that its owner ends. */
export async function connect(dsn: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: dsn });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export interface Probe {
  /** Milliseconds of the work, and the WAL that the server wrote meanwhile. Garbage is collected first. */
  measure(work: () => Promise<unknown>): Promise<{ readonly ms: number; readonly walBytes: number }>;
  /** Statements that no measurement pays for. */
  run(...statements: readonly string[]): Promise<void>;
  /** Throws where the table holds another number of rows: what did not do the work is not measured. */
  expectRows(table: string, count: number): Promise<void>;
  close(): Promise<void>;
}

/** A connection beside those that are measured. */
export async function createProbe(dsn: string): Promise<Probe> {
  const client = await connect(dsn);
  const walPosition = async (): Promise<number> => {
    const { rows } = await client.query<{ bytes: string }>("SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes");
    return Number(rows[0]?.bytes);
  };
  return {
    async measure(work) {
      collectGarbage();
      const before = await walPosition();
      const { ms } = await timed(work);
      return { ms, walBytes: (await walPosition()) - before };
    },
    async run(...statements) {
      for (const statement of statements) await client.query(statement);
    },
    async expectRows(table, count) {
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
      if (Number(rows[0]?.count) !== count)
        throw new Error(`${table} holds ${rows[0]?.count} rows, expected ${count}: the figures would mean nothing.`);
    },
    close: () => client.end(),
  };
}
