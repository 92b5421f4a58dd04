// kubectl get deployments,services -A -o json | npx -y pnpm@12.21.0 example:nats --servers nats:4222 --stream inventory
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createExporter, createSinkRegistry } from '@kollect/core';
import { collect, loadManifests, scope, withoutSecrets } from '@kollect/example-sample-cluster';
import { natsSink } from '@kollect/sink-nats';
import { help, parseOptions, type ExampleOptions } from './options.ts';

/** Announces the objects on the stream, once, and says what became of it. */
async function run({ servers, stream, create, tls, ca, retain, format }: ExampleOptions): Promise<void> {
  const exporter = createExporter({ registry: createSinkRegistry([natsSink]), logger: console });
  // Scripts run in the directory of the project; INIT_CWD is where the user stands.
  const authority = ca === undefined ? undefined : await readFile(resolve(process.env['INIT_CWD'] ?? '.', ca), 'utf8');
  const sink = {
    name: 'events',
    config: {
      type: 'nats',
      nats: {
        servers,
        stream,
        retain,
        format,
        provisioning: create ? 'create' : 'existing',
        ...(tls ? { tls: {} } : {}),
      },
    },
    // Functions: a rotated secret arrives at the next connect.
    connection: { credentials, ...(authority === undefined ? {} : { tls: { ca: authority } }) },
  } as const;
  try {
    exporter.updateSink(sink);
    const { objects } = await loadManifests();
    const snapshot = await collect(withoutSecrets(objects), { generation: 1, exportedAt: new Date() });
    const { cluster = '', inventoryNamespace: namespace, inventoryName: name } = scope;
    // An operator does this in its reconcile loop, as often as it likes.
    const report = await exporter.export({ cluster, namespace, name, sinks: ['events'] }, snapshot);
    for (const { outcome, messages, bytes, error } of report.sinks)
      console.log({ stream, outcome, messages, bytes, ...(error === undefined ? {} : { error: error.message }) });
    if (report.ok) return;
    process.exitCode = 1;
    for (const { name: step, status, found, remedy } of (await exporter.testConnection(sink)).steps)
      console.log(`${status.padEnd(7)} ${step}: ${found} ${remedy ?? ''}`.trimEnd());
  } finally {
    await exporter.close();
  }
}

/** One login, by what is set; without any none is made. */
function credentials(): Readonly<Record<string, string>> {
  const { NATS_CREDS: creds, NATS_NKEY: nkey, NATS_TOKEN: token, NATS_USERNAME: username } = process.env;
  const password = process.env['NATS_PASSWORD'];
  const given = { creds, nkey, token, username, password };
  return Object.fromEntries(Object.entries(given).flatMap(([field, value]) => (value ? [[field, value]] : [])));
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(help);
  else await run(options);
} catch (error) {
  console.error(`Error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
