import { expect, test } from '@jest/globals';
import { defineSink } from './define-sink.ts';
import { capabilities, idleSink, tableSink } from './registry.fixture.ts';
import type { SpecInput, SpecOf, SpecSchema } from './spec-schema.ts';

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['table', 'retries'],
  properties: {
    table: { type: 'string', description: '' },
    retries: { type: 'integer', default: 3, description: '' },
    mode: { type: 'string', enum: ['upsert', 'append'], default: 'upsert', description: '' },
    limit: { type: ['integer', 'string'], description: '' },
    brokers: { type: 'array', items: { type: 'string' }, description: '' },
    labels: { type: 'object', additionalProperties: { type: 'boolean' }, description: '' },
    tls: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ca: { type: 'string', description: '' },
        verify: { type: 'boolean', default: true, description: '' },
      },
      description: '',
    },
  },
} as const satisfies SpecSchema;

// The expectations below are the compiler's: a directive without an error under it fails the type check.
test('the type of a spec follows from its schema', () => {
  const full: SpecOf<typeof schema> = { table: 'a', retries: 1, mode: 'append' };
  const mode: 'upsert' | 'append' = full.mode;
  const limit: number | string | undefined = full.limit;
  const verify: boolean | undefined = full.tls?.verify;
  const label: boolean | undefined = full.labels?.['a'];
  const broker: string | undefined = full.brokers?.[0];
  // @ts-expect-error a default is filled in, so the sink always has it
  const withoutDefault: SpecOf<typeof schema> = { table: 'a', retries: 1 };
  // @ts-expect-error the limit is a number or a string
  const wrongLimit: SpecOf<typeof schema> = { table: 'a', retries: 1, mode: 'append', limit: true };
  // @ts-expect-error a spec is read only
  full.table = 'b';
  expect([mode, limit, verify, label, broker, withoutDefault, wrongLimit]).toHaveLength(7);
});

test('the type of what a user writes leaves out what has a default', () => {
  const least: SpecInput<typeof schema> = { table: 'a' };
  const nested: SpecInput<typeof schema> = { table: 'a', tls: {}, mode: undefined };
  // @ts-expect-error the table is required
  const missing: SpecInput<typeof schema> = {};
  // @ts-expect-error not a member of the enum
  const member: SpecInput<typeof schema> = { table: 'a', mode: 'replace' };
  // @ts-expect-error not a known field
  const unknownField: SpecInput<typeof schema> = { table: 'a', tabel: 'b' };
  expect([least, nested, missing, member, unknownField]).toHaveLength(5);
});

test('a schema outside the subset does not compile', () => {
  const undescribed = {
    type: 'object',
    additionalProperties: false,
    // @ts-expect-error a property must have a description
    properties: { a: { type: 'string' } },
  } as const satisfies SpecSchema;
  // @ts-expect-error a spec is closed
  const open = { type: 'object', properties: {} } as const satisfies SpecSchema;
  expect([undescribed, open]).toHaveLength(2);
});

test('defineSink carries both types', () => {
  const resolved = defineSink({
    type: 'resolved',
    contractVersion: 1,
    role: 'snapshot-store',
    capabilities,
    specSchema: schema,
    resolveSpec: (spec) => ({ timeoutMs: spec.retries * 1000 }),
    create: ({ spec }) => {
      const milliseconds: number = spec.timeoutMs;
      // @ts-expect-error the sink sees what resolveSpec returned
      expect([milliseconds, spec.table]).toEqual([2000, undefined]);
      return idleSink();
    },
  });
  const timeoutMs: number = resolved.parseSpec({ table: 'a', retries: 2 }).timeoutMs;
  const table: string = tableSink.parseSpec({ table: 'a' }).table;
  const type: 'resolved' = resolved.type;
  expect([timeoutMs, table, type]).toEqual([2000, 'a', 'resolved']);
});
