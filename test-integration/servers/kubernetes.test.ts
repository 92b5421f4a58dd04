import { afterEach, expect, test } from '@jest/globals';
import { createKubectl, pathOf } from '../support/kubernetes.ts';
import { startKubernetes, type KubernetesServer } from './index.ts';

const START_MS = 180_000;
const servers: KubernetesServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(...users: readonly string[]): Promise<KubernetesServer> {
  const server = await startKubernetes({ users });
  servers.push(server);
  return server;
}

test(
  'keeps what it knows, and its port, when it is killed and started again',
  async () => {
    const server = await start();
    const kubectl = createKubectl(server);
    const namespace = await kubectl.namespace();
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kept', namespace },
      data: { a: 'b' },
    });
    await server.kill();
    await expect(kubectl.get('/version')).rejects.toThrow();
    await server.start();
    expect((await kubectl.get(pathOf('v1', 'configmaps', namespace, 'kept')))?.['data']).toEqual({ a: 'b' });
    expect((await kubectl.get('/version'))?.['gitVersion']).toBe(server.version);
  },
  START_MS,
);

test(
  'a user may do what it is given a right to, and nothing else',
  async () => {
    const server = await start('tenant');
    const [admin, tenant] = [createKubectl(server), createKubectl(server, server.tokenOf('tenant'))];
    const namespace = await admin.namespace();
    const path = pathOf('v1', 'configmaps', namespace);
    await expect(tenant.get(path)).rejects.toThrow('403');
    await admin.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'reader', namespace },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }],
    });
    await admin.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'reader', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'User', name: 'tenant', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    expect((await tenant.get(path))?.items).toEqual([]);
    expect((await createKubectl(server, 'wrong').ask('GET', path)).status).toBe(401);
  },
  START_MS,
);

test(
  'a watch from before a compaction gets 410',
  async () => {
    const server = await start();
    const kubectl = createKubectl(server);
    const namespace = await kubectl.namespace();
    const path = pathOf('v1', 'configmaps', namespace);
    const change = (name: string) =>
      kubectl.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } });
    await change('a');
    const before = String((await kubectl.get(path))?.metadata?.['resourceVersion']);
    for (const name of ['b', 'c', 'd']) await change(name);
    await server.compact();
    // Else its cache still knows what etcd forgot.
    await server.kill();
    await server.start();
    const { body } = await kubectl.ask('GET', `${path}?watch=true&timeoutSeconds=1&resourceVersion=${before}`);
    expect(JSON.stringify(body)).toContain('410');
  },
  START_MS,
);
