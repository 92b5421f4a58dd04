import type { TLSSocket } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { createSelfSigned, type SelfSigned } from '../../../../sink-testkit/src/faults/self-signed.ts';
import type { ResourceType } from '../kubernetes-api.ts';
import { json, startServer, type TestApiServer } from './api-server.fixture.ts';
import { clientNode } from './client-node.ts';

const pods: ResourceType = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const { signal } = new AbortController();
const page = { metadata: { resourceVersion: '9' }, items: [] };
const started: { stop?(): Promise<void>; close?(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of started.splice(0).reverse()) await (one.stop?.() ?? one.close?.());
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function apiFor({ url }: TestApiServer, ca: string, user: object) {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: url, caData: base64(ca) }],
    users: [{ name: 'u', ...user }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  const api = clientNode(config);
  started.push(api);
  return { api, config };
}

const list = async (api: ReturnType<typeof clientNode>): Promise<unknown> =>
  api.list(pods, { signal }).catch((error: Error) => error.message);

test('the server is the one whose authority the config names', async () => {
  const [own, other] = [createSelfSigned(), createSelfSigned()];
  const server = await startServer((response) => json(response, page), own);
  started.push(server);
  const { api } = apiFor(server, own.cert, { token: 'geheim' });
  expect(await list(api)).toEqual({ items: [], resourceVersion: '9' });
  expect(server.seen[0]?.headers.authorization).toBe('Bearer geheim');
  const message = await list(apiFor(server, other.cert, { token: 'geheim' }).api);
  expect(message).toMatch(/^Could not list pods: the connection to the API server failed \([A-Z_]+\)\.$/u);
  expect(server.seen).toHaveLength(1);
});

test('a client certificate that was renewed is used for the next call, on a connection of its own', async () => {
  const own = createSelfSigned();
  const clients: readonly SelfSigned[] = [createSelfSigned(), createSelfSigned()];
  const seen: (string | undefined)[] = [];
  const server = await startServer(
    (response) => {
      seen.push((response.socket as TLSSocket | null)?.getPeerCertificate().serialNumber);
      json(response, page);
    },
    { ...own, requestCert: true, rejectUnauthorized: false },
  );
  started.push(server);
  const userOf = ({ cert, key }: SelfSigned) => ({ certData: base64(cert), keyData: base64(key) });
  const { api, config } = apiFor(server, own.cert, userOf(clients[0] ?? own));
  await api.list(pods, { signal });
  await api.list(pods, { signal });
  config.users = [{ name: 'u', ...userOf(clients[1] ?? own) }];
  await api.list(pods, { signal });
  expect(new Set(seen).size).toBe(2);
  expect(seen[0]).toBe(seen[1]);
  expect(server.accepted()).toBe(2);
});
