import { expect, test } from '@jest/globals';
import type { DeliveryLogger } from '../contract/logger.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import { defineSink } from '../registry/define-sink.ts';
import { applied, fakeSnapshot } from './delivery.fixture.ts';
import { createExporter } from './exporter.ts';

const chatty = defineSink({
  type: 'chatty',
  contractVersion: 1,
  role: 'event-emitter',
  specSchema: { type: 'object', additionalProperties: false, properties: {} },
  create: ({ logger }) => ({
    export: async () => {
      logger.warn({ broker: 'kafka-0' }, 'The client reconnects.');
      return applied;
    },
    testConnection: async () => {
      logger.error({}, 'The client tries.');
      return { ok: true, steps: [] };
    },
    close: async () => undefined,
  }),
});

function notedLogger() {
  const lines: unknown[] = [];
  const note = (fields: unknown, message: string): void => void lines.push([message, fields]);
  const logger: DeliveryLogger = { debug: () => undefined, info: () => undefined, warn: note, error: note };
  return { lines, logger };
}

const who = { sink: 'team/events', sinkType: 'chatty' };
const resource = { name: 'team/events', config: { type: 'chatty' } } as const;
const inventory = { namespace: 'team', name: 'all', sinks: ['team/events'] };

test("what a sink's client logs goes to the exporter's logger and names the sink, in a connection test, too", async () => {
  const { lines, logger } = notedLogger();
  const exporter = createExporter({ registry: createSinkRegistry([chatty]), logger });
  exporter.updateSink(resource);
  await exporter.export(inventory, fakeSnapshot('a', 0));
  await exporter.testConnection(resource);
  expect(lines).toEqual([
    ['The client reconnects.', { broker: 'kafka-0', ...who }],
    ['The client tries.', who],
  ]);
  await exporter.close();
});

test("a logger of the connection takes the place of the exporter's", async () => {
  const [exporters, own] = [notedLogger(), notedLogger()];
  const exporter = createExporter({ registry: createSinkRegistry([chatty]), logger: exporters.logger });
  exporter.updateSink({ ...resource, connection: { logger: own.logger } });
  await exporter.export(inventory, fakeSnapshot('a', 0));
  expect([exporters.lines, own.lines.length]).toEqual([[], 1]);
  await exporter.close();
});
