import { createSinkRegistry, sealSnapshot, type Scope } from '@kollect/core';
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

/** The sink as an operator uses it, with its defaults: `stage` seals, what it returns exports. */
export async function createOurs({ dsn, table, scope = benchScope, poolSize = 4 }: OursOptions): Promise<Contender> {
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
    async stage(items, exportedAt) {
      const snapshot = await sealSnapshot({ ...scope, generation: 1, exportedAt, items });
      return async () => {
        const { outcome, counts } = await sink.export(snapshot, { signal, allowDeletes: true });
        const held = counts.inserted + counts.updated + counts.unchanged;
        if (outcome === 'superseded' || held !== items.length)
          throw new Error(`The export is ${outcome} and left ${held} of ${items.length} items.`);
      };
    },
    close: () => sink.close(),
  };
}

/** SQL that defeats the shortcut: without a checksum the next export compares the digest of every row. */
export function forgetChecksum(table: string): string {
  return `UPDATE ${benchSchema}.${table}_exports SET checksum = NULL`;
}
