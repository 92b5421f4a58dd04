import { createServer } from 'node:http';
import { createExporter, createSinkRegistry, memorySink } from '@kollect/core';
import { openTelemetryTracer } from '@kollect/core/opentelemetry';
import { prometheusMetrics } from '@kollect/core/prometheus';
import { Gauge, register } from 'prom-client';

export const exporter = createExporter({
  registry: createSinkRegistry([memorySink()]), // postgresSink, kafkaSink, or types of your own
  metrics: prometheusMetrics({ register }),
  tracer: openTelemetryTracer(),
  logger: console, // or pino()
});

export const snapshots = new Gauge({
  name: 'operator_snapshots',
  help: 'Snapshots that are written, wait for their turn, or are owed for later.',
  labelNames: ['state'],
  collect() {
    for (const [state, count] of Object.entries(exporter.pressure())) this.set({ state }, count);
  },
});

export const server = createServer((_request, response) => {
  register.metrics().then(
    (text) => response.setHeader('content-type', register.contentType).end(text),
    () => response.writeHead(500).end(),
  );
}).listen(Number(process.env['METRICS_PORT'] ?? 9090));

export async function shutdown(): Promise<void> {
  await exporter.close({ deadline: '20s' });
  server.close();
}
process.once('SIGTERM', () => void shutdown());
