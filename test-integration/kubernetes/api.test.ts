import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  apiVersion,
  sinkType,
  type ApiError,
  type KubernetesApi,
  type ResourceType,
  type WatchEvent,
} from '@kollect/kubernetes';
import { kafkaSpec, postgresSpec } from '../../packages/kubernetes/src/resources/resources.fixture.ts';
import { startKubernetes, type KubernetesServer } from '../servers/index.ts';
import { apiOf, applyCrds, createKubectl, pathOf, type Kubectl } from '../support/kubernetes.ts';

let server: KubernetesServer;
let kubectl: Kubectl;
let api: Required<KubernetesApi>;
let namespace: string;
const configMaps: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const signal = AbortSignal.timeout(600_000);

beforeAll(async () => {
  server = await startKubernetes({ users: ['tenant'] });
  kubectl = createKubectl(server);
  await applyCrds(kubectl);
  api = apiOf(server);
}, 180_000);
afterAll(async () => {
  await api.close();
  await server.stop();
});
beforeEach(async () => {
  namespace = await kubectl.namespace();
});

const configMap = (name: string, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

const failure = (call: Promise<unknown>): Promise<ApiError> =>
  call.then(
    () => {
      throw new Error('The call was to fail.');
    },
    (error: ApiError) => error,
  );

describe('a client-node', () => {
  test('lists page by page what there is', async () => {
    for (let index = 0; index < 7; index += 1) await kubectl.apply(configMap(`c${String(index)}`));
    const names: string[] = [];
    let next: string | undefined;
    let pages = 0;
    do {
      const page = await api.list(configMaps, { namespace, limit: 3, signal, ...(next ? { continue: next } : {}) });
      names.push(...page.items.map(({ metadata }) => metadata.name));
      expect(page.items.every((item) => item.apiVersion === 'v1' && item.kind === 'ConfigMap')).toBe(true);
      next = page.continue;
      pages += 1;
    } while (next !== undefined);
    expect([pages, names]).toEqual([3, ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6']]);
  });

  test('selects by label, and asks for metadata alone', async () => {
    await kubectl.apply({
      ...configMap('a', { secret: 'x' }),
      metadata: { name: 'a', namespace, labels: { app: 'web' } },
    });
    await kubectl.apply(configMap('b'));
    const { items } = await api.list(configMaps, {
      namespace,
      labelSelector: 'app in (web)',
      metadataOnly: true,
      signal,
    });
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ metadata: { name: 'a', labels: { app: 'web' } } });
    expect(items[0]).not.toHaveProperty('data');
  });

  test('watches from a list on', async () => {
    await kubectl.apply(configMap('before'));
    const { resourceVersion } = await api.list(configMaps, { namespace, signal });
    const stop = new AbortController();
    const events = api.watch(configMaps, { namespace, resourceVersion, timeoutSeconds: 60, signal: stop.signal });
    const seen: WatchEvent[] = [];
    const reading = (async () => {
      for await (const event of events) if (event.type !== 'BOOKMARK' && seen.push(event) === 3) return;
    })();
    await kubectl.apply(configMap('new'));
    await kubectl.apply(configMap('new', { a: 'b' }));
    await kubectl.delete(pathOf('v1', 'configmaps', namespace, 'before'));
    await reading;
    stop.abort();
    expect(seen.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['ADDED', 'new'],
      ['MODIFIED', 'new'],
      ['DELETED', 'before'],
    ]);
  });

  test('a watch ends where the server ends it, and rejects where it is aborted', async () => {
    const { resourceVersion } = await api.list(configMaps, { namespace, signal });
    const seen: WatchEvent[] = [];
    for await (const event of api.watch(configMaps, { namespace, resourceVersion, timeoutSeconds: 1, signal }))
      seen.push(event);
    expect(seen.filter(({ type }) => type !== 'BOOKMARK')).toEqual([]);
    const stop = new AbortController();
    const events = api.watch(configMaps, { namespace, resourceVersion, timeoutSeconds: 60, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 100);
    await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow('enough');
  });

  test('makes, reads, replaces and deletes, each of what it means', async () => {
    const made = await api.create(configMaps, configMap('one', { a: '1' }), { signal });
    expect((await failure(api.create(configMaps, configMap('one'), { signal }))).status).toBe(409);
    const of = { namespace, name: 'one' };
    const replaced = await api.replace(configMaps, { ...made, data: { a: '2' } }, { signal });
    expect(replaced['data']).toEqual({ a: '2' });
    // Somebody else was quicker.
    expect(await failure(api.replace(configMaps, { ...made, data: {} }, { signal }))).toMatchObject({
      status: 409,
      reason: 'Conflict',
    });
    expect((await failure(api.delete(configMaps, of, { signal, uid: 'another' }))).status).toBe(409);
    await api.delete(configMaps, of, { signal, uid: String(made.metadata.uid) });
    expect(await api.get(configMaps, of, { signal })).toBeUndefined();
    await api.delete(configMaps, of, { signal });
  });

  test('patches the status and leaves the rest, and applies as who it is', async () => {
    await kubectl.apply({
      apiVersion,
      kind: 'KollectSink',
      metadata: { name: 'portal', namespace },
      spec: postgresSpec,
    });
    const of = { namespace, name: 'portal' };
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: '',
      lastTransitionTime: '2026-01-31T12:00:00Z',
    };
    const options = { signal, fieldManager: 'kollect', type: 'merge' } as const;
    await api.patch(sinkType, of, { status: { conditions: [condition] } }, { ...options, subresource: 'status' });
    const path = pathOf(apiVersion, 'kollectsinks', namespace, 'portal');
    const found = await kubectl.get(path);
    expect([found?.['status'], found?.['spec']]).toEqual([{ conditions: [condition] }, postgresSpec]);
    // What is written of another version is refused.
    const stale = { metadata: { resourceVersion: '1' }, status: { observedGeneration: 3 } };
    expect((await failure(api.patch(sinkType, of, stale, { ...options, subresource: 'status' }))).status).toBe(409);
    const finalized = { apiVersion, kind: 'KollectSink', metadata: { ...of, finalizers: ['kollect.dev/exported'] } };
    await api.patch(sinkType, of, finalized, { signal, fieldManager: 'kollect', type: 'apply' });
    expect((await kubectl.get(path))?.metadata?.['finalizers']).toEqual(['kollect.dev/exported']);
    await api.patch(sinkType, of, { metadata: { finalizers: null } }, options);
    const refused = await failure(api.patch(sinkType, of, { spec: kafkaSpec }, options));
    expect([refused.status, refused.reason]).toEqual([422, 'Invalid']);
    expect(refused.message).not.toContain('cannot be changed');
  });

  test('knows what the server serves', async () => {
    expect(await api.resourceTypes('apps/v1', { signal })).toContainEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      plural: 'deployments',
      namespaced: true,
    });
    expect(await api.resourceTypes('v1', { signal })).toContainEqual(configMaps);
    expect(await api.resourceTypes(apiVersion, { signal })).toHaveLength(5);
    expect(await api.resourceTypes('gone.example/v1', { signal })).toEqual([]);
  });

  test('says who may not, and nothing that the server said', async () => {
    const tenant = apiOf(server, { token: server.tokenOf('tenant') });
    const nobody = apiOf(server, { token: 'wrong' });
    const forbidden = await failure(tenant.list(configMaps, { namespace, signal }));
    expect([forbidden.status, forbidden.reason]).toEqual([403, 'Forbidden']);
    expect(forbidden.message).toBe(`Could not list configmaps in "${namespace}": 403 (Forbidden).`);
    expect(await failure(nobody.list(configMaps, { namespace, signal }))).toMatchObject({ status: 401 });
    await tenant.close();
    await nobody.close();
  });

  test('a watch from a time that the server forgot is told so', async () => {
    const { resourceVersion } = await api.list(configMaps, { namespace, signal });
    for (const name of ['a', 'b', 'c']) await kubectl.apply(configMap(name));
    await server.compact();
    await server.kill();
    await server.start();
    const events = api.watch(configMaps, { namespace, resourceVersion, timeoutSeconds: 5, signal });
    const gone = await failure(events[Symbol.asyncIterator]().next());
    expect([gone.status, gone.reason]).toEqual([410, expect.stringMatching(/^(?:Expired|Gone)$/u)]);
  }, 60_000);

  test('a call to a server that is away fails at once, and the next one after its return does not', async () => {
    const { resourceVersion } = await api.list(configMaps, { namespace, signal });
    const events = api.watch(configMaps, { namespace, resourceVersion, timeoutSeconds: 60, signal });
    const watching = (async () => {
      for await (const event of events) void event;
    })();
    const broken = failure(watching);
    await server.kill();
    expect(await broken).toMatchObject({ status: 0, reason: 'Unreachable' });
    expect(await failure(api.list(configMaps, { namespace, signal }))).toMatchObject({ status: 0 });
    await server.start();
    expect((await api.list(configMaps, { namespace, signal })).items).toEqual([]);
  }, 60_000);
});
