// kubectl get deployments,services -A -o json | npx -y pnpm@12.21.0 example:kafka --brokers broker:9092 --topic inventory
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createExporter, createSinkRegistry } from '@kollect/core';
import { collect, loadManifests, scope, withoutSecrets } from '@kollect/example-sample-cluster';
import { kafkaSink } from '@kollect/sink-kafka';
import { help, parseOptions, type ExampleOptions } from './options.ts';

/** Announces the objects on the topic, once, and says what became of it. */
async function run({ brokers, topic, create, tls, ca, sasl, format }: ExampleOptions): Promise<void> {
  const exporter = createExporter({ registry: createSinkRegistry([kafkaSink]), logger: console });
  // Scripts run in the directory of the project; INIT_CWD is where the user stands.
  const authority = ca === undefined ? undefined : await readFile(resolve(process.env['INIT_CWD'] ?? '.', ca), 'utf8');
  const sink = {
    name: 'events',
    config: {
      type: 'kafka',
      kafka: {
        brokers,
        topic,
        format,
        topicProvisioning: create ? 'create' : 'existing',
        ...(tls === undefined ? {} : { tls: { mode: tls ? ('verify-full' as const) : ('disable' as const) } }),
        ...(sasl === undefined ? {} : { sasl: { mechanism: sasl } }),
      },
    },
    connection: {
      // Functions: a rotated secret arrives at the next connect.
      ...(sasl === undefined ? {} : { credentials: () => credentials(sasl) }),
      ...(authority === undefined ? {} : { tls: { ca: authority } }),
    },
  } as const;
  try {
    exporter.updateSink(sink);
    const { objects } = await loadManifests();
    const snapshot = await collect(withoutSecrets(objects), { generation: 1, exportedAt: new Date() });
    const { cluster = '', inventoryNamespace: namespace, inventoryName: name } = scope;
    // An operator does this in its reconcile loop, as often as it likes.
    const report = await exporter.export({ cluster, namespace, name, sinks: ['events'] }, snapshot);
    for (const { outcome, messages, bytes, error } of report.sinks)
      console.log({ topic, outcome, messages, bytes, ...(error === undefined ? {} : { error: error.message }) });
    if (report.ok) return;
    process.exitCode = 1;
    for (const { name, status, found, remedy } of (await exporter.testConnection(sink)).steps)
      console.log(`${status.padEnd(7)} ${name}: ${found} ${remedy ?? ''}`.trimEnd());
  } finally {
    await exporter.close();
  }
}

function credentials(sasl: NonNullable<ExampleOptions['sasl']>): Readonly<Record<string, string>> {
  const { KAFKA_USERNAME: username = '', KAFKA_PASSWORD: password = '', KAFKA_TOKEN: token = '' } = process.env;
  return sasl === 'oauthbearer' ? { token } : { username, password };
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(help);
  else await run(options);
} catch (error) {
  console.error(`Error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
