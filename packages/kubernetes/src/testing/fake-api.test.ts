import { expect, test } from '@jest/globals';
import { ApiError } from '../api/api-error.ts';
import type { ApiObject, KubernetesApi, ResourceType, WatchEvent } from '../api/kubernetes-api.ts';
import { createFakeApi } from './fake-api.ts';
import { manualClock, settle } from './manual-clock.fixture.ts';

const { signal } = new AbortController();
const sinks: ResourceType = {
  apiVersion: 'kollect.dev/v1alpha1',
  kind: 'KollectSink',
  plural: 'kollectsinks',
  namespaced: true,
};
const secrets: ResourceType = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };
const of = { namespace: 'shop', name: 'orders' };
const sink = (fields: object = {}, metadata: object = {}): ApiObject => ({
  apiVersion: 'kollect.dev/v1alpha1',
  kind: 'KollectSink',
  metadata: { ...of, ...metadata },
  spec: { type: 'memory' },
  ...fields,
});
const apply = { type: 'apply', signal } as const;
const merge = { type: 'merge', fieldManager: 'test', signal } as const;

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw new Error('expected an ApiError');
}

/** The events of a watch as they come. */
function follow(api: KubernetesApi, type: ResourceType, resourceVersion: string, given: object = {}) {
  const seen: string[] = [];
  const end = new AbortController();
  const run = async (): Promise<unknown> => {
    const options = { resourceVersion, timeoutSeconds: 300, signal: end.signal, ...given };
    for await (const { type: event, object } of api.watch(type, options)) seen.push(textOf(event, object));
    return 'in order';
  };
  const ended = run().catch((error: unknown) => error);
  return { seen, ended, abort: () => end.abort('enough') };
}
const textOf = (event: WatchEvent['type'], { metadata }: ApiObject): string => `${event} ${metadata.name}`.trim();

test('an object gets uid, version, generation and a time; its status is written by the subresource alone', async () => {
  const api = createFakeApi({ clock: manualClock() });
  const made = await api.create(sinks, sink({ status: { ready: true } }), { signal });
  expect(made).toMatchObject({ metadata: { generation: 1, creationTimestamp: '2026-01-31T12:00:00Z' } });
  expect(made).not.toHaveProperty('status');
  expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/u);

  const body = { spec: { type: 'other' }, status: { ready: true } };
  const patched = await api.patch(sinks, of, body, { ...merge, subresource: 'status' });
  expect(patched).toMatchObject({ spec: { type: 'memory' }, status: { ready: true }, metadata: { generation: 1 } });

  const specified = await api.patch(sinks, of, { spec: { type: 'other' }, status: null }, merge);
  expect(specified).toMatchObject({ spec: { type: 'other' }, status: { ready: true }, metadata: { generation: 2 } });
  const labelled = await api.patch(
    sinks,
    of,
    { metadata: { labels: { a: 'b' }, generation: 9, uid: made.metadata.uid } },
    merge,
  );
  expect(labelled.metadata.generation).toBe(2);
  expect(api.read('KollectSink', of)).toEqual(labelled);
});

test('what changes nothing is no new version, and no event', async () => {
  const api = createFakeApi();
  const made = api.put(sink());
  const events = follow(api, sinks, made.metadata.resourceVersion ?? '');
  await settle();
  const same = await api.patch(sinks, of, { spec: { type: 'memory' } }, merge);
  await settle();
  expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  expect(events.seen).toEqual([]);
  events.abort();
});

test('a version or uid that is no longer the one held is a conflict, and so is a name that is taken', async () => {
  const api = createFakeApi();
  const made = api.put(sink());
  api.put(sink({ spec: { type: 'other' } }));
  expect((await failureOf(api.replace(sinks, made, { signal }))).status).toBe(409);
  const stale = { metadata: { finalizers: [], resourceVersion: made.metadata.resourceVersion } };
  expect((await failureOf(api.patch(sinks, of, stale, merge))).reason).toBe('Conflict');
  expect((await failureOf(api.create(sinks, sink(), { signal }))).reason).toBe('AlreadyExists');
  expect((await failureOf(api.delete(sinks, of, { signal, uid: 'another' }))).status).toBe(409);
  expect(api.read('KollectSink', of)).toMatchObject({ spec: { type: 'other' } });
});

test('an object with finalizers waits for them; made again it is another one', async () => {
  const api = createFakeApi();
  const first = api.put(sink({}, { finalizers: ['a'] }));
  await api.delete(sinks, of, { signal });
  await api.delete(sinks, of, { signal });
  expect(api.read('KollectSink', of)?.metadata.deletionTimestamp).toBeDefined();
  await api.patch(sinks, of, { metadata: { finalizers: null } }, merge);
  expect(await api.get(sinks, of, { signal })).toBeUndefined();
  await api.delete(sinks, of, { signal });
  expect(api.put(sink()).metadata.uid).not.toBe(first.metadata.uid);
});

test('apply takes away what its manager no longer says, and leaves what others say', async () => {
  const api = createFakeApi();
  const id = { apiVersion: sinks.apiVersion, kind: sinks.kind };
  const condition = (type: string, status: string) => ({ type, status });
  await api.patch(sinks, of, { ...id, spec: { type: 'memory', note: 'x' } }, { ...apply, fieldManager: 'user' });
  const status = { ...apply, subresource: 'status', fieldManager: 'ours' } as const;
  await api.patch(
    sinks,
    of,
    { ...id, status: { conditions: [condition('Ready', 'True'), condition('Old', 'True')] } },
    status,
  );
  await api.patch(
    sinks,
    of,
    { ...id, status: { conditions: [condition('Theirs', 'True')] } },
    { ...status, fieldManager: 'theirs' },
  );
  await api.patch(sinks, of, { ...id, status: { conditions: [condition('Ready', 'False')] } }, status);
  await api.patch(sinks, of, { ...id, spec: { type: 'memory' } }, { ...apply, fieldManager: 'user' });
  const read = api.read('KollectSink', of);
  expect(read?.['status']).toEqual({ conditions: [condition('Ready', 'False'), condition('Theirs', 'True')] });
  expect(read?.['spec']).toEqual({ type: 'memory' });
});

test('a list comes in pages of one time; tokens grow old', async () => {
  const api = createFakeApi();
  for (const name of ['c', 'a', 'b']) api.put(sink({}, { name }));
  const first = await api.list(sinks, { signal, limit: 2 });
  api.remove('KollectSink', { namespace: 'shop', name: 'c' });
  const second = await api.list(sinks, { signal, limit: 2, continue: first.continue ?? '' });
  expect([...first.items, ...second.items].map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c']);
  expect(second).toMatchObject({ resourceVersion: first.resourceVersion });
  expect(second.continue).toBeUndefined();
  api.forgetHistory();
  expect((await failureOf(api.list(sinks, { signal, continue: first.continue ?? '' }))).status).toBe(410);
});

test.each<[object, string[]]>([
  [{}, ['a', 'b', 'elsewhere']],
  [{ namespace: 'shop' }, ['a', 'b']],
  [{ labelSelector: 'app=web' }, ['a', 'elsewhere']],
  [{ labelSelector: 'app!=web' }, ['b']],
  [{ labelSelector: 'app,tier in (x, y)' }, ['a']],
  [{ labelSelector: '!app' }, ['b']],
  [{ labelSelector: 'tier notin (x)' }, ['b', 'elsewhere']],
  [{ fieldSelector: 'metadata.name=b' }, ['b']],
])('a selection %j', async (selection, names) => {
  const api = createFakeApi();
  api.put(sink({}, { name: 'a', labels: { app: 'web', tier: 'x' } }));
  api.put(sink({}, { name: 'b' }));
  api.put(sink({}, { name: 'elsewhere', namespace: 'z', labels: { app: 'web' } }));
  const { items } = await api.list(sinks, { signal, ...selection });
  expect(items.map(({ metadata }) => metadata.name)).toEqual(names);
});

test('of metadata alone there is no data', async () => {
  const api = createFakeApi();
  api.put({ apiVersion: 'v1', kind: 'Secret', metadata: of, data: { a: 'Z2VoZWlt' } });
  const { items } = await api.list(secrets, { signal, metadataOnly: true });
  expect(items[0]).not.toHaveProperty('data');
  expect(items[0]).toMatchObject({ kind: 'Secret', metadata: of });
});

test('a watch tells what happened since, and of an object that leaves the selection that it is gone', async () => {
  const api = createFakeApi();
  const { resourceVersion } = await api.list(sinks, { signal });
  api.put(sink({}, { labels: { app: 'web' } }));
  const events = follow(api, sinks, resourceVersion, { labelSelector: 'app=web' });
  api.put(sink({ spec: { type: 'other' } }, { labels: { app: 'web' } }));
  api.put(sink({ spec: { type: 'other' } }));
  api.put(sink({}, { labels: { app: 'web' } }));
  api.remove('KollectSink', of);
  await settle();
  api.bookmark();
  await settle();
  expect(events.seen).toEqual([
    'ADDED orders',
    'MODIFIED orders',
    'DELETED orders',
    'ADDED orders',
    'DELETED orders',
    'BOOKMARK',
  ]);
  api.endWatches();
  expect(await events.ended).toBe('in order');
});

test('a watch has a bookmark each minute, ends at its time, and by its signal', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const events = follow(api, sinks, '1000');
  const aborted = follow(api, sinks, '1000');
  await settle();
  expect(api.openWatches).toBe(2);
  aborted.abort();
  expect(await aborted.ended).toBe('enough');
  await clock.advance(300_000);
  expect(await events.ended).toBe('in order');
  expect(events.seen).toEqual(Array.from({ length: 5 }, () => 'BOOKMARK'));
  expect([api.openWatches, clock.timers]).toEqual([0, 0]);
});

test('a version that was forgotten is 410; open watches end with what is given', async () => {
  const api = createFakeApi();
  const open = follow(api, sinks, '1000');
  api.put(sink());
  await settle();
  api.forgetHistory();
  expect(await follow(api, sinks, '1000').ended).toMatchObject({ status: 410, reason: 'Expired' });
  api.put(sink({ spec: { type: 'other' } }));
  api.endWatches(new ApiError('expired', { status: 410, reason: 'Expired' }));
  expect(await open.ended).toMatchObject({ status: 410 });
  expect(open.seen).toEqual(['ADDED orders', 'MODIFIED orders']);
});

test('faults meet the calls that match them, as often as asked', async () => {
  const api = createFakeApi();
  api.put(sink());
  const many = { kind: 'status', status: 429, reason: 'TooManyRequests', retryAfterMs: 7_000 } as const;
  api.fail(many, { verb: ['get', 'list'], namespace: 'shop', times: 2 });
  expect((await failureOf(api.get(sinks, of, { signal }))).retryAfterMs).toBe(7_000);
  expect((await api.list(sinks, { signal })).items).toHaveLength(1);
  expect((await failureOf(api.list(sinks, { signal, namespace: 'shop' }))).status).toBe(429);
  expect(await api.get(sinks, of, { signal })).toBeDefined();
  expect(api.calls({ verb: 'list' })).toHaveLength(2);
  expect(api.writes()).toEqual([]);
});

test('a page that fails, and one that comes again and again', async () => {
  const api = createFakeApi();
  for (const name of ['a', 'b', 'c', 'd']) api.put(sink({}, { name }));
  const page = async (token: string | undefined) =>
    api.list(sinks, { signal, limit: 1, ...(token === undefined ? {} : { continue: token }) });
  const end = api.fail({ kind: 'status', status: 503 }, { verb: 'list', page: 3 });
  const second = await page((await page(undefined)).continue);
  expect((await failureOf(page(second.continue))).status).toBe(503);
  end();
  api.fail({ kind: 'same-continue' }, { verb: 'list', page: 3 });
  expect((await page(second.continue)).continue).toBe(second.continue);
});

test('a server that is gone breaks what is open, and is back without a trace', async () => {
  const api = createFakeApi();
  const open = follow(api, sinks, '1000');
  await settle();
  api.fail({ kind: 'reset' });
  expect(await open.ended).toMatchObject({ status: 0, reason: 'Unreachable' });
  expect((await failureOf(api.create(sinks, sink(), { signal }))).message).toBe(
    'Could not create kollectsinks "orders" in "shop": the connection to the API server failed.',
  );
  api.heal();
  await api.create(sinks, sink(), { signal });
  expect(api.readAll('KollectSink')).toHaveLength(1);
});

test('a silent server answers no call before it is aborted, and an open watch never again', async () => {
  const api = createFakeApi();
  const open = follow(api, sinks, '1000');
  await settle();
  const end = new AbortController();
  api.fail({ kind: 'silence' });
  const call = api.get(sinks, of, { signal: end.signal }).catch((error: unknown) => error);
  api.heal();
  api.put(sink());
  api.endWatches();
  await settle();
  expect([open.seen, api.openWatches]).toEqual([[], 1]);
  end.abort('enough');
  expect(await call).toBe('enough');
  open.abort();
  expect(await open.ended).toBe('enough');
});

test('what is read is a copy, and what it does not serve is not there', async () => {
  const api = createFakeApi();
  const stored = api.put(sink({ spec: { type: 'memory', list: [1] } }));
  (stored['spec'] as { list: number[] }).list.push(2);
  expect(api.read('KollectSink', of)?.['spec']).toEqual({ type: 'memory', list: [1] });
  const widgets = { ...sinks, apiVersion: 'example.dev/v1', plural: 'widgets', kind: 'Widget' };
  expect((await failureOf(api.list(widgets, { signal }))).status).toBe(404);
  expect(() => api.put({ ...sink(), kind: 'Widget' })).toThrow('name it in resourceTypes');
  expect(await createFakeApi({ resourceTypes: [widgets] }).resourceTypes('example.dev/v1', { signal })).toEqual([
    widgets,
  ]);
});
