// What a user of the packages writes in TypeScript.
import { createSinkRegistry, formatScope, sealSnapshot, type ExportResult, type Item } from '@kollect/core';
import { postgresSink } from '@kollect/sink-postgres';

const { CONSUMER_DSN: dsn = '', CONSUMER_TABLE: table = '' } = process.env;
const database = new URL(dsn).pathname.slice(1);
const item: Item = {
  targetNamespace: 'platform',
  targetName: 'deployments',
  namespace: 'shop',
  name: 'web',
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  uid: 'c0ffee00-0000-4000-8000-000000000001',
  attributes: { replicas: 3 },
};
const snapshot = await sealSnapshot({ inventoryNamespace: 'platform', inventoryName: table, generation: 1, exportedAt: new Date().toISOString(), items: [item] });
const registry = createSinkRegistry([postgresSink]);
const sink = registry.create({ type: 'postgres', postgres: { database, table, tls: { mode: 'disable' } } }, { credentials: () => ({ dsn }) });
const signal = AbortSignal.timeout(20_000);
await sink.open?.({ signal });
const result: ExportResult = await sink.export(snapshot, { signal });
await sink.close();
console.log(formatScope(snapshot), result.outcome, result.counts.inserted);

// @ts-expect-error -- the registry knows its types: a type that nobody defined does not compile.
const refused: Parameters<typeof registry.create>[0] = { type: 'postgress', postgres: { database, table } };
void refused;
