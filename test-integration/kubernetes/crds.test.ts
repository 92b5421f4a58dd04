import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSinkRegistry, defineSink, memorySink, type SpecSchema } from '@kollect/core';
import { apiVersion, generateCrds, kollectTypes } from '@kollect/kubernetes';
import { badResources } from '../../packages/kubernetes/src/resources/bad-resources.fixture.ts';
import { notReadByServer, readByServer } from '../../packages/kubernetes/src/crds/server-patterns.fixture.ts';
import {
  inventorySpec,
  kafkaSpec,
  natsSpec,
  postgresSpec,
  targetSpec,
} from '../../packages/kubernetes/src/resources/resources.fixture.ts';
import { startKubernetes, type KubernetesServer } from '../servers/index.ts';
import { applyCrds, createKubectl, pathOf, type Kubectl } from '../support/kubernetes.ts';
import { waitUntil } from '../support/wait-until.ts';

let server: KubernetesServer;
let kubectl: Kubectl;
let namespace: string;

beforeAll(async () => {
  server = await startKubernetes();
  kubectl = createKubectl(server);
  await applyCrds(kubectl);
  namespace = await kubectl.namespace();
}, 180_000);
afterAll(() => server.stop());

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

describe('the CRDs', () => {
  test.each(kollectTypes.map(({ plural }) => plural))(
    '%s are served, and nothing is wrong with their schema',
    async (plural) => {
      const found = await kubectl.get(`${crdPath}/${plural}.kollect.dev`);
      const { conditions } = Object(found?.['status']) as { readonly conditions: readonly Condition[] };
      const bad = conditions.filter(({ type, status }) =>
        type === 'NonStructuralSchema' ? status !== 'False' : status !== 'True',
      );
      expect(bad.filter(({ type }) => type !== 'NonStructuralSchema' || bad.length > 0)).toEqual([]);
      expect(conditions.map(({ type }) => type)).toEqual(expect.arrayContaining(['Established', 'NamesAccepted']));
    },
  );

  test('a sink type of somebody else has its block', async () => {
    const specSchema = {
      type: 'object',
      additionalProperties: false,
      required: ['path'],
      properties: {
        path: { type: 'string', description: 'Where.' },
        share: { type: ['integer', 'string'], minimum: 1, pattern: '^[0-9]+%$', description: 'How much.' },
        labels: { type: 'object', additionalProperties: { type: 'string' }, description: 'Any.' },
        ...Object.fromEntries(
          [...readByServer, ...notReadByServer].map((pattern, index) => [
            `p${String(index)}`,
            { type: 'string', pattern, description: 'Matches.' } as const,
          ]),
        ),
      },
    } as const satisfies SpecSchema;
    const files = defineSink({
      type: 'my-files',
      contractVersion: 1,
      role: 'snapshot-store',
      specSchema,
      create: memorySink().create,
    });
    const { definitions } = { definitions: generateCrds(createSinkRegistry([files, memorySink()])) };
    // Under another group, so that ours stay as they are.
    const crd = JSON.parse(
      JSON.stringify(definitions[0]).replaceAll('kollect.dev', 'other.kollect.dev'),
    ) as (typeof definitions)[0];
    await kubectl.apply({ ...crd });
    await waitUntil(async () => (await kubectl.ask('GET', '/apis/other.kollect.dev/v1alpha1')).status === 200, {
      what: 'the group is served',
    });
    const sink = (name: string, spec: object) => ({
      apiVersion: 'other.kollect.dev/v1alpha1',
      kind: 'KollectSink',
      metadata: { name, namespace },
      spec,
    });
    const first = sink('a', { type: 'my-files', 'my-files': { path: '/x', share: '5%' } });
    // The group is served a moment before its schema is.
    await waitUntil(
      () =>
        kubectl.apply(first).then(
          () => true,
          () => false,
        ),
      { what: 'a sink of it is taken' },
    );
    await kubectl.apply(sink('b', { type: 'memory' }));
    await expect(kubectl.apply(sink('c', { type: 'my-files' }))).rejects.toThrow('my-files');
    await expect(kubectl.apply(sink('d', { type: 'my-files', 'my-files': { path: '/x', share: 0 } }))).rejects.toThrow(
      'share',
    );
  });
});

const good: readonly (readonly [title: string, kind: string, spec: object])[] = [
  ['a sink of PostgreSQL', 'KollectSink', { ...postgresSpec, secretRef: { name: 'portal', preset: 'cloudnative-pg' } }],
  ['a sink of Kafka', 'KollectSink', { ...kafkaSpec, ca: { configMapRef: { name: 'ca', key: 'ca.crt' } } }],
  ['a sink of NATS', 'KollectSink', { ...natsSpec, delivery: { retry: { retries: 5 } } }],
  ['an inventory', 'KollectInventory', inventorySpec],
  ['a target', 'KollectTarget', { ...targetSpec, labelSelector: { matchLabels: { app: 'web' } } }],
  ['a profile', 'KollectProfile', { attributes: { replicas: '.spec.replicas' } }],
  ['a connection test', 'KollectConnectionTest', { sinkRef: { name: 'portal' } }],
];

describe('what the API server takes', () => {
  test.each(good)('%s', async (_, kind, spec) => {
    const name = `good-${String(good.findIndex(([, , other]) => other === spec))}`;
    const made = await kubectl.apply({ apiVersion, kind, metadata: { name, namespace }, spec });
    // Nothing was filled in that the user did not write.
    expect(made['spec']).toEqual(spec);
  });

  test('the columns that kubectl shows', async () => {
    await kubectl.apply({
      apiVersion,
      kind: 'KollectSink',
      metadata: { name: 'shown', namespace },
      spec: postgresSpec,
    });
    const path = pathOf(apiVersion, 'kollectsinks', namespace);
    const { body } = await kubectl.ask('GET', path, undefined, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    const names = (body['columnDefinitions'] as readonly { readonly name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['Name', 'Type', 'Ready', 'Reason', 'Synced', 'Age']);
  });

  test('a status of its own: whoever writes the spec does not write it', async () => {
    const path = pathOf(apiVersion, 'kollectsinks', namespace, 'with-status');
    const sink = { apiVersion, kind: 'KollectSink', metadata: { name: 'with-status', namespace }, spec: kafkaSpec };
    await kubectl.apply(sink);
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: '',
      lastTransitionTime: '2026-01-31T12:00:00Z',
    };
    const patch = { status: { observedGeneration: 1, conditions: [condition] } };
    const { status } = await kubectl.ask('PATCH', `${path}/status`, patch, {
      'content-type': 'application/merge-patch+json',
    });
    expect(status).toBe(200);
    expect((await kubectl.get(path))?.['status']).toEqual(patch.status);
    expect((await kubectl.get(path))?.metadata?.['generation']).toBe(1);
  });
});

describe('what it refuses', () => {
  const refused = badResources.filter(({ refusedBy }) => refusedBy !== 'parser');
  test.each(refused.map((bad) => [`${bad.kind}: ${bad.title}`, bad] as const))(
    '%s',
    async (_, { kind, spec, path, refusedBy }) => {
      const plural = kollectTypes.find((type) => type.kind === kind)?.plural ?? '';
      const object = { apiVersion, kind, metadata: { name: 'bad', namespace }, spec };
      const { status, body } = await kubectl.ask(
        'POST',
        `${pathOf(apiVersion, plural, namespace)}?fieldValidation=Strict`,
        object,
      );
      const last = path
        .replaceAll(/\[\d+\]/gu, '')
        .split('.')
        .at(-1);
      expect([status, body.message]).toEqual([
        refusedBy === 'unknown-field' ? 400 : 422,
        expect.stringContaining(String(last)),
      ]);
    },
  );

  test('another type for a sink that is there', async () => {
    const metadata = { name: 'typed', namespace };
    await kubectl.apply({ apiVersion, kind: 'KollectSink', metadata, spec: postgresSpec });
    await expect(kubectl.apply({ apiVersion, kind: 'KollectSink', metadata, spec: kafkaSpec })).rejects.toThrow(
      'the type of a sink cannot be changed',
    );
  });

  test('another sink for a connection test that is there', async () => {
    const metadata = { name: 'once', namespace };
    const apply = (name: string) =>
      kubectl.apply({ apiVersion, kind: 'KollectConnectionTest', metadata, spec: { sinkRef: { name } } });
    await apply('a');
    await expect(apply('b')).rejects.toThrow('a test is made once');
  });
});
