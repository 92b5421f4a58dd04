import { afterEach, expect, test } from '@jest/globals';
import { memorySink, type SinkDefinition } from '@kollect/core';
import type { ResourceType } from '../api/kubernetes-api.ts';
import { applySample, createWorld, deployment, faultySink, inventoryOf, type World } from './operator.fixture.ts';

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

const finalizers = ['kollect.dev/exported'];

/** A second store, of a type of its own, which may fail. */
function secondStore(one: World) {
  const faulty = faultySink();
  const store = memorySink({ now: () => new Date(one.clock.now()) });
  const definition: SinkDefinition = { ...faulty.wrap(store), type: 'second' };
  const rows = (): readonly string[] | undefined =>
    [...store.contents().values()][0]?.items.map(({ name }) => name).sort();
  return { faulty, definition, rows };
}

test('a sink that is left while it is down loses its rows later, and the others are delivered meanwhile', async () => {
  const one = createWorld();
  worlds.push(one);
  const second = secondStore(one);
  applySample(one);
  one.put('KollectSink', 'second', { spec: { type: 'second' } });
  one.put('KollectInventory', 'portal', inventoryOf(['store', 'second']));
  one.start({ sinks: [one.store, second.definition] });
  await one.until('rows in both', () => one.rows()?.length === 2 && second.rows()?.length === 2);
  second.faulty.down = true;
  one.put(
    'KollectInventory',
    'portal',
    { ...inventoryOf(), status: one.api.read('KollectInventory', { namespace: 'shop', name: 'portal' })?.['status'] },
    { finalizers },
  );
  await one.until('told', () => one.condition('KollectInventory', 'portal', 'Synced', 'second') === 'Unknown Removing');
  for (const [index, name] of ['n1', 'n2', 'n3'].entries()) {
    one.api.put(deployment(name));
    await one.until(name, () => one.rows()?.length === 3 + index, 10_000);
    await one.clock.advance(20_000);
  }
  expect(second.rows()).toEqual(['cart', 'web']);
  second.faulty.down = false;
  await one.until('left', () => second.rows() === undefined);
  await one.until('told', () => one.condition('KollectInventory', 'portal', 'Synced', 'second') === undefined);
  expect(one.rows()).toHaveLength(5);
});

test('the status names a sink before anything is exported to it: it is all that remembers where rows are', async () => {
  const told: (string | undefined)[] = [];
  const noting = (definition: SinkDefinition): SinkDefinition => ({
    ...definition,
    create: (context) => {
      const sink = definition.create(context);
      return {
        ...sink,
        export: (snapshot, options) => {
          told.push(one.condition('KollectInventory', 'portal', 'Synced', 'store'));
          return sink.export(snapshot, options);
        },
      };
    },
  });
  const one: World = createWorld({ wrap: noting });
  worlds.push(one);
  applySample(one);
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  expect(told[0]).toBe('Unknown Pending');
});

test('nothing is delivered to a sink that became invalid, and what was collected meanwhile comes when it is right again', async () => {
  const faulty = faultySink();
  const one = createWorld({ wrap: faulty.wrap });
  worlds.push(one);
  applySample(one);
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  faulty.down = true;
  one.api.put(deployment('owed'));
  await one.until('failed', () => one.condition('KollectSink', 'store', 'Synced') === 'False Unavailable');
  one.put('KollectSink', 'store', { spec: { type: 'memory', memory: { nonsense: 1 } } });
  await one.until('refused', () => one.condition('KollectSink', 'store', 'Ready') === 'False SpecInvalid');
  faulty.down = false;
  one.api.put(deployment('new'));
  await one.clock.advance(60_000);
  expect(one.rows()).toEqual(['cart', 'web']);
  one.put('KollectSink', 'store', { spec: { type: 'memory' } });
  await one.until('four rows', () => one.rows()?.length === 4);
});

test('a type that the API server does not serve yet is found once it does, and keeps the others from nothing', async () => {
  const late: ResourceType = { apiVersion: 'example.dev/v1', kind: 'Late', plural: 'lates', namespaced: true };
  const one = createWorld({ resourceTypes: [late] });
  worlds.push(one);
  applySample(one);
  one.put('KollectTarget', 'late', { spec: { resources: [{ apiVersion: late.apiVersion, kind: late.kind }] } });
  one.put('KollectInventory', 'portal', inventoryOf(['store'], ['deployments', 'late']));
  one.api.put({ apiVersion: late.apiVersion, kind: late.kind, metadata: { namespace: 'shop', name: 'one' } });
  let isServed = false;
  const { api } = one;
  const resourceTypes: typeof api.resourceTypes = async (apiVersion, options) =>
    apiVersion === late.apiVersion && !isServed ? [] : api.resourceTypes(apiVersion, options);
  one.start({ api: { ...api, resourceTypes } });
  await one.until('the others', () => one.rows()?.join() === 'cart,web');
  expect(one.condition('KollectInventory', 'portal', 'Degraded')).toBe('True TargetIncomplete');
  isServed = true;
  await one.until('all', () => one.rows()?.join() === 'cart,one,web');
});

test('calls that the API server does not answer are given up, and what they were for is done later', async () => {
  const one = createWorld();
  worlds.push(one);
  applySample(one);
  one.api.fail({ kind: 'silence' }, { verb: 'patch', times: 12 });
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  await one.until('told', () => one.condition('KollectInventory', 'portal', 'Synced') === 'True Delivered');
});
