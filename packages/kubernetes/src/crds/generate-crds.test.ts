import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createSinkRegistry, defineSink, memorySink, type SpecSchema } from '@kollect/core';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import { parse } from '@marcbachmann/cel-js';
import { parse as parseYaml } from 'yaml';
import { badResources } from '../resources/bad-resources.fixture.ts';
import { kafkaSpec, natsSpec, postgresSpec } from '../resources/resources.fixture.ts';
import { celField } from './cel.ts';
import { formatCrds } from './format-crds.ts';
import { generateCrds, type CustomResourceDefinition } from './generate-crds.ts';
import type { SchemaNode } from './structural-schema.ts';

const registry = createSinkRegistry([postgresSink, kafkaSink, natsSink]);
const crds = generateCrds(registry);

interface Version {
  readonly schema: { readonly openAPIV3Schema: SchemaNode };
}

function schemaOf(plural: string, of = crds): SchemaNode {
  const definition = of.find(({ metadata }) => metadata.name.startsWith(`${plural}.`));
  const versions = (definition?.spec['versions'] ?? []) as readonly Version[];
  return versions[0]?.schema.openAPIV3Schema ?? {};
}

function childOf(node: SchemaNode, name: string): SchemaNode {
  return ((node['properties'] ?? {}) as Readonly<Record<string, SchemaNode>>)[name] ?? {};
}

/** Each node below, with its path. */
function nodesOf(node: SchemaNode, path: string): readonly (readonly [path: string, node: SchemaNode])[] {
  const properties = Object.entries((node['properties'] ?? {}) as Readonly<Record<string, SchemaNode>>);
  const below = [
    ...properties.map(([name, child]) => [`${path}.${name}`, child] as const),
    ...['items', 'additionalProperties'].flatMap((name) =>
      name in node ? [[`${path}.${name}`, node[name] as SchemaNode] as const] : [],
    ),
  ];
  return [[path, node], ...below.flatMap(([at, child]) => nodesOf(child, at))];
}

const all = crds.flatMap(({ metadata }) => {
  const [plural = ''] = metadata.name.split('.');
  const schema = schemaOf(plural);
  const parts = Object.keys(schema['properties'] as object).filter((part) => part === 'spec' || part === 'status');
  return parts.flatMap((part) => nodesOf(childOf(schema, part), `${plural}.${part}`));
});

interface Rule {
  readonly rule: string;
}

/** Whether the rules of a node let a value pass. */
function passes(node: SchemaNode, self: unknown, oldSelf: unknown = self): boolean {
  const rules = (node['x-kubernetes-validations'] ?? []) as readonly Rule[];
  return rules.every(({ rule }) => parse(rule)({ self, oldSelf }) === true);
}

describe('what an API server asks of a schema', () => {
  test.each(all)('%s is structural and bounded by itself', (_, node) => {
    const { type } = node;
    const isOpen = node['x-kubernetes-preserve-unknown-fields'] === true || node['x-kubernetes-int-or-string'] === true;
    if (type === undefined) expect(isOpen).toBe(true);
    else expect(['object', 'array', 'string', 'integer', 'number', 'boolean']).toContain(type);
    expect(node).not.toHaveProperty('default');
    expect('properties' in node && 'additionalProperties' in node).toBe(false);
    if (type === 'string') expect(node['enum'] ?? node['maxLength']).toBeDefined();
    if (type === 'array') expect(node['maxItems']).toBeDefined();
    if (type === 'object') expect(node['properties'] ?? node['maxProperties']).toBeDefined();
    if (type === 'integer' || type === 'number') expect(node).toMatchObject({ minimum: expect.any(Number) });
    for (const name of (node['required'] ?? []) as readonly string[]) expect(childOf(node, name)).not.toEqual({});
  });

  test('each is below 200 KB', () => {
    for (const definition of crds) expect(Buffer.byteLength(JSON.stringify(definition))).toBeLessThan(200_000);
  });
});

describe('the blocks of a sink', () => {
  const spec = childOf(schemaOf('kollectsinks'), 'spec');

  test.each([postgresSpec, kafkaSpec, natsSpec])('%o passes', (given) => {
    expect(passes(spec, given)).toBe(true);
  });

  test('no type may be changed', () => {
    expect(passes(spec, postgresSpec, kafkaSpec)).toBe(false);
  });

  const broken = badResources.filter(({ kind, refusedBy }) => kind === 'KollectSink' && refusedBy === 'rule');
  test.each(broken.map(({ title, spec: given }) => [title, given as Record<string, unknown>] as const))(
    '%s is refused by a rule',
    (_, given) => {
      const parts = ['secretRef', 'ca'].filter((name) => given[name] !== undefined);
      expect([passes(spec, given), ...parts.map((name) => passes(childOf(spec, name), given[name]))]).toContain(false);
    },
  );

  test('the types of others have theirs, whatever their name is', () => {
    const specSchema = {
      type: 'object',
      additionalProperties: false,
      required: ['path'],
      properties: {
        path: { type: 'string', description: 'Where.' },
        size: { type: ['integer', 'string'], maximum: 5, pattern: '^[0-9]+%$', description: 'How much.' },
        word: { type: 'string', pattern: '^(?!secret)', maxLength: 9, description: 'No secret.' },
        odd: { type: ['boolean', 'number'], description: 'Neither.' },
        labels: { type: 'object', additionalProperties: { type: 'string' }, description: 'Any.' },
        every: { type: 'string', format: 'duration', default: '1s', description: 'How often.' },
      },
    } as const satisfies SpecSchema;
    const memory = memorySink();
    const input = { contractVersion: 1, role: 'snapshot-store', specSchema, create: memory.create } as const;
    const types = [defineSink({ ...input, type: 'my-files' }), defineSink({ ...input, type: 'import' }), memory];
    const node = childOf(schemaOf('kollectsinks', generateCrds(createSinkRegistry(types))), 'spec');
    expect(childOf(node, 'my-files')).toMatchObject({
      required: ['path'],
      properties: {
        path: { maxLength: 4_096 },
        size: { 'x-kubernetes-int-or-string': true, maximum: 5, pattern: '^[0-9]+%$' },
        odd: { 'x-kubernetes-preserve-unknown-fields': true },
        labels: { maxProperties: 64, additionalProperties: { type: 'string', maxLength: 4_096 } },
        every: { type: 'string', maxLength: 64, pattern: expect.any(String) },
      },
    });
    // What the server cannot read is the parser's business alone.
    expect(childOf(childOf(node, 'my-files'), 'word')).not.toHaveProperty('pattern');
    expect(childOf(node, 'type')['enum']).toEqual(['my-files', 'import', 'memory']);
    expect(celField('my-files')).toBe('my__dash__files');
    expect(celField('import')).toBe('__import__');
    const rules = node['x-kubernetes-validations'] as readonly Rule[];
    expect(rules.map(({ rule }) => rule)).toContain('has(self.__import__) == (self.type == "import")');
    // A block that needs nothing may be left out.
    expect(rules.map(({ rule }) => rule)).toContain('!has(self.memory) || self.type == "memory"');
  });
});

test.each(['1.1', '1.2'] as const)('a reader of YAML %s finds texts where there were some', (version) => {
  const words = [
    'on',
    'off',
    'y',
    'No',
    '1:30',
    '1_000',
    '0o7',
    '-0o7',
    '0b1',
    '0x1f',
    '012',
    '1e3',
    '.5',
    '2026-01-31',
    '~',
    '',
  ];
  const properties = Object.fromEntries(
    words.map((word) => [word, { type: 'string', enum: words, description: word }]),
  );
  const definition = { ...crds[0], spec: { properties } } as CustomResourceDefinition;
  expect(parseYaml(formatCrds([definition]), { version })).toEqual(definition);
});

test('the CRDs of the package are those of its sinks', () => {
  const file = new URL('../../crds/kollect.dev.yaml', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(formatCrds(crds));
});
