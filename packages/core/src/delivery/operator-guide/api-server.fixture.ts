import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

interface StoredObject {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly [field: string]: unknown;
}

/** So much of an API server as an operator needs: it lists, watches and merges patches. */
export async function startApiServer() {
  const stores: Record<string, Map<string, StoredObject>> = { deployments: new Map(), inventories: new Map() };
  const watchers: { readonly plural: string; readonly response: ServerResponse }[] = [];
  const failing = new Set<string>();
  const patches: string[] = [];
  let version = 1;

  const tell = (plural: string, type: string, object: StoredObject): void => {
    for (const one of watchers) if (one.plural === plural) one.response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const put = (plural: string, object: StoredObject): void => {
    const store = stores[plural];
    const { name } = object.metadata;
    const type = store?.has(name) === true ? 'MODIFIED' : 'ADDED';
    version += 1;
    const { finalizers, deletionTimestamp } = object.metadata;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    if (deletionTimestamp !== undefined && Array.isArray(finalizers) && finalizers.length === 0) {
      store?.delete(name);
      return tell(plural, 'DELETED', stored);
    }
    store?.set(name, stored);
    tell(plural, type, stored);
  };

  const patch = async (plural: string, name: string, request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { metadata = {}, ...rest } = JSON.parse(text) as {
      readonly metadata?: { readonly resourceVersion?: string };
    };
    const held = stores[plural]?.get(name);
    const { resourceVersion } = metadata;
    const conflict = resourceVersion !== undefined && resourceVersion !== held?.metadata['resourceVersion'];
    if (held === undefined || conflict) return response.writeHead(held === undefined ? 404 : 409).end('{}');
    patches.push(`${request.headers['content-type']} ${Object.keys(JSON.parse(text) as object).join()}`);
    put(plural, { ...held, ...rest, metadata: { ...held.metadata, ...metadata } });
    return response.end(JSON.stringify(stores[plural]?.get(name) ?? {}));
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const segments = url.pathname.split('/').filter((one) => one !== 'status');
    const plural = Object.keys(stores).find((one) => segments.includes(one)) ?? '';
    response.setHeader('content-type', 'application/json');
    if (failing.has(plural)) return response.writeHead(503).end('{}');
    if (request.method === 'PATCH') return void patch(plural, segments.at(-1) ?? '', request, response);
    if (url.searchParams.has('watch')) {
      response.flushHeaders();
      return void watchers.push({ plural, response });
    }
    const items = [...(stores[plural]?.values() ?? [])];
    return response.end(JSON.stringify({ kind: 'List', metadata: { resourceVersion: String(version) }, items }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));

  const config = new KubeConfig();
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  config.loadFromOptions({
    clusters: [{ name: 'f', server: address, skipTLSVerify: true }],
    users: [{ name: 'u' }],
    contexts: [{ name: 'c', user: 'u', cluster: 'f' }],
    currentContext: 'c',
  });
  return {
    config,
    put,
    failing,
    patches,
    get: (plural: string, name: string) => stores[plural]?.get(name),
    async close(): Promise<void> {
      const closed = new Promise((resolve) => void server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
