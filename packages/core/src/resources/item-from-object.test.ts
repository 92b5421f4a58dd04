import { describe, expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
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

describe('options that mean nothing are refused', () => {
  const attributes = ['.spec.replicas'];
  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'The options of itemFromObject: target is missing; expected an object.'],
    [
      'null',
      null,
      'The options of itemFromObject must be an object with target, attributes, apiVersion, kind, found null.',
    ],
    ['a typo', { target, attributes, apiversion: 'v1' }, '"apiversion" is not known; did you mean "apiVersion"?'],
    [
      'no target name',
      { target: { namespace: 'a' }, attributes },
      'The target given to itemFromObject: name is missing',
    ],
    ['no attributes', { target }, 'attributes is missing'],
    ['one path', { target, attributes: '.spec.replicas' }, 'must be a list of field paths such as [".spec.replicas"]'],
    ['a Map', { target, attributes: new Map() }, 'must be a list of field paths'],
    ['a number', { target, attributes: 5 }, 'or a function, found the number 5.'],
    ['null for attributes', { target, attributes: null }, 'or a function, found null.'],
    ['a list of numbers', { target, attributes: [5] }, 'or a function, found an array of 1.'],
    ['a record of numbers', { target, attributes: { a: 5 } }, 'the key "a" holds the number 5 and not a field path.'],
  ])('%s', (_, options, message) => {
    const error = refusal(() => itemFromObject(deployment, options as Parameters<typeof itemFromObject>[1]));
    expect(error.code).toBe('SNAPSHOT_INVALID');
    expect(error.message).toContain(message);
  });
});

describe('what throws gives no foreign error', () => {
  const throwing = (): never => {
    throw new TypeError('geheim');
  };
  const getter = (field: string) =>
    Object.defineProperty({ ...deployment }, field, { get: throwing, enumerable: true });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();

  test.each<[string, unknown]>([
    ['a getter', getter('metadata')],
    ['a revoked proxy', proxy],
    ['a proxy that throws', new Proxy(deployment, { get: throwing })],
    ['metadata that throws', { ...deployment, metadata: new Proxy({}, { get: throwing, has: throwing }) }],
  ])('%s', (_, object) => {
    const error = refusal(() => itemFromObject(object as KubernetesObject, { target, attributes: ['.spec'] }));
    expect(error.code).toBe('SNAPSHOT_INVALID');
    expect(error.message).not.toContain('geheim');
  });

  test('an attributes function, whose error is kept as the cause', () => {
    const error = refusal(() => itemFromObject(deployment, { target, attributes: throwing }));
    expect(error.message).toBe(
      'Object apps/v1/Deployment shop/web: the attributes function threw TypeError; see the cause.',
    );
    expect(error.cause).toBeInstanceOf(TypeError);
  });
});
