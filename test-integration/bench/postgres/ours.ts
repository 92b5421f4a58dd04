import { createSinkRegistry, sealSnapshot, type InventorySnapshot, type Scope } from '@kollect/core';
import { postgresSink } from '@kollect/sink-postgres';
import type { Contender, ContenderOptions } from './contender.ts';
import { benchSchema } from './database.ts';
import { benchScope } from './workload.ts';

const registry = createSinkRegistry([postgresSink]);

export interface OursOptions extends ContenderOptions {
  /** Default: the one of the benchmark. */
  readonly scope?: Scope;
  readonly poolSize?: number;
}

export interface OpenSink {
  readonly tables: readonly string[];
  /** Exports a snapshot; throws where another number of items is left. */
  deliver(snapshot: InventorySnapshot): Promise<void>;
  close(): Promise<void>;
}

/** The sink as an operator uses it, with its defaults. */
export async function openOurs({ dsn, table, poolSize = 4 }: Omit<OursOptions, 'scope'>): Promise<OpenSink> {
  const { hostname: host, port, username, password, pathname } = new URL(dsn);
  const sink = registry.create(
    {
      type: 'postgres',
      postgres: { database: pathname.slice(1), schema: benchSchema, table, poolSize, tls: { mode: 'disable' } },
    },
    { credentials: { host, port, username: decodeURIComponent(username), password: decodeURIComponent(password) } },
  );
  const { signal } = new AbortController();
  await sink.open?.({ signal });
  return {
    tables: [`${benchSchema}.${table}`, `${benchSchema}.${table}_exports`],
    async deliver(snapshot) {
      const { outcome, counts } = await sink.export(snapshot, { signal, allowDeletes: true });
      const held = counts.inserted + counts.updated + counts.unchanged;
      if (outcome === 'superseded' || held !== snapshot.items.length)
        throw new Error(`The export is ${outcome} and left ${held} of ${snapshot.items.length} items.`);
    },
    close: () => sink.close(),
  };
}

/** The sink as a contender: `stage` seals, what it returns exports. */
export async function createOurs({ scope = benchScope, ...options }: OursOptions): Promise<Contender> {
  const { tables, deliver, close } = await openOurs(options);
  return {
    tables,
    async stage(items, exportedAt) {
      const snapshot = await sealSnapshot({ ...scope, generation: 1, exportedAt, items });
      return () => deliver(snapshot);
    },
    close,
  };
}

/** SQL that defeats the shortcut: without a checksum the next export compares the digest of every row. */
export function forgetChecksum(table: string): string {
  return `UPDATE ${benchSchema}.${table}_exports SET checksum = NULL`;
}
