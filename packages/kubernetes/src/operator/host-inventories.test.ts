import { afterEach, expect, test } from '@jest/globals';
import type { ApiObject, ResourceType } from '../api/kubernetes-api.ts';
import { fieldOf } from '../status/conditions.ts';
import type { CollectInventory } from './inventories/collect-by-host.ts';
import {
  createWorld,
  deployment,
  faultySink,
  inventoryOf,
  memorySpec,
  type World,
  type WorldOptions,
} from './operator.fixture.ts';

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

const appType: ResourceType = { apiVersion: 'example.dev/v1', kind: 'App', plural: 'apps', namespaced: true };
const app = (name: string, namespaces: readonly string[]): ApiObject => ({
  apiVersion: appType.apiVersion,
  kind: 'App',
  metadata: { namespace: 'shop', name },
  spec: { namespaces },
});
const attributes = { replicas: '.spec.replicas' };

/** An inventory of the Deployments that App resources of the host name. */
const collectApps: CollectInventory = ({ inventory, collect, watch }) => {
  for (const { metadata, ...rest } of watch({
    apiVersion: 'example.dev/v1',
    kind: 'App',
    namespace: inventory.namespace,
  }).objects())
    for (const namespace of fieldOf(fieldOf(rest, 'spec'), 'namespaces') as readonly string[])
      collect({ name: metadata.name, attributes }, watch({ apiVersion: 'apps/v1', kind: 'Deployment', namespace }));
};

function start(
  collect: CollectInventory,
  prepare: (one: World) => void = () => undefined,
  wrap: WorldOptions['wrap'] = (definition) => definition,
): World {
  const one = createWorld({ resourceTypes: [appType], wrap });
  worlds.push(one);
  one.put('KollectSink', 'store', memorySpec);
  one.put('KollectInventory', 'portal', inventoryOf(['store'], []));
  one.api.put(app('carts', ['shop', 'other']));
  one.api.put(deployment('cart'));
  one.api.put(deployment('far', 1, 'other'));
  one.api.put(deployment('none', 1, 'nowhere'));
  prepare(one);
  one.start({}, (operator) => operator.inventories(collect));
  return one;
}

test('a host says what belongs to an inventory, by resources of its own, and is asked again where they change', async () => {
  const one = start(collectApps);
  await one.until('two rows', () => one.rows()?.join() === 'cart,far');
  expect(one.snapshot()?.items.map(({ targetName }) => targetName)).toEqual(['carts', 'carts']);
  one.api.put(app('carts', ['nowhere']));
  await one.until('the other', () => one.rows()?.join() === 'none');
  one.api.remove('App', { namespace: 'shop', name: 'carts' });
  await one.until('nothing', () => one.rows()?.length === 0);
});

test('while the resources of the host are not known nothing is taken for gone', async () => {
  const one = start(collectApps);
  await one.until('two rows', () => one.rows()?.length === 2);
  one.api.fail({ kind: 'status', status: 403, reason: 'Forbidden' }, { plural: 'apps' });
  one.api.endWatches();
  one.api.remove('App', { namespace: 'shop', name: 'carts' });
  await one.until(
    'degraded',
    () => one.condition('KollectInventory', 'portal', 'Degraded') === 'True TargetIncomplete',
  );
  await one.clock.advance(60_000);
  expect(one.rows()).toEqual(['cart', 'far']);
  one.api.heal();
  await one.until('nothing', () => one.rows()?.length === 0);
});

test.each<readonly [string, CollectInventory]>([
  [
    'throws',
    () => {
      throw new Error('password is hunter2');
    },
  ],
  ['gives a promise', async () => Promise.reject(new Error('x'))],
  ['collects what nobody watches', ({ collect }) => collect({ name: 'a', attributes }, { objects: () => [] })],
  ['watches no kind', ({ watch }) => void watch({ apiVersion: 'v1', kind: '' })],
])('a function that %s is contained, and rows stay', async (_, faulty) => {
  let isFaulty = false;
  const one = start((context) => (isFaulty ? faulty(context) : collectApps(context)));
  await one.until('two rows', () => one.rows()?.length === 2);
  isFaulty = true;
  one.api.put(app('carts', ['nowhere']));
  await one.until('told', () => one.condition('KollectInventory', 'portal', 'Degraded') === 'True CollectFailed');
  await one.clock.advance(30_000);
  expect(one.rows()).toEqual(['cart', 'far']);
  expect(one.logged.join()).not.toContain('hunter2');
  isFaulty = false;
  one.api.put(app('carts', ['shop']));
  await one.until('one row', () => one.rows()?.join() === 'cart');
});

test('attributes that throw leave the row as it is, and the target incomplete', async () => {
  let isFaulty = false;
  const read = (object: object): Record<string, unknown> => {
    if (isFaulty) throw new Error('x');
    return { name: fieldOf(fieldOf(object, 'metadata'), 'name') };
  };
  const one = start(({ collect, watch }) =>
    collect({ name: 'all', attributes: read }, watch({ apiVersion: 'apps/v1', kind: 'Deployment' })),
  );
  await one.until('three rows', () => one.rows()?.length === 3);
  isFaulty = true;
  one.api.put(deployment('cart', 9));
  await one.until(
    'degraded',
    () => one.condition('KollectInventory', 'portal', 'Degraded') === 'True TargetIncomplete',
  );
  expect(one.rows()).toHaveLength(3);
});

test('one watch serves all that read the same objects, and ends with the last of them', async () => {
  const watched = { apiVersion: 'apps/v1', kind: 'Deployment' };
  const one = start(
    ({ inventory, collect, watch }) => {
      const field = inventory.name === 'portal' ? '.spec.replicas' : '.metadata.generation';
      collect({ name: 'all', attributes: { value: field } }, watch(watched));
    },
    ({ put }) => {
      for (const name of ['second', 'third']) put('KollectInventory', name, inventoryOf(['store'], []));
    },
  );
  const open = (): number => one.api.openWatches;
  await one.until('all rows', () => ['portal', 'second', 'third'].every((name) => one.rows(name)?.length === 3));
  for (const name of ['portal', 'second', 'third'])
    expect(one.snapshot(name)?.items.map((item) => item.attributes)).toEqual([
      { value: 1 },
      { value: 1 },
      { value: 1 },
    ]);
  await one.clock.advance(5_000);
  // Sinks, inventories, tests, and one of Deployments.
  expect(open()).toBe(4);
  for (const name of ['portal', 'second', 'third']) one.api.remove('KollectInventory', { namespace: 'shop', name });
  await one.until('all gone', () => one.api.readAll('KollectInventory').length === 0);
  await one.clock.advance(5_000);
  expect(open()).toBe(3);
});

test('an inventory that waits for a sink that is down before it goes watches nothing any more', async () => {
  const faulty = faultySink();
  const one = start(collectApps, () => undefined, faulty.wrap);
  await one.until('two rows', () => one.rows()?.length === 2);
  faulty.down = true;
  one.api.remove('KollectInventory', { namespace: 'shop', name: 'portal' });
  await one.clock.advance(3_000);
  expect(one.rows()).toEqual(['cart', 'far']);
  // Sinks, inventories and tests.
  expect(one.api.openWatches).toBe(3);
  faulty.down = false;
  await one.until('gone', () => one.rows() === undefined && one.api.readAll('KollectInventory').length === 0);
});
