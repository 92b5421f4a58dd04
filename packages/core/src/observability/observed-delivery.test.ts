import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { context, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { sealSnapshot } from '../contract/snapshot/seal-snapshot.ts';
import { SinkError } from '../contract/errors/errors.ts';
import type { ExportResult } from '../contract/sink.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import { createExporter } from '../delivery/exporter.ts';
import { defineSink } from '../registry/define-sink.ts';
import { openTelemetryTracer } from './opentelemetry.ts';
import { prometheusMetrics } from './prometheus.ts';
import { seriesOf } from './prometheus.fixture.ts';

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

const applied: ExportResult = {
  outcome: 'applied',
  counts: { inserted: 2, updated: 1, deleted: 0, unchanged: 4 },
  messages: 1,
  bytes: 640,
};

/** Gives one answer to each attempt, below a span as the driver's instrumentation makes it. */
function scriptedSink(driver: Tracer, answers: (ExportResult | SinkError)[]) {
  return defineSink({
    type: 'postgres',
    contractVersion: 1,
    role: 'relational-store',
    capabilities: { fenced: true, deletes: true },
    spanAttributes: { 'db.system.name': 'postgresql' },
    specSchema: { type: 'object', additionalProperties: false, properties: {} },
    create: () => ({
      export: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        driver.startSpan('pg.query').end();
        const answer = answers.shift() ?? applied;
        if (SinkError.isInstance(answer)) throw answer;
        return answer;
      },
      testConnection: async () => ({ ok: true, steps: [] }),
      close: async () => undefined,
    }),
  });
}

test('a retried export and a refused one show in metrics and spans as they happened', async () => {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const register = new Registry();
  const answers = [new SinkError('UNAVAILABLE', 'gone'), applied, new SinkError('AUTHENTICATION_FAILED', 'who?')];
  const exporter = createExporter({
    registry: createSinkRegistry([scriptedSink(tracerProvider.getTracer('pg'), answers)]),
    metrics: prometheusMetrics({ register }),
    tracer: openTelemetryTracer({ tracerProvider }),
  });
  try {
    exporter.updateSink({
      name: 'team/db',
      config: { type: 'postgres', postgres: {} },
      delivery: { retry: { minDelay: '0s' } },
    });
    for (const generation of [1, 2, 3]) {
      const snapshot = await sealSnapshot({ inventoryNamespace: 'team', inventoryName: 'apps', generation, items: [] });
      await exporter.export({ namespace: 'team', name: 'apps', sinks: ['team/db'] }, snapshot);
    }
    const counted = [...(await seriesOf(register))].filter(
      ([key, value]) => value !== 0 && !/_bucket|_sum|timestamp/u.test(key),
    );
    expect(Object.fromEntries(counted)).toEqual({
      'kollect_sink_inventories{sink_type="postgres"}': 1,
      'kollect_exports_owed{sink_type="postgres"}': 1,
      'kollect_exports_total{sink_type="postgres",outcome="applied"}': 1,
      'kollect_exports_total{sink_type="postgres",outcome="failed"}': 1,
      'kollect_exports_total{sink_type="postgres",outcome="skipped-open-circuit"}': 1,
      'kollect_sink_errors_total{sink_type="postgres",reason="forbidden"}': 1,
      'kollect_export_retries_total{sink_type="postgres",reason="transient"}': 1,
      'kollect_export_items_total{sink_type="postgres"}': 3,
      'kollect_export_bytes_total{sink_type="postgres"}': 640,
      'kollect_export_duration_seconds_count{sink_type="postgres"}': 2,
      'kollect_export_queue_wait_seconds_count{sink_type="postgres"}': 2,
      'kollect_sink_breakers{sink_type="postgres",state="open"}': 1,
    });
  } finally {
    await exporter.close({ deadline: '1s' });
  }
  const finished = spans.getFinishedSpans();
  const nameOf = (id: string | undefined) => finished.find((span) => span.spanContext().spanId === id)?.name;
  const told = finished
    .slice(0, 7)
    .map(({ name, kind, status, attributes, parentSpanContext }) => [
      name,
      kind,
      status.code,
      attributes['error.type'],
      nameOf(parentSpanContext?.spanId),
    ]);
  expect(told).toEqual([
    ['pg.query', SpanKind.INTERNAL, SpanStatusCode.UNSET, undefined, 'kollect.attempt'],
    ['kollect.attempt', SpanKind.CLIENT, SpanStatusCode.ERROR, 'UNAVAILABLE', 'kollect.export'],
    ['pg.query', SpanKind.INTERNAL, SpanStatusCode.UNSET, undefined, 'kollect.attempt'],
    ['kollect.attempt', SpanKind.CLIENT, SpanStatusCode.UNSET, undefined, 'kollect.export'],
    ['kollect.export', SpanKind.INTERNAL, SpanStatusCode.UNSET, undefined, undefined],
    ['pg.query', SpanKind.INTERNAL, SpanStatusCode.UNSET, undefined, 'kollect.attempt'],
    ['kollect.attempt', SpanKind.CLIENT, SpanStatusCode.ERROR, 'AUTHENTICATION_FAILED', 'kollect.export'],
  ]);
});
