// kubectl get deployments,services -A -o json | npx -y pnpm@12.21.0 example:webhook
import { randomBytes } from 'node:crypto';
import { createExporter, createSinkRegistry, parseDocument } from '@kollect/core';
import { collect, loadManifests, scope, withoutSecrets } from '@kollect/example-sample-cluster';
import { startReceiver } from './receiver.ts';
import { webhookSink } from './webhook-sink.ts';

const secret = randomBytes(32).toString('hex');
const receiver = await startReceiver({
  secrets: () => [secret],
  onEvent: (type, body) => {
    const { inventoryName, itemCount, checksum } = parseDocument(body);
    console.log('received, signature good:', { type, inventoryName, itemCount, checksum });
    return 200;
  },
});
const exporter = createExporter({ registry: createSinkRegistry([webhookSink]), logger: console });
try {
  const config = { type: 'webhook', webhook: { url: `http://127.0.0.1:${receiver.port}/inventories` } } as const;
  exporter.updateSink({ name: 'hook', config, connection: { credentials: { secret } } });
  const objects = withoutSecrets((await loadManifests()).objects);
  const snapshot = await collect(objects, { generation: 1, exportedAt: new Date() });
  const inventory = { cluster: scope.cluster ?? '', namespace: scope.inventoryNamespace, name: scope.inventoryName };
  const report = await exporter.export({ ...inventory, sinks: ['hook'] }, snapshot);
  console.log({ ...report.sinks[0]?.counts, idempotencyKey: report.sinks[0]?.reference });
  process.exitCode = report.ok ? 0 : 1;
} finally {
  await exporter.close();
  await receiver.close();
}
