import { createServer } from 'node:http';
import { createExporter, createSinkRegistry, memorySink } from '@kollect/core';
import { openTelemetryTracer } from '@kollect/core/opentelemetry';
import { prometheusMetrics } from '@kollect/core/prometheus';
import { register } from 'prom-client';

export const exporter = createExporter({
  registry: createSinkRegistry([memorySink()]), // postgresSink, kafkaSink, or types of your own
  metrics: prometheusMetrics({ register }),
  tracer: openTelemetryTracer(),
  logger: { ...console, debug: () => undefined }, // or pino(), which has levels
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
