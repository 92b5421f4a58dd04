import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import type { ListPage, ResourceType } from '../api/kubernetes-api.ts';
import { createResourceWatch } from './resource-watch.ts';
import type { WatchApi } from './watch-types.ts';

const deployments: ResourceType = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};
const objects = 10_000;
const megabyte = 2 ** 20;

/** As the server sends it: some 6 KB, half of them managed fields. */
function textOf(index: number): string {
  const containers = Array.from({ length: 4 }, (_, at) => ({
    name: `c${String(at)}`,
    image: `registry.example/shop/app-${String(index)}-${String(at)}:1.2.3`,
    env: Array.from({ length: 10 }, (__, of) => ({ name: `VARIABLE_${String(of)}`, value: `value ${String(index)}` })),
  }));
  const fields = Array.from({ length: 40 }, (_, at) => [
    `f:field-${String(at)}-${String(index)}`,
    { 'f:x': {}, '.': {} },
  ]);
  const metadata = {
    namespace: `n${String(index % 50)}`,
    name: `app-${String(index)}`,
    uid: `uid-${String(index)}`,
    resourceVersion: String(index + 1),
    labels: { app: 'web' },
    managedFields: [{ manager: 'helm', operation: 'Apply', fieldsV1: Object.fromEntries(fields) }],
  };
  return JSON.stringify({ metadata, spec: { replicas: 3, template: { spec: { containers } } } });
}

const list: WatchApi['list'] = async (_, { limit = 500, continue: token = '0' }) => {
  const from = Number(token);
  const texts = Array.from({ length: limit }, (__, at) => textOf(from + at));
  const page = JSON.parse(`{"items":[${texts.join()}],"resourceVersion":"20000"}`) as ListPage;
  return from + limit < objects ? { ...page, continue: String(from + limit) } : page;
};

async function* watch(_: ResourceType, { signal }: { readonly signal: AbortSignal }) {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  yield* [];
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const usedBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

test('ten thousand objects of which little is kept cost little', async () => {
  const before = usedBytes();
  const synced: { resolve?: () => void } = {};
  const known = new Promise<void>((resolve) => (synced.resolve = resolve));
  const held = createResourceWatch(
    { list, watch },
    {
      type: deployments,
      project: ({ spec }) => ({ replicas: (spec as { replicas: number }).replicas }),
      onChange: () => synced.resolve?.(),
    },
  );
  await known;
  const used = usedBytes() - before;
  const { size } = held;
  await held.close();
  expect(size).toBe(objects);
  // Whole they take twenty times as much.
  expect(used / megabyte).toBeLessThan(8);
}, 60_000);
