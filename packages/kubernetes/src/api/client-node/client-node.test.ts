import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiError } from '../api-error.ts';
import type { ApiObject, KubernetesApi, ResourceType, WatchEvent } from '../kubernetes-api.ts';
import { configFor, json, startRaw, startServer, type Answer, type TestApiServer } from './api-server.fixture.ts';
import { clientNode, type ClientNodeOptions } from './client-node.ts';

const { signal } = new AbortController();
const deployments: ResourceType = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};
const namespaces: ResourceType = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };
const of = { namespace: 'shop', name: 'web' };
const metadata = { ...of, uid: 'u', resourceVersion: '7' };
const page = { metadata: { resourceVersion: '9' }, items: [{ metadata, spec: { replicas: 1 } }] };
const merge = { type: 'merge', fieldManager: 'test', signal } as const;

const started: { stop?(): Promise<void>; close?(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0).reverse()) await (one.stop?.() ?? one.close?.());
});

async function serve(answer: Answer, options?: ClientNodeOptions) {
  const server = await startServer(answer);
  return connected(server, options);
}

function connected(server: TestApiServer, options?: ClientNodeOptions) {
  const api = clientNode(configFor(server.url), options);
  started.push(server, api);
  return { server, api };
}

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw new Error(`expected an ApiError, found ${String(error)}`);
}

async function eventsOf(api: KubernetesApi, end: AbortSignal = signal): Promise<readonly WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of api.watch(deployments, { resourceVersion: '9', timeoutSeconds: 300, signal: end }))
    events.push(event);
  return events;
}

test('a list is asked for by page and selection, and its objects have their kind', async () => {
  const { api, server } = await serve((response) =>
    json(response, { ...page, metadata: { resourceVersion: '9', continue: 'more' } }),
  );
  const selection = { namespace: 'shop', labelSelector: 'a in (b,c)', fieldSelector: 'metadata.name=x' };
  const listed = await api.list(deployments, { signal, limit: 5, continue: 'c+/=', ...selection });
  expect(listed).toEqual({
    resourceVersion: '9',
    continue: 'more',
    items: [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1 } }],
  });
  const url = new URL(server.seen[0]?.line.slice(4) ?? '', server.url);
  expect(url.pathname).toBe('/apis/apps/v1/namespaces/shop/deployments');
  expect(Object.fromEntries(url.searchParams)).toEqual({
    limit: '5',
    continue: 'c+/=',
    labelSelector: 'a in (b,c)',
    fieldSelector: 'metadata.name=x',
  });
});

test('each call is what the API server takes for it', async () => {
  const { api, server } = await serve((response, { line }) =>
    json(response, line.startsWith('GET /api/v1?') ? {} : { metadata }),
  );
  await api.get(deployments, of, { signal });
  await api.get(namespaces, { name: 'shop' }, { signal });
  const object: ApiObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: of, spec: {} };
  await api.create(deployments, object, { signal });
  await api.replace(deployments, object, { signal });
  await api.patch(deployments, of, { spec: {} }, merge);
  await api.patch(deployments, of, { status: {} }, { ...merge, type: 'apply', subresource: 'status' });
  await api.delete(deployments, of, { signal, uid: 'u' });
  const path = '/apis/apps/v1/namespaces/shop/deployments';
  expect(server.seen.map(({ line, headers, body }) => [line, headers['content-type'], body])).toEqual([
    [`GET ${path}/web`, undefined, ''],
    ['GET /api/v1/namespaces/shop', undefined, ''],
    [`POST ${path}`, 'application/json', JSON.stringify(object)],
    [`PUT ${path}/web`, 'application/json', JSON.stringify(object)],
    [`PATCH ${path}/web?fieldManager=test`, 'application/merge-patch+json', '{"spec":{}}'],
    [
      `PATCH ${path}/web/status?fieldManager=test&force=true`,
      'application/apply-patch+yaml',
      '{"apiVersion":"apps/v1","kind":"Deployment","status":{},"metadata":{"name":"web","namespace":"shop"}}',
    ],
    [
      `DELETE ${path}/web`,
      'application/json',
      '{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u"}}',
    ],
  ]);
  // One after the other needs one connection.
  expect(server.accepted()).toBe(1);
});

test('what the server serves of a group is read without its subresources', async () => {
  const { api, server } = await serve((response, { line }) =>
    line.includes('apps')
      ? json(response, {
          resources: [
            { name: 'deployments', kind: 'Deployment', namespaced: true },
            { name: 'deployments/status', kind: 'Deployment', namespaced: true },
          ],
        })
      : json(response, { reason: 'NotFound' }, 404),
  );
  expect(await api.resourceTypes('apps/v1', { signal })).toEqual([deployments]);
  expect(await api.resourceTypes('v1', { signal })).toEqual([]);
  expect(server.seen.map(({ line }) => line)).toEqual(['GET /apis/apps/v1', 'GET /api/v1']);
});

test('of metadata alone the server is asked for no more', async () => {
  const { api, server } = await serve((response) => json(response, page));
  await api.list(deployments, { signal, metadataOnly: true });
  expect(server.seen[0]?.headers.accept).toBe('application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
});

test('what is not there is undefined, or gone already', async () => {
  const { api } = await serve((response) => json(response, { reason: 'NotFound' }, 404));
  expect(await api.get(deployments, of, { signal })).toBeUndefined();
  expect(await api.delete(deployments, of, { signal })).toBeUndefined();
  expect((await failureOf(api.list(deployments, { signal }))).status).toBe(404);
  expect((await failureOf(api.patch(deployments, of, {}, merge))).reason).toBe('NotFound');
});

test('a refusal says its status and a known word, and nothing else of what the server said', async () => {
  const said = { kind: 'Status', reason: 'Forbidden', message: 'geheim', code: 403 };
  const { api } = await serve((response) => json(response, said, 403, { 'x-said': 'geheim' }));
  const error = await failureOf(api.list(deployments, { signal, namespace: 'shop' }));
  expect(error).toMatchObject({ status: 403, reason: 'Forbidden' });
  expect(error.message).toBe('Could not list deployments in "shop": 403 (Forbidden).');
  expect(JSON.stringify([error, error.message, error.stack, error.cause])).not.toContain('geheim');
});

test.each<[number, string, string | undefined, number | undefined]>([
  [429, '{"reason":"TooManyRequests"}', '7', 7_000],
  [503, 'geheim', '999999999', 3_600_000],
  [500, '{"reason":"geheim"}', undefined, undefined],
  [302, '', undefined, undefined],
  [418, '[', 'geheim', undefined],
])('an answer %i is an error with what it asks for', async (status, body, retryAfter, ms) => {
  const { api } = await serve((response) =>
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end(body),
  );
  const error = await failureOf(api.get(deployments, of, { signal }));
  expect(error).toMatchObject({ status, retryAfterMs: ms });
  expect(error.message).not.toContain('geheim');
});

test('a watch gives its events as they come, in whatever pieces they arrive', async () => {
  const object = (name: string) => ({ metadata: { ...metadata, name: `${name}é🎉` }, spec: { text: 'ü'.repeat(50) } });
  const lines = [
    JSON.stringify({ type: 'ADDED', object: object('a') }),
    JSON.stringify({ type: 'MODIFIED', object: object('b') }),
    '',
    JSON.stringify({ type: 'BOOKMARK', object: { kind: 'Deployment', metadata: { resourceVersion: '12' } } }),
    JSON.stringify({ type: 'DELETED', object: object('a') }),
  ];
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const { api, server } = await serve(async (response) => {
    for (let at = 0; at < bytes.length; at += 7) {
      response.write(bytes.subarray(at, at + 7));
      if (at % 70 === 0) await sleep(1);
    }
    response.end();
  });
  const events = await eventsOf(api);
  expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
    'ADDED aé🎉',
    'MODIFIED bé🎉',
    'BOOKMARK ',
    'DELETED aé🎉',
  ]);
  expect(events[2]?.object.metadata.resourceVersion).toBe('12');
  expect(server.seen[0]?.line).toBe(
    'GET /apis/apps/v1/deployments?watch=1&allowWatchBookmarks=true&resourceVersion=9&timeoutSeconds=300',
  );
});

test.each<[string, unknown, object]>([
  ['410', { code: 410, reason: 'Expired', message: 'geheim' }, { status: 410, reason: 'Expired' }],
  ['429', { code: 429, details: { retryAfterSeconds: 3 } }, { status: 429, retryAfterMs: 3_000 }],
  ['429 for ever', { code: 429, details: { retryAfterSeconds: 1e12 } }, { status: 429, retryAfterMs: 3_600_000 }],
  ['nothing', null, { status: 500 }],
  ['a lie', { code: 'geheim', reason: ['geheim'] }, { status: 500, reason: undefined }],
])('an ERROR event ends the watch as the error it says: %s', async (_, object, expected) => {
  const { api } = await serve((response) => response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`));
  const error = await failureOf(eventsOf(api));
  expect(error).toMatchObject(expected);
  expect(error.message).not.toContain('geheim');
});

const event = (object: unknown, type = 'ADDED'): string => `${JSON.stringify({ type, object })}\n`;
test.each<[string, string, ApiError['reason']]>([
  ['no JSON', 'geheim\n', 'BadResponse'],
  ['no event', '[]\n', 'BadResponse'],
  ['an unknown type', event({ metadata }, 'geheim'), 'BadResponse'],
  ['no object', event(null), 'BadResponse'],
  ['no uid', event({ metadata: { ...metadata, uid: 5 } }), 'BadResponse'],
  ['a bookmark without version', event({ metadata: {} }, 'BOOKMARK'), 'BadResponse'],
  ['bytes that are no text', event({ metadata: { ...metadata, name: '\u00ff' } }), undefined],
  ['a line that was cut', event({ metadata }).slice(0, -3), 'Unreachable'],
  ['a line without end', 'x'.repeat(9 * 2 ** 20), 'ResponseTooLarge'],
  ['a line that is too long', `${'x'.repeat(9 * 2 ** 20)}\n`, 'ResponseTooLarge'],
])('a watch that says what no server says ends with an error: %s', async (_, text, reason) => {
  const encoding = reason === undefined ? 'latin1' : 'utf8';
  const { api } = await serve((response) => response.end(text, encoding));
  const error = await failureOf(eventsOf(api));
  expect(error).toMatchObject({ status: 0, reason: reason ?? 'BadResponse' });
  expect(error.message).not.toMatch(/geheim|xxx/u);
});

test.each<[string, unknown]>([
  ['an array', []],
  ['null', null],
  ['no items', { metadata: { resourceVersion: '9' } }],
  ['items that are none', { ...page, items: {} }],
  ['an item that is none', { ...page, items: [null] }],
  ['an item without metadata', { ...page, items: [{}] }],
  ['a name that is a number', { ...page, items: [{ metadata: { ...metadata, name: 5 } }] }],
  ['no version', { ...page, metadata: {} }],
  ['a token that is none', { ...page, metadata: { resourceVersion: '9', continue: 5 } }],
])('a list that is none is an error, and never an empty list: %s', async (_, answer) => {
  const { api } = await serve((response) => json(response, answer));
  expect(await failureOf(api.list(deployments, { signal }))).toMatchObject({ status: 0, reason: 'BadResponse' });
});

test('an empty list may be null, as Go writes it', async () => {
  const { api } = await serve((response) => json(response, { ...page, items: null }));
  expect((await api.list(deployments, { signal })).items).toEqual([]);
});

test.each(['with its length', 'without end'])('an answer that is too large is not read: %s', async (how) => {
  let written = 0;
  const { api, server } = await serve((response) => {
    if (how === 'with its length') return response.writeHead(200, { 'content-length': 2 ** 30 }).write('[');
    const chunk = Buffer.alloc(2 ** 20, 32);
    const more = (): void => {
      while (!response.destroyed && written < 2 ** 30) {
        written += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
    };
    return more();
  });
  const error = await failureOf(api.list(deployments, { signal }));
  expect(error.reason).toBe('ResponseTooLarge');
  await untilEmpty(server.open);
  expect(written).toBeLessThan(2 ** 26);
});

async function untilEmpty(open: ReadonlySet<unknown>): Promise<void> {
  while (open.size > 0) await sleep(5);
}

test.each<[string, Answer, (api: KubernetesApi, end: AbortSignal) => Promise<unknown>]>([
  ['before the answer', () => undefined, async (api, end) => api.get(deployments, of, { signal: end })],
  ['in the answer', (response) => response.write('{'), async (api, end) => api.list(deployments, { signal: end })],
  ['in a watch', (response) => response.write(event({ metadata })), (api, end) => eventsOf(api, end)],
])('an abort ends the call with its reason, and the connection: %s', async (_, answer, ask) => {
  const { api, server } = await serve(answer);
  const end = new AbortController();
  const call = ask(api, end.signal).catch((error: unknown) => error);
  while (server.seen.length === 0) await sleep(2);
  await sleep(10);
  end.abort('enough');
  expect(await call).toBe('enough');
  await untilEmpty(server.open);
});

test('whoever leaves a watch gives its connection up', async () => {
  const { api, server } = await serve((response) => response.write(event({ metadata })));
  for await (const _ of api.watch(deployments, { resourceVersion: '9', timeoutSeconds: 300, signal })) break;
  await untilEmpty(server.open);
  expect(server.seen).toHaveLength(1);
});

test.each<[string, Answer]>([
  ['never', () => undefined],
  ['never to its end', (response) => response.write('{"items":[')],
  [
    'a byte at a time',
    (response) => {
      const timer = setInterval(() => response.write(' '), 5);
      response.once('close', () => clearInterval(timer));
    },
  ],
])('a server that answers %s is given up', async (_, answer) => {
  const { api, server } = await serve(answer, { callTimeout: '80ms' });
  expect(await failureOf(api.list(deployments, { signal }))).toMatchObject({ status: 0, reason: 'NoAnswer' });
  await untilEmpty(server.open);
});

test('the limit of a call is none for a watch that has begun', async () => {
  const { api } = await serve(
    (response) => {
      response.write(event({ metadata }));
      setTimeout(() => response.end(event({ metadata }, 'DELETED')), 200);
    },
    { callTimeout: '80ms' },
  );
  expect(await eventsOf(api)).toHaveLength(2);
});

test('a server that is not there is said so, with the code of the network', async () => {
  const server = await startServer(() => undefined);
  await server.stop();
  const api = clientNode(configFor(server.url));
  const error = await failureOf(api.get(deployments, of, { signal }));
  expect(error.message).toBe(
    'Could not get deployments "web" in "shop": the connection to the API server failed (ECONNREFUSED).',
  );
  await api.close();
});

test('the login is asked for at each call; one that cannot be read says nothing of why', async () => {
  let token = 'first';
  const server = await startServer((response) => json(response, { metadata }));
  const config = configFor(server.url, () => {
    if (token === 'none') throw new Error('geheim');
    return { Authorization: `Bearer ${token}\n` };
  });
  const api = clientNode(config);
  started.push(server, api);
  await api.get(deployments, of, { signal });
  token = 'second';
  await api.get(deployments, of, { signal });
  token = 'none';
  const error = await failureOf(api.get(deployments, of, { signal }));
  expect(error).toMatchObject({ status: 0, reason: 'NoCredentials' });
  expect(error.cause).toBeUndefined();
  expect(error.message).not.toContain('geheim');
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
});

test('a login that hangs is given up, and so it is by an abort', async () => {
  const config = {
    getCurrentCluster: () => ({ server: 'https://127.0.0.1:1' }),
    applyToHTTPSOptions: () => new Promise<void>(() => undefined),
  };
  const api = clientNode(config, { callTimeout: '50ms' });
  expect((await failureOf(api.get(deployments, of, { signal }))).reason).toBe('NoAnswer');
  const end = new AbortController();
  const call = api.get(deployments, of, { signal: end.signal }).catch((error: unknown) => error);
  end.abort('enough');
  expect(await call).toBe('enough');
  await api.close();
});

test.each([
  { name: '', namespace: 'shop' },
  { name: '..', namespace: 'shop' },
  { name: '.', namespace: 'shop' },
  { name: 'a', namespace: '' },
  { name: 'a', namespace: '..' },
  { name: undefined as unknown as string, namespace: 'shop' },
])('a name that would mean something else is never sent: %j', async (wrong) => {
  const { api, server } = await serve((response) => json(response, { metadata }));
  expect((await failureOf(api.delete(deployments, wrong, { signal }))).status).toBe(400);
  expect((await failureOf(api.get(deployments, wrong, { signal }))).status).toBe(400);
  expect(server.seen).toEqual([]);
});

test('a name is one segment of the path, whatever is in it', async () => {
  const { api, server } = await serve((response) => json(response, { metadata }));
  await api.get(deployments, { namespace: 'a/../b', name: 'x?y#z' }, { signal });
  expect(server.seen[0]?.line).toBe('GET /apis/apps/v1/namespaces/a%2F..%2Fb/deployments/x%3Fy%23z');
});

test('closed, it ends what runs and takes no more calls', async () => {
  const { api, server } = await serve((response) => response.write(event({ metadata })));
  const open = api.watch(deployments, { resourceVersion: '9', timeoutSeconds: 300, signal });
  const iterator = open[Symbol.asyncIterator]();
  await iterator.next();
  const watch = failureOf(eventsOf(api));
  const list = failureOf(api.list(deployments, { signal }));
  while (server.seen.length < 3) await sleep(2);
  await api.close();
  await api.close();
  expect((await list).reason).toBe('Unreachable');
  expect((await watch).reason).toBe('Unreachable');
  expect((await failureOf(iterator.next())).reason).toBe('Unreachable');
  await untilEmpty(server.open);
  expect((await failureOf(api.get(deployments, of, { signal }))).message).toContain('the client is closed');
});

test('a KubeConfig of client-node is one', async () => {
  const server = await startServer((response) => json(response, page));
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: `${server.url}/k8s/clusters/c-1/`, skipTLSVerify: true }],
    users: [{ name: 'u', token: 'abc' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  const api = clientNode(config);
  started.push(server, api);
  expect((await api.list(deployments, { signal })).items).toHaveLength(1);
  expect(server.seen[0]).toMatchObject({
    line: 'GET /k8s/clusters/c-1/apis/apps/v1/deployments',
    headers: { authorization: 'Bearer abc' },
  });
});

test.each<[string, unknown, object | undefined, string]>([
  [
    'no cluster',
    { getCurrentCluster: () => null, applyToHTTPSOptions: () => undefined },
    undefined,
    'no current cluster',
  ],
  [
    'no TLS',
    { ...configFor(''), getCurrentCluster: () => ({ server: 'http://a' }) },
    undefined,
    'a server without TLS',
  ],
  ['no URL', configFor('a:b'), undefined, 'names no http or https URL'],
  ['no config', {}, undefined, 'config must be an object with the functions getCurrentCluster'],
  ['a typo', configFor('https://a'), { callTimeOut: '5s' }, 'did you mean "callTimeout"?'],
  ['no time', configFor('https://a'), { callTimeout: '0s' }, 'longer than nothing'],
])('what cannot work is refused at once: %s', (_, config, options, message) => {
  expect(() => clientNode(config as KubeConfig, options as ClientNodeOptions)).toThrow(message);
});

test('a server that speaks no HTTP is no more than unreachable', async () => {
  const server = await startRaw((socket) => socket.end('geheim geheim\r\n\r\n'));
  const { api } = connected(server);
  const error = await failureOf(api.get(deployments, of, { signal }));
  expect(error.reason).toBe('Unreachable');
  expect(error.message).not.toContain('geheim');
});
