// Exports one snapshot through a proxy that stops in the middle, says so, and waits to be killed.
import { sealSnapshot } from '@kollect/core';
import { sinkOver } from './sink.ts';

interface Order {
  readonly database: {
    readonly database: string;
    readonly credentials: { username: string; password: string; host: string; port: number };
  };
  readonly count: number;
}

const { database, count } = JSON.parse(process.argv[2] ?? '') as Order;
const sink = sinkOver(database);
const snapshot = await sealSnapshot({
  cluster: 'prod',
  inventoryNamespace: 'team-a',
  inventoryName: 'web',
  generation: 1,
  exportedAt: '2026-01-31T12:01:00.000Z',
  items: Array.from({ length: count }, (_, index) => ({
    targetNamespace: 'platform',
    targetName: 'deployments',
    namespace: 'shop',
    name: `web-${index}`,
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    uid: `uid-web-${index}`,
    attributes: { index, killed: true },
  })),
});
await sink.export(snapshot, { signal: new AbortController().signal });
process.send?.('exported');
await sink.close();
