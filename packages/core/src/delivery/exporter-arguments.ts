import {
  aBoolean,
  aFunction,
  anObject,
  anyValue,
  aSignal,
  aText,
  checkOptions,
  listOf,
  objectWith,
  required,
  someText,
  type OptionKinds,
} from '../contract/errors/check-options.ts';
import { requireSealed } from '../contract/snapshot/sealed-snapshot.ts';
import { showText } from '../contract/errors/show-value.ts';
import { ownData } from '../contract/errors/thrown.ts';
import { checkConnection } from '../registry/sink-registry.ts';
import type { SinkDefinition } from '../registry/define-sink.ts';
import type {
  CallOptions,
  ExportCallOptions,
  Exporter,
  ExporterOptions,
  ExportInventory,
  RemovalCallOptions,
  SinkResource,
} from './exporter-types.ts';

/** Checks of what a host gives. Each function throws SPEC_INVALID for an option that is not known or of another kind, instead of ignoring it. */
export function checkExporterOptions<Definitions extends readonly SinkDefinition[]>(
  options: ExporterOptions<Definitions>,
): ExporterOptions<Definitions> {
  return checkOptions<ExporterOptions<Definitions>>(options, exporterKinds, { of: 'The options of createExporter' });
}

/** The same exporter, whose methods check their arguments before anything is asked of a sink. */
export function checkCalls<Definitions extends readonly SinkDefinition[]>(
  exporter: Exporter<Definitions>,
): Exporter<Definitions> {
  return {
    updateSink: (resource) => exporter.updateSink(checkResource(resource)),
    removeSink: async (name) => exporter.removeSink(checkName(name)),
    export: async (inventory, snapshot, options) => {
      const of = 'The options of export';
      const checked = checkInventory(inventory, 'export');
      requireSealed(snapshot, 'export');
      return exporter.export(checked, snapshot, checkOptions<ExportCallOptions>(options, exportKinds, { of }));
    },
    plan: async (inventory, snapshot, options) => {
      const checked = checkInventory(inventory, 'plan');
      requireSealed(snapshot, 'plan');
      return exporter.plan(
        checked,
        snapshot,
        checkOptions<ExportCallOptions>(options, exportKinds, { of: 'The options of plan' }),
      );
    },
    removeInventory: async (inventory, options) => {
      const checked = checkInventory(inventory, 'removeInventory');
      const of = 'The options of removeInventory';
      return exporter.removeInventory(checked, checkOptions<RemovalCallOptions>(options, removalKinds, { of }));
    },
    testConnection: async (resource, options) => {
      const of = 'The options of testConnection';
      return exporter.testConnection(checkResource(resource), checkOptions<CallOptions>(options, signalKinds, { of }));
    },
    status: (inventory) => exporter.status(checkInventory(inventory, 'status')),
    pressure: () => exporter.pressure(),
    close: (options) => exporter.close(checkOptions(options, { deadline: aText }, { of: 'The options of close' })),
  };
}

const exporterKinds: OptionKinds<ExporterOptions> = {
  registry: required(objectWith('definition', 'parse', 'create')),
  metrics: anObject,
  tracer: objectWith('withSpan'),
  logger: objectWith('debug', 'info', 'warn', 'error'),
  clock: objectWith('now', 'setTimeout', 'clearTimeout'),
  limits: anObject,
  onReport: aFunction,
};
const exportKinds: OptionKinds<ExportCallOptions> = { signal: aSignal, allowDeletes: aBoolean };
const signalKinds: OptionKinds<CallOptions> = { signal: aSignal };
const removalKinds: OptionKinds<RemovalCallOptions> = { removedAt: anyValue, signal: aSignal };
const resourceKinds: OptionKinds<SinkResource> = {
  name: required(someText),
  config: required(anObject),
  connection: anObject,
  revision: aText,
  delivery: anObject,
};
const inventoryKinds: OptionKinds<ExportInventory> = {
  cluster: aText,
  namespace: required(someText),
  name: required(someText),
  sinks: required(listOf(someText)),
  delivery: anObject,
};

function checkResource<Definitions extends readonly SinkDefinition[]>(
  resource: SinkResource<Definitions>,
): SinkResource<Definitions> {
  const name = ownData(resource, 'name');
  const of = typeof name === 'string' ? `The resource of sink ${showText(name)}` : 'The resource of a sink';
  const checked = checkOptions<SinkResource<Definitions>>(resource, resourceKinds, { of });
  checkConnection(checked.connection);
  return checked;
}

function checkInventory(inventory: ExportInventory, method: string): ExportInventory {
  return checkOptions<ExportInventory>(inventory, inventoryKinds, { of: `The inventory given to ${method}` });
}

function checkName(name: string): string {
  return checkOptions<{ readonly name: string }>(
    { name },
    { name: required(someText) },
    { of: 'What was given to removeSink' },
  ).name;
}
