import { describe, expect, test } from '@jest/globals';
import { createSinkRegistry, SinkError } from '@kollect/core';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import { badResources } from './bad-resources.fixture.ts';
import { formatLabelSelector } from './label-selector.ts';
import { parseConnectionTest, parseInventory, parseProfile, parseTarget } from './parse-resources.ts';
import { parseSink } from './parse-sink.ts';
import { inventorySpec, kafkaSpec, natsSpec, postgresSpec, resource, targetSpec } from './resources.fixture.ts';

const registry = createSinkRegistry([postgresSink, kafkaSink, natsSink]);
const parsers: Readonly<Record<string, (given: unknown) => unknown>> = {
  KollectSink: (given) => parseSink(given, registry),
  KollectInventory: parseInventory,
  KollectTarget: parseTarget,
  KollectProfile: parseProfile,
  KollectConnectionTest: parseConnectionTest,
};

function refusal(kind: string, given: unknown): SinkError {
  try {
    parsers[kind]?.(given);
  } catch (error) {
    if (SinkError.isInstance(error)) return error;
    throw error;
  }
  throw new Error(`A ${kind} was taken that should not be.`);
}

describe('what can be used', () => {
  test('a sink is typed, with its defaults and the config that an exporter takes', () => {
    const sink = parseSink(
      resource('KollectSink', { ...postgresSpec, secretRef: { name: 'portal-app', preset: 'cloudnative-pg' } }),
      registry,
    );
    expect(sink).toMatchObject({ namespace: 'shop', name: 'portal', uid: 'u-1', generation: 1, finalizers: [] });
    expect(sink.config).toEqual(postgresSpec);
    expect(sink.spec.delivery.deadline).toBe('2m');
    expect(sink.spec.secretRef).toEqual({ name: 'portal-app', preset: 'cloudnative-pg' });
  });

  test.each([kafkaSpec, natsSpec])('the block of %o belongs to its type', (spec) => {
    expect(parseSink(resource('KollectSink', spec), registry).config).toEqual(spec);
  });

  test('an inventory, a target, a profile and a connection test have their defaults', () => {
    expect(parseInventory(resource('KollectInventory', inventorySpec)).spec).toEqual({
      ...inventorySpec,
      exportMinInterval: '30s',
      suspend: false,
    });
    expect(parseTarget(resource('KollectTarget', targetSpec)).spec).toEqual({ ...targetSpec, allNamespaces: false });
    expect(parseProfile(resource('KollectProfile', { attributes: { a: '.spec' } })).spec.attributes).toEqual({
      a: '.spec',
    });
    expect(parseConnectionTest(resource('KollectConnectionTest', { sinkRef: { name: 'portal' } })).spec).toEqual({
      sinkRef: { name: 'portal' },
      ttlSecondsAfterFinished: 300,
    });
  });

  test('a selector is written as the API server takes it', () => {
    const { spec } = parseTarget(
      resource('KollectTarget', {
        ...targetSpec,
        labelSelector: {
          matchLabels: { app: 'web', tier: '' },
          matchExpressions: [
            { key: 'env', operator: 'In', values: ['a', 'b'] },
            { key: 'old', operator: 'DoesNotExist' },
            { key: 'team', operator: 'Exists' },
            { key: 'x', operator: 'NotIn', values: ['y'] },
          ],
        },
      }),
    );
    expect(formatLabelSelector(spec.labelSelector)).toBe('app=web,tier=,env in (a,b),!old,team,x notin (y)');
    expect(formatLabelSelector(undefined)).toBeUndefined();
  });
});

describe('what cannot', () => {
  test.each(badResources.map((bad) => [`${bad.kind}: ${bad.title}`, bad] as const))('%s', (_, bad) => {
    const error = refusal(bad.kind, resource(bad.kind, bad.spec));
    expect(error.code).toBe('SPEC_INVALID');
    expect(error.message).toContain('shop/portal');
    expect(error.message).toContain(bad.path);
  });

  test.each([
    ['no metadata', { metadata: undefined }],
    ['no uid', { metadata: { namespace: 'a', name: 'b', resourceVersion: '1' } }],
    ['a generation that is a text', resource('KollectSink', postgresSpec, { generation: '1' })],
    ['finalizers that are a text', resource('KollectSink', postgresSpec, { finalizers: 'kollect.dev/exported' })],
    ['a deletion at no time', resource('KollectSink', postgresSpec, { deletionTimestamp: 'soon' })],
    ['null', null],
    ['a list', [1]],
    ['a text', 'KollectSink'],
  ])('%s is refused by every parser', (_, given) => {
    for (const kind of Object.keys(parsers)) expect(refusal(kind, given).code).toBe('SPEC_INVALID');
  });
});
