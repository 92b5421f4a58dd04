// kubectl get deployments,services -A -o json | DATABASE_URL=postgresql://… npx -y pnpm@12.21.0 example:postgres
import { createExporter, createSinkRegistry } from '@kollect/core';
import { collect, loadManifests, scope, withoutSecrets } from '@kollect/example-sample-cluster';
import { postgresSink } from '@kollect/sink-postgres';

const { DATABASE_URL: dsn, DATABASE_TLS: mode = 'verify-full', DATABASE_CA: ca } = process.env;

async function main(): Promise<void> {
  if (dsn === undefined || !URL.canParse(dsn))
    throw new Error('Set DATABASE_URL to postgresql://user:password@host:5432/database.');
  if (!isTlsMode(mode)) throw new Error(`DATABASE_TLS is "${mode}". Set it to ${tlsModes.join(', ')}.`);
  const exporter = createExporter({ registry: createSinkRegistry([postgresSink]), logger: console });
  exporter.updateSink({
    name: 'portal',
    config: {
      type: 'postgres',
      postgres: {
        database: new URL(dsn).pathname.slice(1),
        table: 'kollect_inventory',
        tls: { mode },
        maxDeletes: '50%',
      },
    },
    // A function: a rotated secret arrives at the next connect.
    connection: { credentials: () => ({ dsn }), ...(ca === undefined ? {} : { tls: { ca } }) },
  });
  const { cluster = '', inventoryNamespace: namespace, inventoryName: name } = scope;
  const inventory = { cluster, namespace, name, sinks: ['portal'] };
  try {
    // An operator does this in its reconcile loop, as often as it likes.
    const { objects } = await loadManifests();
    const report = await exporter.export(
      inventory,
      await collect(withoutSecrets(objects), { generation: 1, exportedAt: new Date() }),
    );
    for (const { sink, outcome, counts, error } of report.sinks)
      console.log({ sink, outcome, ...counts, ...(error === undefined ? {} : { error: error.message }) });
    if (!report.ok) process.exitCode = 1;
  } finally {
    await exporter.close();
  }
}

const tlsModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

function isTlsMode(text: string): text is (typeof tlsModes)[number] {
  return (tlsModes as readonly string[]).includes(text);
}

await main().catch((error: unknown) => {
  console.error(`Error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
