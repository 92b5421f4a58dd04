import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  createResourceWatch,
  type KubernetesApi,
  type ResourceType,
  type ResourceWatch,
  type WatchChange,
  type WatchState,
} from '@kollect/kubernetes';
import { startFaultProxy, startKubernetes, type FaultProxy, type KubernetesServer } from '../servers/index.ts';
import { apiOf, createKubectl, pathOf, type Kubectl } from '../support/kubernetes.ts';
import { waitUntil } from '../support/wait-until.ts';

let server: KubernetesServer;
let kubectl: Kubectl;
let proxy: FaultProxy;
let api: Required<KubernetesApi>;
let namespace: string;
const configMaps: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const WAIT_MS = 60_000;

beforeAll(async () => {
  server = await startKubernetes({ users: ['tenant'] });
  kubectl = createKubectl(server);
  const { hostname: host, port } = new URL(server.url);
  proxy = await startFaultProxy({ target: { host, port: Number(port) } });
  api = apiOf(server, { url: `https://127.0.0.1:${String(proxy.port)}` });
}, 180_000);
afterAll(async () => {
  await api.close();
  await proxy.close();
  await server.stop();
});
beforeEach(async () => {
  namespace = await kubectl.namespace();
});

const apply = (name: string, data = {}) =>
  kubectl.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data });
const remove = (name: string) => kubectl.delete(pathOf('v1', 'configmaps', namespace, name));

interface Told {
  readonly watch: ResourceWatch;
  readonly changes: WatchChange<unknown>[];
  readonly states: WatchState[];
}

function start(from: Required<KubernetesApi> = api): Told {
  const changes: WatchChange<unknown>[] = [];
  const states: WatchState[] = [];
  const watch = createResourceWatch(from, {
    type: configMaps,
    selection: { namespace },
    pageSize: 3,
    idleTimeout: '3s',
    staleAfter: '5s',
    onChange: (change) => changes.push(change),
    onState: (state) => states.push(state),
  });
  return { watch, changes, states };
}

const namesOf = ({ watch }: Told): string[] =>
  watch
    .objects()
    .map(({ name }) => name)
    .toSorted((a, b) => a.localeCompare(b));
const holds = (told: Told, ...names: readonly string[]) =>
  waitUntil(() => namesOf(told).join() === names.join(), {
    what: `the watch holds ${names.join()}`,
    timeoutMs: WAIT_MS,
  });

test('holds what there is, page after page, and follows it', async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await apply(name);
  const told = start();
  await waitUntil(() => told.watch.state.synced, { what: 'the list is complete' });
  expect(namesOf(told)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  expect(told.changes.map(({ kind }) => kind)).toEqual(['replace']);
  await remove('c');
  await apply('h');
  await holds(told, 'a', 'b', 'd', 'e', 'f', 'g', 'h');
  // Under the name of one that is gone comes another.
  const before = told.watch.get({ namespace, name: 'a' })?.uid;
  await remove('a');
  await apply('a');
  await waitUntil(() => (told.watch.get({ namespace, name: 'a' })?.uid ?? before) !== before, { what: 'another a' });
  await told.watch.close();
});

test('what was deleted while the network swallowed all is gone after it is back, and not a moment before', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await apply(name);
  const told = start();
  await holds(told, 'a', 'b', 'c', 'd');
  proxy.blackhole();
  await remove('b');
  await remove('d');
  await apply('e');
  await waitUntil(() => told.watch.state.incomplete === 'stale', {
    what: 'the watch says that it is stale',
    timeoutMs: WAIT_MS,
  });
  // Nothing was told: what is held is what was known.
  expect(namesOf(told)).toEqual(['a', 'b', 'c', 'd']);
  proxy.heal();
  await holds(told, 'a', 'c', 'e');
  await waitUntil(() => told.watch.state.incomplete === undefined, {
    what: 'the watch is complete again',
    timeoutMs: WAIT_MS,
  });
  expect(told.watch.state.synced).toBe(true);
  await told.watch.close();
}, 120_000);

test('an API server that was killed is found again, with what happened since', async () => {
  for (const name of ['a', 'b', 'c']) await apply(name);
  const told = start();
  await holds(told, 'a', 'b', 'c');
  await server.kill();
  await waitUntil(() => told.watch.state.problem !== undefined, { what: 'the watch knows', timeoutMs: WAIT_MS });
  expect(namesOf(told)).toEqual(['a', 'b', 'c']);
  await proxy.refuse();
  await server.start();
  await remove('a');
  await apply('d');
  // So that no watch goes on from where it was: it has to list again.
  await server.compact();
  await server.kill();
  await server.start();
  expect(namesOf(told)).toEqual(['a', 'b', 'c']);
  await proxy.accept();
  await holds(told, 'b', 'c', 'd');
  expect(told.changes.filter(({ kind }) => kind === 'replace').length).toBeGreaterThan(1);
  await told.watch.close();
}, 120_000);

test('resets again and again lose nothing', async () => {
  const told = start();
  for (let index = 0; index < 10; index += 1) {
    await apply(`c${String(index)}`);
    proxy.reset();
    if (index > 2) await remove(`c${String(index - 3)}`);
  }
  await holds(told, 'c7', 'c8', 'c9');
  await told.watch.close();
}, 120_000);

test('a right that is taken away is said, and what was known stays', async () => {
  const binding = pathOf('rbac.authorization.k8s.io/v1', 'rolebindings', namespace, 'reader');
  await kubectl.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'reader', namespace },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }],
  });
  const grant = () =>
    kubectl.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'reader', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'User', name: 'tenant', apiGroup: 'rbac.authorization.k8s.io' }],
    });
  await grant();
  await apply('a');
  const tenant = apiOf(server, { token: server.tokenOf('tenant') });
  const told = start(tenant);
  await holds(told, 'a');
  await kubectl.delete(binding);
  // A watch that is open goes on; the next one is refused.
  await waitUntil(() => told.watch.state.incomplete === 'forbidden', {
    what: 'the watch is forbidden',
    timeoutMs: WAIT_MS,
  });
  expect(namesOf(told)).toEqual(['a']);
  await remove('a');
  await apply('b');
  expect(namesOf(told)).toEqual(['a']);
  await grant();
  await holds(told, 'b');
  expect(told.watch.state).toMatchObject({ synced: true, forbidden: false });
  await told.watch.close();
  await tenant.close();
}, 180_000);
