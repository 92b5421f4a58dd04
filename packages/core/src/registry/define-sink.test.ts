import { expect, jest, test } from '@jest/globals';
import { SinkError } from '../contract/errors.ts';
import { defineSink } from './define-sink.ts';
import { parseDuration } from './duration.ts';
import { capabilities, idleSink, sinkErrorOf } from './registry.fixture.ts';
import type { SpecSchema } from './spec-schema.ts';

const specSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { timeout: { type: 'string', default: '5s', description: 'Limit.' } },
} as const satisfies SpecSchema;

const valid = {
  type: 'custom',
  contractVersion: 1,
  role: 'event-emitter',
  capabilities,
  specSchema,
  create: idleSink,
} as const;

const define = (changes: object): unknown => defineSink({ ...valid, ...changes });

test.each<[string, object, string]>([
  ['upper case', { type: 'Custom' }, '^[a-z][a-z0-9-]*$'],
  ['empty name', { type: '' }, '^[a-z][a-z0-9-]*$'],
  ['another contract', { contractVersion: 2 }, 'contract version 2, this core speaks version 1'],
  ['unknown role', { role: 'cache' }, 'snapshot-store, relational-store, event-emitter'],
  [
    'missing capability',
    { capabilities: { fenced: true, deletes: true, plan: false } },
    'true or false for the capability "removeInventory"',
  ],
  ['no create', { create: undefined }, 'must have a function create'],
  ['unknown keyword', { specSchema: { ...specSchema, colour: 'red' } }, 'strict mode: unknown keyword: "colour"'],
  [
    'unknown required',
    { specSchema: { ...specSchema, required: ['tabel'] } },
    'required property "tabel" is not defined',
  ],
])('a faulty definition shows when it is made: %s', (_, changes, message) => {
  const error = sinkErrorOf(() => define(changes));
  expect(error.code).toBe('CONTRACT_VIOLATION');
  expect(error.message).toContain(message);
});

test('a definition cannot be changed, neither by itself nor through what it was made of', () => {
  const own = { ...capabilities, fenced: true };
  const definition = defineSink({ ...valid, capabilities: own });
  own.fenced = false;
  expect(definition.capabilities.fenced).toBe(true);
  expect(Object.isFrozen(definition) && Object.isFrozen(definition.specSchema.properties)).toBe(true);
});

test('resolveSpec gets the complete spec, and what it returns is frozen', () => {
  const definition = defineSink({
    ...valid,
    resolveSpec: (spec) => ({ limits: { timeoutMs: parseDuration(spec.timeout, '$.custom.timeout') } }),
  });
  const spec = definition.parseSpec(undefined);
  expect(spec).toEqual({ limits: { timeoutMs: 5000 } });
  expect(Object.isFrozen(spec.limits)).toBe(true);
});

test('a resolveSpec that refuses names the sink and its type', () => {
  const definition = defineSink({ ...valid, resolveSpec: (spec) => parseDuration(spec.timeout, '$.custom.timeout') });
  const error = sinkErrorOf(() => definition.parseSpec({ timeout: 'soon' }, 'orders'));
  expect(error.message).toBe(
    'The spec of sink "orders" (type "custom") is invalid: $.custom.timeout: expected a duration such as "250ms", "30s", "5m" or "1h30m", found "soon".',
  );
  expect([error.code, error.sinkType, error.operation]).toEqual(['SPEC_INVALID', 'custom', 'create']);
});

test('a resolveSpec that throws anything else breaks the contract, and its message is not shown', () => {
  const resolveSpec = (): never => {
    throw new TypeError('geheim');
  };
  const error = sinkErrorOf(() => defineSink({ ...valid, resolveSpec }).parseSpec({}));
  expect([error.code, error.message]).toEqual([
    'CONTRACT_VIOLATION',
    'The sink type "custom" threw TypeError instead of a SinkError during create; a sink throws SinkError only.',
  ]);
});

test('defining makes no sink', () => {
  const create = jest.fn(idleSink);
  defineSink({ ...valid, create }).parseSpec({});
  expect(create).not.toHaveBeenCalled();
  expect(SinkError.isInstance(create)).toBe(false);
});
