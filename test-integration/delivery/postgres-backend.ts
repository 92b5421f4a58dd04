import { sealSnapshot, type Item } from '@kollect/core';
import { startFaultProxy, startPostgres } from '../servers/index.ts';
import type { Backend } from './backend.ts';

const table = 'soak';

export async function startPostgresBackend(): Promise<Backend> {
  const server = await startPostgres({ tls: false });
  const database = await server.createDatabase();
  const proxy = await startFaultProxy({ target: server });
  const { username, password } = database.credentials;
  return {
    proxy,
    resource: {
      name: 'postgres',
      config: {
        type: 'postgres',
        postgres: { database: database.database, table, tls: { mode: 'disable' }, connectTimeout: '2s' },
      },
      connection: { credentials: { username, password, host: proxy.host, port: String(proxy.port) } },
      delivery: { attemptTimeout: '3s', deadline: '10s', breaker: { openFor: '2s' } },
    },
    kill: () => server.restart('kill'),
    async lacking(latest) {
      const rows = await database.query<{ name: string; items: Item[] }>(
        `SELECT inventory_name AS name, jsonb_agg(payload) AS items FROM ${table} GROUP BY inventory_name`,
      );
      const held = new Map(rows.map(({ name, items }) => [name, items]));
      const lacking: string[] = [];
      for (const [name, { inventoryNamespace, exportedAt, generation, checksum }] of latest) {
        const stored = await sealSnapshot({
          inventoryNamespace,
          inventoryName: name,
          generation,
          exportedAt,
          items: held.get(name) ?? [],
        });
        if (stored.checksum !== checksum) lacking.push(name);
      }
      return lacking;
    },
    async stop() {
      await proxy.close();
      await server.stop();
    },
  };
}
