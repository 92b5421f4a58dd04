import { expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
import { item } from '../contract/contract.fixture.ts';
import { sealSnapshot, type SnapshotInput } from '../contract/snapshot/seal-snapshot.ts';
import type { Item } from '../contract/snapshot/snapshot.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import { memorySink } from '../memory-sink.ts';
import { createExporter } from './exporter.ts';
import type { Exporter, ExporterOptions } from './exporter-types.ts';
import type { DeliveryLogger } from '../observability/logging.ts';

const registry = createSinkRegistry([memorySink()]);
const inventory = { namespace: 'team', name: 'all', sinks: ['m'] };
const input = { inventoryNamespace: 'team', inventoryName: 'all', generation: 1, items: [] };

/** Any argument, as untyped code gives it. */
type Untyped = { readonly [Method in keyof Exporter]: (...given: unknown[]) => unknown };

async function problemOf(call: (exporter: Untyped) => unknown): Promise<string> {
  const exporter = createExporter({ registry });
  exporter.updateSink({ name: 'm', config: { type: 'memory' } });
  try {
    await call(exporter as unknown as Untyped);
    return 'taken';
  } catch (error) {
    return SinkError.isInstance(error) ? `${error.code}: ${error.message}` : `foreign: ${String(error)}`;
  } finally {
    await exporter.close();
  }
}

const config = { type: 'memory' };
const sealed = () => sealSnapshot(input);

test.each<[string, (exporter: Untyped) => unknown]>([
  ['"delivry" is not known; did you mean "delivery"?', (it) => it.updateSink({ name: 'm', config, delivry: {} })],
  ['"conection" is not known; did you mean "connection"?', (it) => it.updateSink({ name: 'm', config, conection: {} })],
  ['name is missing; expected text that is not empty', (it) => it.updateSink({ config })],
  ['name must be text that is not empty, found the string "a\\n"', (it) => it.updateSink({ name: 'a\n', config })],
  ['The resource of a sink must be an object', (it) => it.updateSink(null)],
  ['"passwords" is not known', (it) => it.updateSink({ name: 'm', config, connection: { passwords: 'x' } })],
  ['What was given to removeSink: name must be', (it) => it.removeSink(5)],
  ['sinks must be a list', async (it) => it.export({ ...inventory, sinks: 'portal' }, await sealed())],
  ['"sink" is not known; did you mean "sinks"?', async (it) => it.export({ ...inventory, sink: 'm' }, await sealed())],
  ['namespace is missing', async (it) => it.export({ name: 'all', sinks: [] }, await sealed())],
  ['"alowDeletes" is not known', async (it) => it.export(inventory, await sealed(), { alowDeletes: true })],
  ['signal must be an AbortSignal', async (it) => it.plan(inventory, await sealed(), { signal: {} })],
  [
    '"removeAt" is not known; did you mean "removedAt"?',
    (it) => it.removeInventory(inventory, { removeAt: new Date() }),
  ],
  ['The options of testConnection must be an object', (it) => it.testConnection({ name: 'm', config }, 5)],
  ['The inventory given to status must be an object', (it) => it.status(null)],
  ['deadline must be printable text, found the number 5', (it) => it.close({ deadline: 5 })],
  ['"dedline" is not known; did you mean "deadline"?', (it) => it.close({ dedline: '5s' })],
])('SPEC_INVALID: …%s', async (problem, call) => {
  const found = await problemOf(call);
  expect(found).toMatch(/^SPEC_INVALID: /u);
  expect(found).toContain(problem);
});

test.each<[string, (exporter: Untyped) => unknown]>([
  ['is not sealed: give what sealSnapshot(…) resolves to', (it) => it.export(inventory, input)],
  ['is not sealed', (it) => it.plan(inventory, { ...input, checksum: 'a' })],
  ['is not sealed', (it) => it.export(inventory, undefined)],
  ['is a promise: await sealSnapshot(…) first', (it) => it.export(inventory, sealed())],
  ['is a promise', (it) => it.export(inventory, Promise.reject(new Error('nobody listens')))],
])('CONTRACT_VIOLATION: …%s', async (problem, call) => {
  const found = await problemOf(call);
  expect(found).toMatch(/^CONTRACT_VIOLATION: /u);
  expect(found).toContain(problem);
});

test.each<[string, unknown]>([
  ['"loger" is not known; did you mean "logger"?', { registry, loger: {} }],
  ['registry is missing', {}],
  ['registry must be an object with the functions', { registry: [memorySink()] }],
  ['must be an object with', undefined],
  ['logger must be an object with the functions', { registry, logger: () => undefined }],
  ['onReport must be a function', { registry, onReport: {} }],
])('the options of createExporter: %s', (problem, options) => {
  expect(() => createExporter((options ?? null) as ExporterOptions)).toThrow(
    expect.objectContaining({ code: 'SPEC_INVALID', message: expect.stringContaining(problem) }),
  );
});

test('an incomplete target is told whose name only another namespace has', async () => {
  const told: unknown[] = [];
  const quiet = () => undefined;
  const logger: DeliveryLogger = { debug: quiet, info: quiet, error: quiet, warn: ({ targets }) => told.push(targets) };
  const sink = memorySink();
  const exporter = createExporter({ registry: createSinkRegistry([sink]), logger });
  exporter.updateSink({ name: 'm', config: { type: 'memory' } });
  const pods = (targetNamespace: string): Item =>
    item({ targetNamespace, targetName: 'pods', uid: `uid-${targetNamespace}` });
  const both = [pods('east'), pods('west')];
  const east = both.slice(0, 1);
  const items = () => [...sink.contents().values()].flatMap((one) => [...one.items].map(({ uid }) => uid));
  const exportAt = async (second: number, changes: Partial<SnapshotInput>): Promise<void> => {
    const exportedAt = new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    await exporter.export(inventory, await sealSnapshot({ ...input, exportedAt, ...changes }));
  };
  await exportAt(1, { items: both });
  await exportAt(2, { items: both, incompleteTargets: ['east/pods', 'west/pods'] });
  expect(told).toEqual([]);
  await exportAt(3, { items: east, incompleteTargets: ['west/pods'] });
  expect([told, items()]).toEqual([['west/pods'], ['uid-east', 'uid-west']]);
  await exportAt(4, { items: east, incompleteTargets: ['north/pods'] });
  expect([told, items()]).toEqual([['west/pods', 'north/pods'], ['uid-east']]);
  await exporter.close();
});

test('incomplete targets without an item are told once, until they are others', async () => {
  const told: unknown[] = [];
  const quiet = () => undefined;
  const logger: DeliveryLogger = { debug: quiet, info: quiet, error: quiet, warn: ({ targets }) => told.push(targets) };
  const exporter = createExporter({ registry: createSinkRegistry([memorySink()]), logger });
  exporter.updateSink({ name: 'm', config: { type: 'memory' } });
  for (const incompleteTargets of [['podz'], ['podz'], [], ['podz', 'nodes']])
    await exporter.export(inventory, await sealSnapshot({ ...input, incompleteTargets }));
  await exporter.close();
  expect(told).toEqual(['podz', 'nodes, podz']);
});
