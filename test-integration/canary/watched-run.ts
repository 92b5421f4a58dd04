import { inspect } from 'node:util';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import {
  createEgressPolicy,
  createExporter,
  createSinkRegistry,
  sealSnapshot,
  type SinkDefinition,
} from '@kollect/core';
import { openTelemetryTracer } from '@kollect/core/opentelemetry';
import { prometheusMetrics } from '@kollect/core/prometheus';
import { notedLogger } from '../support/noted-logger.ts';

/** What a host gives for one sink. */
export interface GivenSink {
  readonly name: string;
  readonly config: unknown;
  readonly connection: unknown;
  readonly delivery: unknown;
}

/** Names lead to this machine, or nowhere; nothing answers at port 1. */
const egress = createEgressPolicy({
  allow: ['127.0.0.0/8'],
  lookup: (host, options, callback) => {
    if (host !== 'refused.example') {
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host });
      setImmediate(() => callback(error, ''));
    } else if (options.all === true) setImmediate(() => callback(null, [{ address: '127.0.0.1', family: 4 }]));
    else setImmediate(() => callback(null, '127.0.0.1', 4));
  },
});

/** Does all that a host does with a sink, and gives all that the host, its logs, metrics and traces, and the console get to see of it. */
export async function watchedRun(definition: SinkDefinition, given: GivenSink): Promise<string[]> {
  const told: string[] = [];
  const tell = (value: unknown): void =>
    void told.push(typeof value === 'string' ? value : inspect(value, { depth: 12, showHidden: true }));
  const spans = new InMemorySpanExporter();
  const register = new Registry();
  const registry = createSinkRegistry([definition], { egress });
  const exporter = createExporter({
    registry,
    logger: notedLogger(tell),
    metrics: prometheusMetrics({ register }),
    tracer: openTelemetryTracer({
      tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
    }),
    onReport: (_, report) => tell(report),
  });
  const attempt = async (run: () => unknown): Promise<void> => {
    try {
      tell(await run());
    } catch (error) {
      tell(error);
      tell(String((error as Error | undefined)?.stack));
    }
  };
  const inventory = { namespace: 'team', name: 'apps', sinks: [given.name] };
  const snapshot = await sealSnapshot({
    inventoryNamespace: 'team',
    inventoryName: 'apps',
    generation: 1,
    exportedAt: new Date(),
    items: [],
  });
  await attempt(() => void registry.parse(given.config, given.name));
  await attempt(() => void registry.create(given.config as never, given.connection as never));
  await attempt(() => exporter.testConnection(given as never));
  await attempt(() => exporter.updateSink(given as never));
  await attempt(() => exporter.export(inventory, snapshot));
  await attempt(() => exporter.plan(inventory, snapshot));
  await attempt(() => exporter.removeInventory(inventory, { removedAt: new Date() }));
  tell(exporter.status(inventory));
  await attempt(() => exporter.close({ deadline: '0s' }));
  tell(await register.metrics());
  for (const { name, attributes, events, status } of spans.getFinishedSpans())
    tell({ name, attributes, events, status });
  return told;
}
