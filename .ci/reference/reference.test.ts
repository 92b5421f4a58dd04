import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { createSinkRegistry } from '@kollect/core';
import { parseConnectionTest, parseInventory, parseProfile, parseSink, parseTarget } from '@kollect/kubernetes';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import { parseAllDocuments } from 'yaml';
import { renderPolicy } from './render-policy.ts';
import { renderReference } from './render.ts';

const registry = createSinkRegistry([postgresSink, kafkaSink, natsSink]);
const page = readFileSync(new URL('../../docs/kubernetes/resources.md', import.meta.url), 'utf8');

test('the page of the resources says what their schemas say', () => {
  expect(page).toBe(renderReference(registry));
});

test('every sample of it can be used', () => {
  const parsers: Readonly<Record<string, (given: unknown) => unknown>> = {
    KollectSink: (given) => parseSink(given, registry),
    KollectInventory: parseInventory,
    KollectTarget: parseTarget,
    KollectProfile: parseProfile,
    KollectConnectionTest: parseConnectionTest,
  };
  const samples = [...page.matchAll(/```yaml\n([\s\S]*?)```/gu)].map(([, text = '']) =>
    parseAllDocuments(text)[0]?.toJS(),
  );
  expect(samples.map(({ kind }) => kind)).toEqual(Object.keys(parsers));
  for (const sample of samples) {
    const given = { ...sample, metadata: { ...sample.metadata, uid: 'u', resourceVersion: '1', generation: 1 } };
    expect(parsers[sample.kind]?.(given)).toMatchObject({ name: 'portal' });
  }
});

test('the policy of the example is that of its sinks', () => {
  const file = new URL('../../examples/operator/deploy/base/admission-policy.yaml', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(renderPolicy(registry));
});
