import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppsV1Api, CoreV1Api, KubeConfig, loadAllYaml, type V1Deployment } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sealSnapshot } from '../contract/snapshot/seal-snapshot.ts';
import { itemFromObject, type AttributeSource } from './item-from-object.ts';

const target = { namespace: 'platform', name: 'workloads' };

/** As the API server writes it. */
const raw = {
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'o', uid: 'u0' }],
    managedFields: [{ manager: 'kubectl', time: '2026-01-01T00:00:00Z' }],
  },
  spec: {
    replicas: 2,
    strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
    template: { spec: { containers: [{ name: 'c', image: 'nginx', resources: { limits: { cpu: '1' } } }] } },
  },
  status: { conditions: [{ type: 'Available', status: 'True', lastTransitionTime: '2026-01-01T00:00:00.5Z' }] },
};

let server: Server;
let config: KubeConfig;
beforeAll(async () => {
  server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: {}, items: [raw] }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'f', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: 'u' }],
    contexts: [{ name: 'c', user: 'u', cluster: 'f' }],
    currentContext: 'c',
  });
});
afterAll(async () => {
  const closed = new Promise((resolve) => void server.close(resolve));
  server.closeAllConnections();
  await closed;
});

async function sealedAttributes<T extends object>(object: T, attributes: AttributeSource<T>): Promise<unknown> {
  const item = itemFromObject(object, { target, attributes, apiVersion: 'apps/v1', kind: 'Deployment' });
  const input = { inventoryNamespace: 'n', inventoryName: 'i', generation: 1, items: [item] };
  return (await sealSnapshot(input)).items[0]?.attributes;
}

function withoutManagedFields({ managedFields, ...metadata }: typeof raw.metadata): object {
  expect(managedFields).toHaveLength(1);
  return metadata;
}

test('objects of a typed list are sealed as the API server wrote them', async () => {
  const { items } = await config.makeApiClient(AppsV1Api).listNamespacedDeployment({ namespace: 'shop' });
  const [deployment] = items;
  if (deployment === undefined) throw new Error('the list is empty');
  expect([deployment.constructor.name, deployment.metadata?.creationTimestamp]).toEqual([
    'V1Deployment',
    expect.any(Date),
  ]);
  const paths = [
    '.spec',
    '.metadata',
    '.status',
    '.metadata.creationTimestamp',
    '.spec.template.spec.containers[*].resources',
  ];
  expect(await sealedAttributes(deployment, paths)).toEqual({
    '.spec': raw.spec,
    '.metadata': withoutManagedFields(raw.metadata),
    '.status': { conditions: [{ ...raw.status.conditions[0], lastTransitionTime: '2026-01-01T00:00:00.500Z' }] },
    '.metadata.creationTimestamp': '2026-01-01T00:00:00Z',
    '.spec.template.spec.containers[*].resources': [{ limits: { cpu: '1' } }],
  });
  const whole: AttributeSource<V1Deployment> = ({ spec, metadata }) => ({ spec, since: metadata?.creationTimestamp });
  expect(await sealedAttributes(deployment, whole)).toEqual({ spec: raw.spec, since: '2026-01-01T00:00:00Z' });
});

test('so are those of another list and those of YAML', async () => {
  const { items } = await config.makeApiClient(CoreV1Api).listNode();
  expect(await sealedAttributes(items[0] ?? {}, ['.metadata'])).toEqual({
    '.metadata': withoutManagedFields(raw.metadata),
  });
  const [object] = loadAllYaml(JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', ...raw })) as [V1Deployment];
  expect(object.constructor.name).toBe('V1Deployment');
  expect(await sealedAttributes(object, ['.spec', '.metadata'])).toEqual({
    '.spec': raw.spec,
    '.metadata': withoutManagedFields(raw.metadata),
  });
});
