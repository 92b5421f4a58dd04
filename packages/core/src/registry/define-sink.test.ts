import { expect, jest, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
import { checkContractVersion } from './contract-version.ts';
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

const token = { name: 'token', description: 'Token.', secret: true } as const;

const define = (changes: object): unknown => defineSink({ ...valid, ...changes });

test.each<[string, object, string]>([
  ['upper case', { type: 'Custom' }, '^[a-z][a-z0-9-]*$'],
  ['empty name', { type: '' }, '^[a-z][a-z0-9-]*$'],
  ['64 letters', { type: 'a'.repeat(64) }, 'at most 63 characters'],
  ['the name of a field beside the block', { type: 'ca' }, 'must have another name'],
  ['the name of the type', { type: 'type' }, 'must have another name'],
  ['another contract', { contractVersion: 2 }, 'contract version 2, this core speaks version 1'],
  ['misspelt member', { resolvSpec: () => ({}) }, 'did you mean "resolveSpec"'],
  ['unknown role', { role: 'cache' }, 'snapshot-store, relational-store, event-emitter'],
  ['no number', { contractVersion: '1' }, 'its contractVersion as a whole number such as 1, found the string "1"'],
  ['half a version', { contractVersion: 0.5 }, 'as a whole number such as 1, found the number 0.5'],
  ['no version', { contractVersion: undefined }, 'as a whole number such as 1, found nothing'],
  [
    'a capability that is no boolean',
    { capabilities: { fenced: 'yes' } },
    'true or false for the capability "fenced", found the string "yes"',
  ],
  ['a capability that nobody knows', { capabilities: { fence: true } }, 'there is none of; did you mean "fenced"?'],
  [
    'a credential field without a name',
    { credentialFields: [{ secret: true }] },
    'must give credentialFields[0] a name',
  ],
  [
    'a credential field without a description',
    { credentialFields: [{ name: 'token', secret: true }] },
    'must describe its credential field "token"',
  ],
  [
    'a credential field that may be a secret or not',
    { credentialFields: [{ name: 'token', description: 'Token.' }] },
    'true or false for "secret" of its credential field "token"',
  ],
  ['a credential field twice', { credentialFields: [token, token] }, 'lists the credential field "token" twice'],
  ['a span attribute of ours', { spanAttributes: { 'kollect.sink.name': 'x' } }, 'names that begin with kollect. are'],
  ['a span attribute without end', { spanAttributes: { 'db.system.name': 'x'.repeat(201) } }, 'at most 200 characters'],
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

test('capabilities that are left out are false', () => {
  const { capabilities: _capabilities, ...rest } = valid;
  expect(defineSink(rest).capabilities).toEqual({ fenced: false, deletes: false, plan: false, removeInventory: false });
  expect(defineSink({ ...rest, capabilities: { plan: true } }).capabilities).toEqual({ ...capabilities, plan: true });
});

test('what a type reads and what its spans say can be read from it, and not be changed', () => {
  const definition = defineSink({
    ...valid,
    credentialFields: [token],
    spanAttributes: { 'messaging.system': 'nats' },
  });
  expect(definition.credentialFields).toEqual([token]);
  expect(definition.spanAttributes).toEqual({ 'messaging.system': 'nats' });
  expect(Object.isFrozen(definition.credentialFields?.[0]) && Object.isFrozen(definition.spanAttributes)).toBe(true);
});

test.each([1, 2, 3])('a core that speaks contract 3 takes a definition for contract %d', (contractVersion) => {
  expect(() => checkContractVersion({ type: 'custom', contractVersion }, 3)).not.toThrow();
});

test('a definition for a newer contract is refused with both numbers and what to install', () => {
  expect(sinkErrorOf(() => checkContractVersion({ type: 'custom', contractVersion: 4 }, 3)).message).toBe(
    'The sink type "custom" is written for contract version 4, this core speaks version 3: install a newer @kollect/core, or an older version of the sink.',
  );
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
