import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clientNode, type KubernetesApi } from '@kollect/kubernetes';
import { createFakeApi } from '@kollect/kubernetes/testing';
import { startKubernetes, type KubernetesServer } from '../servers/index.ts';
import { applyCrds, createKubectl, type Kubectl } from '../support/kubernetes.ts';
import { askEverything } from './fake-api.fixture.ts';

let server: KubernetesServer;
let kubectl: Kubectl;
let api: Required<KubernetesApi>;

beforeAll(async () => {
  server = await startKubernetes();
  kubectl = createKubectl(server);
  await applyCrds(kubectl);
  api = clientNode({
    getCurrentCluster: () => ({ server: server.url }),
    applyToHTTPSOptions: async (options) => {
      options.ca = server.ca;
      options.headers = { authorization: `Bearer ${server.token}` };
    },
  });
}, 180_000);
afterAll(async () => {
  await api.close();
  await server.stop();
});

test('the fake answers as a real API server does', async () => {
  const namespace = await kubectl.namespace();
  const fake = createFakeApi();
  // Its cache remembers longer than etcd does.
  const forget = async (): Promise<void> => {
    await server.compact();
    await server.kill();
    await server.start();
  };
  const real = await askEverything({ api, namespace, forget });
  const ours = await askEverything({ api: fake, namespace, forget: async () => fake.forgetHistory() });
  expect(ours).toEqual(real);
}, 120_000);
