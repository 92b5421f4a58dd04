import { afterEach, expect, test } from '@jest/globals';
import type { ApiObject } from '../api/kubernetes-api.ts';
import {
  applySample,
  createWorld,
  deployment,
  deploymentTarget,
  faultySink,
  inventoryOf,
  memorySpec,
  type World,
} from './operator.fixture.ts';

const worlds: World[] = [];
const world = (...options: Parameters<typeof createWorld>): World => {
  const one = createWorld(...options);
  worlds.push(one);
  return one;
};
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

const portal = { namespace: 'shop', name: 'portal' };

test('sample resources become rows, a deleted object loses its row, a changed one is updated', async () => {
  const one = world();
  applySample(one);
  const operator = one.start();
  await one.until('two rows', () => one.rows()?.join() === 'cart,web');
  expect(one.snapshot()?.items.map(({ attributes }) => attributes)).toEqual([{ replicas: 1 }, { replicas: 3 }]);
  one.api.remove('Deployment', { namespace: 'shop', name: 'web' });
  one.api.put(deployment('cart', 5));
  await one.until('one row', () => one.rows()?.join() === 'cart');
  expect(one.snapshot()?.items.map(({ attributes }) => attributes)).toEqual([{ replicas: 5 }]);
  expect(operator.health).toEqual({ live: true, ready: true, leading: true });
  await one.until('status', () => one.condition('KollectInventory', 'portal', 'Synced') === 'True Delivered');
  expect(one.condition('KollectSink', 'store', 'Ready')).toBe('True Accepted');
  expect(one.condition('KollectInventory', 'portal', 'Degraded')).toBe('False AsExpected');
  expect(one.condition('KollectInventory', 'portal', 'Synced', 'store')).toBe('True Delivered');
  expect(one.api.read('KollectInventory', portal)?.metadata.finalizers).toEqual(['kollect.dev/exported']);
});

test('a list that fails takes no row away, and says so; what was deleted meanwhile goes once a list is complete', async () => {
  const one = world();
  applySample(one);
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  one.api.fail({ kind: 'reset' }, { plural: 'deployments' });
  await one.clock.advance(1_000);
  one.api.remove('Deployment', { namespace: 'shop', name: 'web' });
  await one.until(
    'staleness',
    () => one.condition('KollectInventory', 'portal', 'Degraded') === 'True TargetIncomplete',
  );
  expect(one.rows()).toEqual(['cart', 'web']);
  one.api.heal();
  await one.until('one row', () => one.rows()?.join() === 'cart');
  await one.until('recovery', () => one.condition('KollectInventory', 'portal', 'Degraded') === 'False AsExpected');
});

test('after a restart into lists that fail, nothing is taken for gone', async () => {
  const one = world();
  applySample(one);
  const first = one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  let closed = false;
  void first.close().then(() => (closed = true));
  await one.until('the end', () => closed);
  one.api.fail({ kind: 'status', status: 500, reason: 'InternalError' }, { verb: 'list', plural: 'deployments' });
  one.start();
  await one.until(
    'degraded',
    () => one.condition('KollectInventory', 'portal', 'Degraded') === 'True TargetIncomplete',
  );
  await one.clock.advance(60_000);
  expect(one.rows()).toEqual(['cart', 'web']);
  one.api.heal();
  one.api.remove('Deployment', { namespace: 'shop', name: 'cart' });
  await one.until('one row', () => one.rows()?.join() === 'web');
});

test('a namespace that is forbidden in mid-life keeps its rows, and others go on', async () => {
  const one = world();
  applySample(one);
  const spec = { ...deploymentTarget.spec, namespaces: ['shop', 'other'] };
  one.put('KollectTarget', 'deployments', { spec });
  one.api.put(deployment('far', 1, 'other'));
  one.start({ otherNamespaces: 'allow' });
  await one.until('three rows', () => one.rows()?.length === 3);
  one.api.fail({ kind: 'status', status: 403, reason: 'Forbidden' }, { plural: 'deployments', namespace: 'other' });
  one.api.endWatches();
  one.api.remove('Deployment', { namespace: 'other', name: 'far' });
  one.api.put(deployment('new'));
  await one.until('the new row', () => one.rows()?.includes('new') === true);
  await one.until(
    'degraded',
    () => one.condition('KollectInventory', 'portal', 'Degraded') === 'True TargetIncomplete',
  );
  expect(one.rows()).toEqual(['cart', 'far', 'new', 'web']);
  one.api.heal();
  await one.until('far gone', () => one.rows()?.join() === 'cart,new,web');
});

test('a target that may not look into other namespaces, one that is gone and one that reads Secrets keep their rows and collect nothing', async () => {
  const one = world();
  applySample(one);
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  one.api.put(deployment('far', 1, 'other'));
  one.api.put({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name: 'key' }, data: { a: 'eA==' } });
  const refused: readonly (() => void)[] = [
    () => one.put('KollectTarget', 'deployments', { spec: { ...deploymentTarget.spec, allNamespaces: true } }),
    () => one.put('KollectTarget', 'deployments', { spec: { ...deploymentTarget.spec, namespaces: ['other'] } }),
    () =>
      one.put('KollectTarget', 'deployments', {
        spec: { resources: [{ apiVersion: 'v1', kind: 'Secret' }], attributes: { d: '.data' } },
      }),
    () => one.put('KollectTarget', 'deployments', { spec: 'nonsense' }),
    () => one.api.remove('KollectTarget', { namespace: 'shop', name: 'deployments' }),
  ];
  for (const refuse of refused) {
    one.put('KollectTarget', 'deployments', deploymentTarget);
    await one.until(
      'all is well',
      () => one.condition('KollectInventory', 'portal', 'Degraded') === 'False AsExpected',
    );
    refuse();
    await one.until(
      'degraded',
      () => one.condition('KollectInventory', 'portal', 'Degraded') === 'True TargetNotFound',
    );
    await one.clock.advance(5_000);
    expect(one.rows()).toEqual(['cart', 'web']);
  }
  one.put('KollectInventory', 'portal', inventoryOf(['store'], []));
  await one.until('no rows', () => one.rows()?.length === 0);
});

test('a target of one namespace collects no objects of the cluster', async () => {
  const one = world();
  applySample(one);
  one.api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
  const resources = [...deploymentTarget.spec.resources, { apiVersion: 'v1', kind: 'Namespace' }];
  one.put('KollectTarget', 'deployments', { spec: { ...deploymentTarget.spec, resources } });
  one.start();
  await one.until('rows', () => (one.rows()?.length ?? 0) >= 2);
  await one.clock.advance(5_000);
  expect(one.rows()).toEqual(['cart', 'web']);
  expect(one.condition('KollectInventory', 'portal', 'Degraded')).toBe('True TargetIncomplete');
  expect(one.logged.join('\n')).toContain('allNamespaces');
});

test('attributes of a profile are read beside those of the target, and a change of either reaches the rows', async () => {
  const one = world();
  applySample(one);
  const spec = { ...deploymentTarget.spec, profileRef: { name: 'labels' } };
  one.put('KollectTarget', 'deployments', { spec });
  one.put('KollectProfile', 'labels', { spec: { attributes: { name: '.metadata.name', replicas: '.metadata.name' } } });
  one.start();
  const attributes = () => JSON.stringify(one.snapshot()?.items.map((item) => item.attributes));
  await one.until('both', () => attributes() === '[{"name":"cart","replicas":1},{"name":"web","replicas":3}]');
  one.put('KollectProfile', 'labels', { spec: { attributes: { kind: '.kind' } } });
  await one.until(
    'the other',
    () => attributes() === '[{"kind":"Deployment","replicas":1},{"kind":"Deployment","replicas":3}]',
  );
});

test('a deleted inventory is taken out of its sinks before it goes', async () => {
  const one = world();
  applySample(one);
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  one.api.remove('KollectInventory', portal);
  await one.until('it is gone', () => one.api.read('KollectInventory', portal) === undefined);
  expect(one.rows()).toBeUndefined();
});

test('a deleted inventory waits for a sink that is down, across a restart, and suspend lets it go', async () => {
  const faulty = faultySink();
  const one = world({ wrap: faulty.wrap });
  applySample(one);
  const first = one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  faulty.down = true;
  one.api.remove('KollectInventory', portal);
  await one.clock.advance(60_000);
  expect(one.api.read('KollectInventory', portal)?.metadata.finalizers).toEqual(['kollect.dev/exported']);
  let closed = false;
  void first.close().then(() => (closed = true));
  await one.until('the end', () => closed);
  one.start();
  await one.clock.advance(60_000);
  expect(one.rows()).toEqual(['cart', 'web']);
  const held = one.api.read('KollectInventory', portal) as ApiObject;
  one.api.put({ ...held, spec: { ...(held['spec'] as object), suspend: true } });
  await one.until('it is gone', () => one.api.read('KollectInventory', portal) === undefined);
  expect(one.rows()).toEqual(['cart', 'web']);
});

test('a sink that cannot be used holds up the inventory as one that is down, and one that is deleted does not', async () => {
  const one = world();
  applySample(one);
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  one.put('KollectSink', 'store', { spec: { type: 'oracle', oracle: {} } });
  await one.until('refused', () => one.condition('KollectSink', 'store', 'Ready') === 'False TypeNotAllowed');
  await one.until(
    'told',
    () => one.condition('KollectInventory', 'portal', 'Ready', 'store') === 'False TypeNotAllowed',
  );
  one.api.remove('KollectInventory', portal);
  await one.clock.advance(60_000);
  expect(one.api.read('KollectInventory', portal)).toBeDefined();
  one.api.remove('KollectSink', { namespace: 'shop', name: 'store' });
  await one.until('it is gone', () => one.api.read('KollectInventory', portal) === undefined);
});

test('an inventory that names a sink no more is taken out of it, and stays in the others', async () => {
  const one = world();
  applySample(one);
  one.put('KollectSink', 'other', memorySpec);
  one.put('KollectInventory', 'portal', inventoryOf(['other']));
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  await one.until('told', () => one.condition('KollectInventory', 'portal', 'Synced', 'other') === 'True Delivered');
  // Another inventory, since both sinks share one store here.
  one.put('KollectInventory', 'portal', inventoryOf(['store']));
  await one.until('left', () => one.condition('KollectInventory', 'portal', 'Synced', 'other') === undefined);
  await one.until('two rows again', () => one.rows()?.length === 2);
  await one.until('synced', () => one.condition('KollectInventory', 'portal', 'Synced') === 'True Delivered');
});

test('a suspended inventory exports nothing and keeps its rows, and goes on where it is suspended no more', async () => {
  const one = world();
  applySample(one);
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  one.put(
    'KollectInventory',
    'portal',
    { spec: { ...inventoryOf().spec, suspend: true } },
    { finalizers: ['kollect.dev/exported'] },
  );
  await one.until('suspended', () => one.condition('KollectInventory', 'portal', 'Ready') === 'True Suspended');
  one.api.remove('Deployment', { namespace: 'shop', name: 'web' });
  await one.clock.advance(1_300_000);
  expect(one.rows()).toEqual(['cart', 'web']);
  one.put('KollectInventory', 'portal', inventoryOf(), { finalizers: ['kollect.dev/exported'] });
  await one.until('one row', () => one.rows()?.join() === 'cart');
});

test('what a sink that was down is owed of an inventory is not delivered once that is suspended, and comes when it goes on', async () => {
  const faulty = faultySink();
  const one = world({ wrap: faulty.wrap });
  applySample(one);
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  faulty.down = true;
  one.api.remove('Deployment', { namespace: 'shop', name: 'web' });
  await one.until('it fails', () => one.condition('KollectSink', 'store', 'Degraded')?.startsWith('True') === true);
  one.put('KollectInventory', 'portal', { spec: { ...inventoryOf().spec, suspend: true } });
  await one.until('suspended', () => one.condition('KollectInventory', 'portal', 'Ready') === 'True Suspended');
  faulty.down = false;
  await one.clock.advance(900_000);
  expect(one.rows()).toEqual(['cart', 'web']);
  one.put('KollectInventory', 'portal', inventoryOf());
  await one.until('one row', () => one.rows()?.join() === 'cart');
});

test('a sink deleted while it exports ends what it does, and a new one of its name is written again', async () => {
  const faulty = faultySink();
  const one = world({ wrap: faulty.wrap });
  applySample(one);
  faulty.hangs = true;
  one.start();
  await one.until('an export under way', () => faulty.calls > 0);
  one.api.remove('KollectSink', { namespace: 'shop', name: 'store' });
  await one.until('told', () => one.condition('KollectInventory', 'portal', 'Ready', 'store') === 'False SinkNotFound');
  faulty.hangs = false;
  one.put('KollectSink', 'store', memorySpec);
  await one.until('two rows', () => one.rows()?.length === 2);
  await one.until('synced', () => one.condition('KollectInventory', 'portal', 'Synced') === 'True Delivered');
});

test('a store that fails is told by a reason and a constant text, in the sink and in the inventory', async () => {
  const faulty = faultySink();
  const one = world({ wrap: faulty.wrap });
  applySample(one);
  faulty.down = true;
  one.start();
  await one.until('failed', () => one.condition('KollectSink', 'store', 'Synced') === 'False Unavailable');
  await one.until(
    'failed',
    () => one.condition('KollectInventory', 'portal', 'Degraded', 'store') === 'True Unavailable',
  );
  expect(JSON.stringify(one.api.readAll('KollectSink'))).not.toContain('row data');
  faulty.down = false;
  await one.until('synced', () => one.condition('KollectSink', 'store', 'Synced') === 'True Delivered');
});

test('an unchanged world is not written, however often everything is looked at, and a restart flips nothing', async () => {
  const one = world();
  applySample(one);
  const first = one.start({ resync: '1m' });
  await one.until('synced', () => one.condition('KollectSink', 'store', 'Synced') === 'True Delivered');
  await one.clock.advance(120_000);
  one.api.clearCalls();
  await one.clock.advance(3 * 3_600_000);
  expect(one.api.writes()).toEqual([]);
  let closed = false;
  void first.close().then(() => (closed = true));
  await one.until('the end', () => closed);
  one.start({ resync: '1m' });
  await one.clock.advance(3_600_000);
  expect(one.api.writes()).toEqual([]);
});

test('resources that are nonsense end as conditions, and no other one waits for them', async () => {
  const one = world();
  applySample(one);
  const nonsense: readonly unknown[] = [
    undefined,
    null,
    5,
    'x',
    [],
    { type: 5 },
    { sinkRefs: 'x' },
    { sinkRefs: [null] },
    { type: 'memory', memory: 5 },
  ];
  nonsense.forEach((spec, index) => {
    for (const kind of ['KollectSink', 'KollectInventory', 'KollectTarget', 'KollectProfile'])
      one.put(kind, `bad-${String(index)}`, { spec, status: spec });
  });
  const operator = one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  for (const kind of ['KollectSink', 'KollectInventory'])
    for (const index of nonsense.keys())
      await one.until(
        `${kind} ${String(index)}`,
        () => one.condition(kind, `bad-${String(index)}`, 'Ready') === 'False SpecInvalid',
      );
  expect(operator.health).toEqual({ live: true, ready: true, leading: true });
  for (const index of nonsense.keys())
    one.api.remove('KollectInventory', { namespace: 'shop', name: `bad-${String(index)}` });
  await one.clock.advance(5_000);
  expect(one.api.readAll('KollectInventory')).toHaveLength(1);
});
