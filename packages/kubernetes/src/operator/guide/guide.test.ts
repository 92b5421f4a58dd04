import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { createSinkRegistry, memorySink } from '@kollect/core';
import { parseSink } from '@kollect/kubernetes';
import { createFakeApi } from '@kollect/kubernetes/testing';
import { postgresSink } from '@kollect/sink-postgres';
import { parse } from 'yaml';
import { manualClock, settle } from '../../testing/manual-clock.fixture.ts';
import type { Operator } from '../operator-types.ts';
import { teamOperator } from './operator.fixture.ts';

const page = readFileSync(new URL('../../../../../docs/kubernetes/operator.md', import.meta.url), 'utf8');
const source = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

const operators: Operator[] = [];
afterEach(async () => {
  await Promise.all(operators.splice(0).map((operator) => operator.close()));
});

test('the page prints the code that is tested here', () => {
  const printed = [...page.matchAll(/```ts\n([\s\S]*?)```/gu)].map(([, code]) => code);
  expect(printed).toEqual([source('main.fixture.ts'), source('operator.fixture.ts')]);
  for (const code of printed) expect(code?.trim().split('\n').length).toBeLessThanOrEqual(40);
});

test('the sink of the page about hubs is one', () => {
  const hub = readFileSync(new URL('../../../../../docs/kubernetes/hub-mode.md', import.meta.url), 'utf8');
  const resource = parse(/```yaml\n([\s\S]*?)```/u.exec(hub)?.[1] ?? '') as { readonly metadata: object };
  const stored = { ...resource, metadata: { ...resource.metadata, namespace: 'hub', uid: 'u', resourceVersion: '1' } };
  expect(parseSink(stored, createSinkRegistry([postgresSink])).config).toMatchObject({
    postgres: { clusterInKey: true },
  });
});

test('the operator of the page exports the Deployments of the namespaces that its own resources name', async () => {
  const team = { apiVersion: 'example.dev/v1', kind: 'Team', plural: 'teams', namespaced: true };
  const clock = manualClock();
  const api = createFakeApi({ clock, resourceTypes: [team] });
  const store = memorySink({ now: () => new Date(clock.now()) });
  const put = (apiVersion: string, kind: string, namespace: string, name: string, spec: object) =>
    api.put({ apiVersion, kind, metadata: { namespace, name }, spec });
  put('kollect.dev/v1alpha1', 'KollectSink', 'platform', 'portal', { type: 'memory' });
  put('kollect.dev/v1alpha1', 'KollectInventory', 'platform', 'workloads', { sinkRefs: [{ name: 'portal' }] });
  put('example.dev/v1', 'Team', 'platform', 'shop', { namespaces: ['cart', 'web'] });
  put('apps/v1', 'Deployment', 'cart', 'api', { replicas: 2 });
  put('apps/v1', 'Deployment', 'web', 'site', { replicas: 3 });
  put('apps/v1', 'Deployment', 'other', 'else', { replicas: 1 });
  const operator = teamOperator({ api, sinks: [store], cluster: 'east', clock });
  operators.push(operator);
  const running = operator.run();
  const rows = (): string =>
    [...store.contents().values()]
      .flatMap(({ items }) => items.map(({ namespace, name }) => `${namespace}/${name}`))
      .join();
  for (let tries = 0; tries < 500 && rows() !== 'cart/api,web/site'; tries++) await clock.advance(100);
  expect(rows()).toBe('cart/api,web/site');
  api.remove('KollectInventory', { namespace: 'platform', name: 'workloads' });
  for (let tries = 0; tries < 500 && store.contents().size > 0; tries++) await clock.advance(100);
  expect(api.readAll('KollectInventory')).toEqual([]);
  let ended = false;
  void running.finally(() => (ended = true));
  void operator.close();
  for (let tries = 0; tries < 500 && !ended; tries++) await clock.advance(100);
  await settle();
  expect(ended).toBe(true);
});
