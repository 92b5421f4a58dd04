import { expect, jest, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
import { defineSink, type SinkContext, type SinkDefinition } from './define-sink.ts';
import { capabilities, idleSink, noEgress, sinkErrorOf, tableSink } from './registry.fixture.ts';
import { buildSinkRegistry, type SinkConfig } from './sink-registry.ts';

const created = jest.fn<(context: SinkContext<unknown>) => void>();

const topicSink = defineSink({
  type: 'topic',
  contractVersion: 1,
  role: 'event-emitter',
  capabilities,
  specSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { topic: { type: 'string', default: 'inventory', description: 'Topic.' } },
  },
  create: (context) => {
    created(context);
    return idleSink();
  },
});

const registry = buildSinkRegistry([tableSink, topicSink], { egress: noEgress });
const untyped = registry as unknown as { create(config: unknown, connection?: unknown): unknown };

test('a config is typed by the definitions, those of third parties alike', () => {
  const table: SinkConfig<[typeof tableSink, typeof topicSink]> = { type: 'table', table: { table: 'a' } };
  const topic: SinkConfig<[typeof tableSink, typeof topicSink]> = { type: 'topic' };
  const types: readonly ('table' | 'topic')[] = registry.types;
  const unchecked = () => [
    // @ts-expect-error no such type
    registry.create({ type: 'tabel', table: { table: 'a' } }),
    // @ts-expect-error the block of another type
    registry.create({ type: 'topic', table: { table: 'a' } }),
    // @ts-expect-error both blocks
    registry.create({ type: 'topic', topic: {}, table: { table: 'a' } }),
    // @ts-expect-error the block is required, since it has required fields
    registry.create({ type: 'table' }),
    // @ts-expect-error not a field of the block
    registry.create({ type: 'table', table: { table: 'a', tabel: 'b' } }),
    // @ts-expect-error not a member of the enum
    registry.create({ type: 'table', table: { table: 'a', mode: 'replace' } }),
  ];
  expect(registry.create(table)).toHaveProperty('export');
  expect(registry.create(topic)).toHaveProperty('export');
  expect(types).toEqual(['table', 'topic']);
  expect(unchecked).toThrow(SinkError);
});

test.each<[string, unknown, string]>([
  [
    'unknown type',
    { type: 'tabel' },
    'The config of sink "orders": the sink type "tabel" is not registered; did you mean "table"? (registered: table, topic).',
  ],
  [
    'far type',
    { type: 'zzzzzzzz' },
    'The config of sink "orders": the sink type "zzzzzzzz" is not registered (registered: table, topic).',
  ],
  [
    'inherited name',
    { type: 'constructor' },
    'The config of sink "orders": the sink type "constructor" is not registered (registered: table, topic).',
  ],
  ['no type', { table: { table: 'a' } }, '$.type must name a sink type (registered: table, topic), found nothing.'],
  [
    'foreign block',
    { type: 'topic', table: {} },
    '$["table"] does not belong here; a sink of type "topic" takes the block "topic" alone.',
  ],
  [
    'typo in the block',
    { type: 'table', tabel: { table: 'a' } },
    '$["tabel"] does not belong here; did you mean "table"?',
  ],
  ['no object', 'postgres://app:geheim@db', 'must be an object such as'],
  ['null', null, 'must be an object such as'],
])('a config is refused: %s', (_, config, message) => {
  const error = sinkErrorOf(() => untyped.create(config, { name: 'orders' }));
  expect([error.code, error.operation]).toEqual(['SPEC_INVALID', 'create']);
  expect(error.message).toContain(message);
  expect(error.message).not.toContain('geheim');
});

test('the error of a block names sink and type', () => {
  expect(sinkErrorOf(() => untyped.create({ type: 'table' }, { name: 'orders' })).message).toBe(
    'The spec of sink "orders" (type "table") is invalid: $.table.table is missing: expected a string.',
  );
});

test('parse turns data into a typed config', () => {
  const data: unknown = JSON.parse('{"type":"table","table":{"table":"a"}}');
  const config = registry.parse(data);
  expect(config).toEqual({ type: 'table', table: { table: 'a' } });
  expect(Object.isFrozen(config)).toBe(true);
  expect(registry.create(config)).toHaveProperty('close');
  expect(sinkErrorOf(() => registry.parse({ type: 'table', table: {} }, 'orders')).message).toContain('sink "orders"');
});

test('create asks the host nothing and hands the sink all it may know', async () => {
  const credentials = jest.fn(() => ({ password: 'a' }));
  registry.create({ type: 'topic' }, { name: 'events', credentials });
  expect(credentials).not.toHaveBeenCalled();
  const context = created.mock.lastCall?.[0];
  expect([context?.name, context?.spec, context?.egress]).toEqual(['events', { topic: 'inventory' }, noEgress]);
  expect(Object.isFrozen(context?.spec)).toBe(true);
  expect(await context?.credentials()).toEqual({ password: 'a' });
});

test('a sink may use of the host what was allowed to its type and name, and nothing else', () => {
  const hostIdentity = [{ allow: ['proxy'], types: ['topic'], sinks: ['platform/events'] }] as const;
  const granting = buildSinkRegistry([tableSink, topicSink], { egress: noEgress, hostIdentity });
  const none = { cloudCredentials: false, instanceMetadata: false, proxy: false, clientConfig: false };
  for (const [name, expected] of [
    ['platform/events', { ...none, proxy: true }],
    ['tenant/events', none],
  ] as const) {
    granting.create({ type: 'topic' }, { name });
    expect(created.mock.lastCall?.[0].hostIdentity).toEqual(expected);
  }
  granting.create({ type: 'topic' });
  expect(created.mock.lastCall?.[0].hostIdentity).toEqual(none);
});

test('a sink without a name is called by its type', () => {
  registry.create({ type: 'topic' });
  expect(created.mock.lastCall?.[0].name).toBe('topic');
});

test('a type given twice is refused', () => {
  const error = sinkErrorOf(() => buildSinkRegistry([tableSink, tableSink], { egress: noEgress }));
  expect([error.code, error.message]).toEqual(['CONTRACT_VIOLATION', 'The sink type "table" is registered twice.']);
});

test('a definition for another version of the contract is refused with both versions', () => {
  const foreign = { ...tableSink, contractVersion: 2 } as unknown as SinkDefinition;
  expect(sinkErrorOf(() => buildSinkRegistry([foreign], { egress: noEgress })).message).toContain(
    'contract version 2, this core speaks version 1',
  );
});

test('a definition that an older copy of core made works: what that one did not know has its default', () => {
  const { credentialFields: _fields, spanAttributes: _attributes, ...older } = tableSink;
  const { removeInventory: _late, ...known } = { ...capabilities, plan: true };
  const definition = { ...older, capabilities: known } as unknown as typeof tableSink;
  const sinks = buildSinkRegistry([definition], { egress: noEgress });
  expect(sinks.definition('table').capabilities).toEqual({ ...capabilities, plan: true });
});

test.each<[string, unknown, string]>([
  ['null', null, 'The sink type at index 1 of the registry must be a definition made with defineSink, found null.'],
  ['text', 'postgres', 'found a string'],
  ['an object of another kind', {}, 'must give its contractVersion as a whole number such as 1, found nothing'],
  [
    'no definition',
    { type: 'x', contractVersion: 1 },
    'The sink type "x" is not a definition: make it with defineSink.',
  ],
])('what is no definition is refused: %s', (_, definition, message) => {
  const error = sinkErrorOf(() => buildSinkRegistry([tableSink, definition as SinkDefinition], { egress: noEgress }));
  expect(error.code).toBe('CONTRACT_VIOLATION');
  expect(error.message).toContain(message);
});

test.each<[string, object, unknown, string]>([
  ['plan claimed, not there', { plan: true }, idleSink(), 'claims the capability plan and makes a sink without it'],
  [
    'removeInventory claimed, not there',
    { removeInventory: true },
    idleSink(),
    'claims the capability removeInventory and makes a sink without it',
  ],
  ['no close', {}, { ...idleSink(), close: undefined }, 'makes a sink without close'],
  ['nothing', {}, undefined, 'has a create that returns no sink'],
  ['a promise', {}, Promise.reject(new Error('late')), 'has a create that returns a promise'],
])('a faulty sink type is named: %s', (_, claims, sink, message) => {
  const faulty = {
    ...topicSink,
    capabilities: { ...capabilities, ...claims },
    create: () => sink,
  } as unknown as SinkDefinition<'topic'>;
  const error = sinkErrorOf(() => buildSinkRegistry([faulty], { egress: noEgress }).create({ type: 'topic' }));
  expect([error.code, error.sinkType]).toEqual(['CONTRACT_VIOLATION', 'topic']);
  expect(error.message).toContain(message);
});

test('what create throws becomes a SinkError without its message', () => {
  const create = (): never => {
    throw new Error('geheim');
  };
  const error = sinkErrorOf(() =>
    buildSinkRegistry([{ ...topicSink, create }], { egress: noEgress }).create({ type: 'topic' }),
  );
  expect([error.code, error.operation]).toEqual(['CONTRACT_VIOLATION', 'create']);
  expect(error.message).not.toContain('geheim');
});
