// kubectl get deployments,services -A -o json | npx -y pnpm@12.21.0 example:file ./inventories
import { resolve } from 'node:path';
import { createExporter, createSinkRegistry } from '@kollect/core';
import { collect, loadManifests, scope, withoutSecrets } from '@kollect/example-sample-cluster';
import { fileSink } from './file-sink.ts';

const folder = process.argv.slice(2).find((argument) => argument !== '--') ?? 'inventories';
// INIT_CWD: where the user stands, since scripts run in the directory of the project.
const directory = resolve(process.env['INIT_CWD'] ?? '.', folder);
const exporter = createExporter({ registry: createSinkRegistry([fileSink({ directory })]), logger: console });
try {
  exporter.updateSink({ name: 'files', config: { type: 'file', file: {} } });
  const objects = withoutSecrets((await loadManifests()).objects);
  const snapshot = await collect(objects, { generation: 1, exportedAt: new Date() });
  const inventory = { cluster: scope.cluster ?? '', namespace: scope.inventoryNamespace, name: scope.inventoryName };
  const report = await exporter.export({ ...inventory, sinks: ['files'] }, snapshot);
  console.log({ directory, ...report.sinks[0]?.counts, reference: report.sinks[0]?.reference });
  process.exitCode = report.ok ? 0 : 1;
} finally {
  await exporter.close();
}
