import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { sinkJsonSchema, type SinkJsonSchema } from './json-schema.ts';
import { sinkErrorOf, tableSink } from './registry.fixture.ts';

const schema = sinkJsonSchema(tableSink);

test('a validator that knows nothing of us takes and refuses what the sink takes and refuses', () => {
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true, keywords: ['x-kollect'] }).compile(schema);
  const blocks: readonly unknown[] = [
    { table: 'a' },
    { table: 'a', timeout: '1h30m', maxDeletes: '10%', labels: { timeout: 'x' } },
    { table: 'a', timeout: 'soon' },
    { table: 'a', timeout: 'PT5M' },
    { tabel: 'a' },
    { table: 'a', mode: 'apend' },
    { table: 'a', poolSize: 1.5 },
    {},
  ];
  const bySink = blocks.map((block) => {
    try {
      tableSink.parseSpec(block);
      return true;
    } catch {
      return false;
    }
  });
  expect(blocks.map((block) => validate(block))).toEqual(bySink);
  expect(bySink).toEqual([true, true, false, false, false, false, false, false]);
});

test('it says what is no part of the spec, and nothing of it is lost', () => {
  expect(schema).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'spec.table of a sink',
    required: ['table'],
    additionalProperties: false,
    properties: { mode: { enum: ['upsert', 'append'], default: 'upsert', description: 'How rows arrive.' } },
    'x-kollect': { type: 'table', role: 'relational-store', contractVersion: 1, capabilities: { fenced: false } },
  });
  expect(JSON.stringify(schema)).not.toContain('"format"');
  const credentialFields = [{ name: 'token', description: 'Token.', secret: true }];
  expect(sinkJsonSchema({ ...tableSink, credentialFields })['x-kollect'].credentialFields).toEqual(credentialFields);
});

test('a field that is called as a keyword stays a field', () => {
  const properties = {
    format: { type: 'string', enum: ['duration', 'text'], default: 'duration', description: 'How.' },
    default: { type: 'string', format: 'duration', description: 'How long.' },
    server: { type: 'string', format: 'server-address', description: 'Where.' },
  } as const;
  const specSchema = { type: 'object', additionalProperties: false, properties } as const;
  expect(sinkJsonSchema({ ...tableSink, specSchema })['properties']).toMatchObject({
    format: properties.format,
    default: { type: 'string', pattern: expect.stringMatching(/^\^\(0\|/u), description: 'How long.' },
    server: { type: 'string', description: 'Where.' },
  });
});

test('what is no definition is refused', () => {
  const read = sinkJsonSchema as unknown as (definition: object) => SinkJsonSchema;
  expect(sinkErrorOf(() => read({ type: 'x' })).code).toBe('CONTRACT_VIOLATION');
});
