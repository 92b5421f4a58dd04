// kubectl get deployments,services -A -o json | npx -y pnpm@12.21.0 example:file ./inventories
import { resolve } from 'node:path';
import { createExporter, createSinkRegistry } from '@kollect/core';
import { collect, loadManifests, scope, withoutSecrets } from '@kollect/example-sample-cluster';
import { fileSink } from './file-sink.ts';
const folder = process.argv.slice(2).find((argument) => argument !== '--') ?? 'inventories';
// Scripts run in the directory of the project; INIT_CWD is where the user stands.
const directory = resolve(process.env['INIT_CWD'] ?? '.', folder);
const exporter = createExporter({ registry: createSinkRegistry([fileSink({ directory })]), logger: console });
try {
  exporter.updateSink({ name: 'files', config: { type: 'file', file: {} } });
  const { objects } = await loadManifests();
  const snapshot = await collect(withoutSecrets(objects), { generation: 1, exportedAt: new Date() });
  const { cluster = '', inventoryNamespace: namespace, inventoryName: name } = scope;
  const report = await exporter.export({ cluster, namespace, name, sinks: ['files'] }, snapshot);
  for (const { outcome, counts, reference, error } of report.sinks)
    console.log({ directory, outcome, ...counts, reference, ...(error === undefined ? {} : { error: error.message }) });
  process.exitCode = report.ok ? 0 : 1;
} finally {
  await exporter.close();
}
