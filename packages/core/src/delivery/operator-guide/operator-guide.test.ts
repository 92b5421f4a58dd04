import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { createExporter, createSinkRegistry, memorySink } from '@kollect/core';
import { startApiServer } from './api-server.fixture.ts';
import { startOperator } from './operator.fixture.ts';

const page = readFileSync(new URL('../../../../../docs/writing-an-operator.md', import.meta.url), 'utf8');
const source = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

test('the page prints the code that is tested here', () => {
  const printed = [...page.matchAll(/```ts\n([\s\S]*?)```/gu)].map(([, code]) => code);
  const main = source('main.fixture.ts').replace('./operator.fixture.ts', './operator.ts');
  expect(printed).toEqual([source('operator.fixture.ts'), main]);
});

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const deployment = (name: string) => ({
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, labels: { app: name } },
  spec: { replicas: 2, template: { spec: { containers: [{ image: 'nginx:1' }] } } },
});
const inventory = {
  metadata: { name: 'all', namespace: 'team', uid: 'uid-all', generation: 1 },
  spec: { sinks: ['portal', 'deleted'] },
};
const memory = memorySink();

async function start(api: Awaited<ReturnType<typeof startApiServer>>): Promise<void> {
  const exporter = createExporter({ registry: createSinkRegistry([memory]) });
  exporter.updateSink({ name: 'portal', config: { type: 'memory' } });
  const operator = await startOperator({
    config: api.config,
    exporter,
    cluster: 'east',
    intervalMs: 20,
  });
  closers.push(() => operator.stop());
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (isSo()) return;
    await sleep(20);
  }
  throw new Error(`It never came to this: ${what}.`);
}

const stored = () =>
  memory
    .contents()
    .get('east:team/all')
    ?.items.map(({ name }) => name);

test('exports what the informers hold, deletes nothing before the first list, tells the status, and removes what is deleted', async () => {
  const api = await startApiServer();
  closers.push(() => api.close());
  api.put('deployments', deployment('web'));
  api.put('deployments', deployment('api'));
  api.put('inventories', inventory);
  await start(api);
  await until('both are stored', () => stored()?.length === 2);
  await until('a status is written', () => api.get('inventories', 'all')?.['status'] !== undefined);
  expect(api.get('inventories', 'all')).toMatchObject({
    metadata: { finalizers: ['example.dev/exported'] },
    status: {
      observedGeneration: 1,
      sinks: [
        { name: 'portal', ready: true, reason: 'Delivered' },
        { name: 'deleted', ready: false, reason: 'terminal' },
      ],
    },
  });
  await closers.pop()?.();

  // The next process cannot list deployments at first: what is stored stays.
  api.failing.add('deployments');
  await start(api);
  await until(
    'the partial snapshot is exported',
    () => memory.contents().get('east:team/all')?.incompleteTargets.length === 1,
  );
  expect(stored()).toEqual(['api', 'web']);
  api.failing.delete('deployments');
  await until(
    'the informer was started again',
    () => memory.contents().get('east:team/all')?.incompleteTargets.length === 0,
  );
  expect(stored()).toEqual(['api', 'web']);

  const before = api.patches.length;
  await sleep(200);
  expect(api.patches.slice(before)).toEqual([]);
  const held = api.get('inventories', 'all') ?? inventory;
  const deletionTimestamp = new Date().toISOString().replace(/\.\d+Z$/u, 'Z');
  api.put('inventories', { ...held, metadata: { ...held.metadata, deletionTimestamp } });
  await until('the finalizer is gone', () => api.get('inventories', 'all') === undefined);
  expect(memory.contents().size).toBe(0);
  expect(new Set(api.patches)).toEqual(
    new Set(['application/merge-patch+json metadata', 'application/merge-patch+json status']),
  );
});
