import { describe, expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors.ts';
import { itemFromObject, type KubernetesObject } from './item-from-object.ts';

const target = { namespace: 'platform', name: 'workloads' };
const managedFields = [{ manager: 'kubectl', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} } }];
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', uid: '7f0e4c1a', labels: { team: '日本語' }, managedFields },
  spec: { replicas: 3, template: { spec: { containers: [{ image: 'web:1' }, { image: 'log:2' }] } } },
};
const refusal = (run: () => unknown): SinkError => {
  try {
    run();
  } catch (error) {
    if (SinkError.isInstance(error)) return error;
  }
  throw new Error('a SinkError was expected');
};

describe('an item says who the object is', () => {
  test('of a group and a namespace', () => {
    expect(itemFromObject(deployment, { target, attributes: ['.spec.replicas'] })).toEqual({
      targetNamespace: 'platform',
      targetName: 'workloads',
      namespace: 'shop',
      name: 'web',
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      uid: '7f0e4c1a',
      attributes: { '.spec.replicas': 3 },
    });
  });

  test('of the core group and of no namespace', () => {
    const item = itemFromObject(
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'u' } },
      { target, attributes: [] },
    );
    expect(item).toMatchObject({ namespace: '', version: 'v1', kind: 'Node', attributes: {} });
    expect(item).not.toHaveProperty('group');
  });

  test('of a typed list, whose items say neither apiVersion nor kind', () => {
    const item = itemFromObject(
      { metadata: { name: 'n1', uid: 'u' } },
      { target, attributes: [], apiVersion: 'batch/v1', kind: 'Job' },
    );
    expect(item).toMatchObject({ group: 'batch', version: 'v1', kind: 'Job' });
    expect(itemFromObject(deployment, { target, attributes: [], kind: 'Job' }).kind).toBe('Deployment');
  });
});

describe('attributes', () => {
  test('by paths, without those that lead nowhere', () => {
    const attributes = ['.metadata.labels.team', '.spec.template.spec.containers[*].image', '.spec.paused'];
    expect(itemFromObject(deployment, { target, attributes }).attributes).toEqual({
      '.metadata.labels.team': '日本語',
      '.spec.template.spec.containers[*].image': ['web:1', 'log:2'],
    });
  });

  test('by paths under names of their own, `__proto__` included', () => {
    const attributes = JSON.parse(
      '{"images": ".spec.template.spec.containers[*].image", "__proto__": ".spec.replicas"}',
    ) as Record<string, string>;
    const found = itemFromObject(deployment, { target, attributes }).attributes;
    expect(JSON.stringify(found)).toBe('{"images":["web:1","log:2"],"__proto__":3}');
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  });

  test('by a function, which knows the type of the object', () => {
    const item = itemFromObject(deployment, { target, attributes: ({ spec }) => ({ replicas: spec.replicas * 2 }) });
    expect(item.attributes).toEqual({ replicas: 6 });
  });

  const typed = (source: (object: typeof deployment) => Record<string, unknown>) => source;
  test.each([
    ['a path to it', ['.metadata.managedFields']],
    ['a quoted path to it', ['["metadata"]["managedFields"]']],
    ['an element of it', ['.metadata.managedFields[0].manager']],
    ['the whole metadata', ['.metadata']],
    ['everything', ['.*']],
    ['a record of paths', { fields: '.metadata.managedFields', meta: '.metadata' }],
    ['a function', typed(({ metadata }) => ({ metadata, fields: metadata.managedFields }))],
    ['a function that returns the object', typed((object) => object)],
    ['a function that returns the metadata', typed(({ metadata }) => metadata)],
    [
      'a function over what it closed over',
      typed(() => ({ deployment, meta: deployment.metadata, fields: deployment.metadata.managedFields })),
    ],
    ['a function that returns what it closed over', typed(() => deployment)],
  ])('never hold managedFields: %s', (_, attributes) => {
    const json = JSON.stringify(itemFromObject(deployment, { target, attributes }).attributes);
    expect(json).not.toMatch(/managedFields|kubectl|fieldsV1/u);
    expect(deployment.metadata.managedFields).toBe(managedFields);
  });
});

describe('what cannot become an item is named', () => {
  const metadata = { name: 'web', namespace: 'shop', uid: 'u' };
  test.each<[string, unknown, string]>([
    [
      'no kind',
      { apiVersion: 'v1', metadata },
      'Object v1/? shop/web: kind is missing. Items of a typed list have none',
    ],
    [
      'no apiVersion',
      { kind: 'Pod', metadata },
      'Object ?/Pod shop/web: apiVersion is missing. Items of a typed list have none',
    ],
    ['no metadata', { apiVersion: 'v1', kind: 'Pod' }, 'Object v1/Pod ?: metadata.name is missing.'],
    [
      'no uid',
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } },
      'Object v1/Pod web: metadata.uid is missing. The API server sets it',
    ],
    [
      'an empty name',
      { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: '' } },
      'metadata.name is empty.',
    ],
    [
      'a number for a name',
      { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 7 } },
      'metadata.name is a number and not a string.',
    ],
    [
      'a number for a namespace',
      { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace: 7 } },
      'metadata.namespace is a number',
    ],
    [
      'three parts',
      { apiVersion: 'a/b/c', kind: 'Pod', metadata },
      'apiVersion is "a/b/c"; expected "version" or "group/version"',
    ],
    ['an empty group', { apiVersion: '/v1', kind: 'Pod', metadata }, 'apiVersion is "/v1"'],
    ['an empty version', { apiVersion: 'apps/', kind: 'Pod', metadata }, 'apiVersion is "apps/"'],
    ['an array', [], 'A Kubernetes object was expected, and an array found.'],
    ['null', null, 'A Kubernetes object was expected, and null found.'],
  ])('%s', (_, object, message) => {
    const error = refusal(() => itemFromObject(object as KubernetesObject, { target, attributes: [] }));
    expect(error.code).toBe('SNAPSHOT_INVALID');
    expect(error.message).toContain(message);
  });

  test.each<[string, unknown, string]>([
    ['an array', ['a'], 'an array'],
    ['undefined', undefined, 'undefined'],
    ['a promise', Promise.resolve({}), 'a promise'],
    ['a string', 'x', 'a string'],
  ])('an attributes function that returns %s', (_, result, named) => {
    const error = refusal(() =>
      itemFromObject(deployment, { target, attributes: () => result as Record<string, unknown> }),
    );
    expect(error.message).toBe(
      `Object apps/v1/Deployment shop/web: the attributes function returned ${named}; expected an object such as { replicas: 3 }.`,
    );
  });

  test('a path, with the character that is wrong', () => {
    const error = refusal(() => itemFromObject(deployment, { target, attributes: ['.spec[replicas]'] }));
    expect(error.code).toBe('SNAPSHOT_INVALID');
    expect(error.message).toContain('Field path ".spec[replicas]" cannot be read at character 7, after ".spec["');
  });
});
