import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
import { openTelemetryTracer } from './opentelemetry.ts';

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());
afterEach(() => trace.disable());

function start(processors: readonly SpanProcessor[] = []) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter), ...processors],
  });
  const spans = () => exporter.getFinishedSpans();
  const named = (name: string) => spans().find((span) => span.name === name);
  return { tracerProvider, spans, named };
}

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('spans nest across awaits, those of drivers below ours, and exports side by side stay apart', async () => {
  const { tracerProvider, named, spans } = start();
  const tracer = openTelemetryTracer({ tracerProvider });
  const driver = tracerProvider.getTracer('instrumentation-pg');
  const exportOne = (sink: string): Promise<void> =>
    tracer.withSpan(`export ${sink}`, {}, async () => {
      await pause();
      await tracer.withSpan(`attempt ${sink}`, { 'db.system.name': 'postgresql' }, async () => {
        await pause();
        driver.startSpan(`query ${sink}`).end();
      });
    });
  await driver.startActiveSpan('reconcile', async (host) => {
    await Promise.all([exportOne('a'), exportOne('b')]);
    host.end();
  });
  for (const sink of ['a', 'b']) {
    expect(named(`query ${sink}`)?.parentSpanContext?.spanId).toBe(named(`attempt ${sink}`)?.spanContext().spanId);
    expect(named(`attempt ${sink}`)?.parentSpanContext?.spanId).toBe(named(`export ${sink}`)?.spanContext().spanId);
    expect(named(`export ${sink}`)?.parentSpanContext?.spanId).toBe(named('reconcile')?.spanContext().spanId);
  }
  expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(1);
});

test('attributes are those of the start and those that came later', async () => {
  const { tracerProvider, named } = start();
  const result = await openTelemetryTracer({ tracerProvider }).withSpan(
    'outer',
    { 'kollect.sink.type': 'kafka' },
    async (span) => {
      span.setAttributes({ 'kollect.outcome': 'applied', 'kollect.attempts': 2 });
      return 'result';
    },
  );
  expect(result).toBe('result');
  expect(named('outer')?.attributes).toEqual({
    'kollect.sink.type': 'kafka',
    'kollect.outcome': 'applied',
    'kollect.attempts': 2,
  });
  expect(named('outer')?.status.code).toBe(SpanStatusCode.UNSET);
  expect(named('outer')?.instrumentationScope.name).toBe('@kollect/core');
});

test('only the attempt is a call to another system', async () => {
  const { tracerProvider, spans } = start();
  const { withSpan } = openTelemetryTracer({ tracerProvider });
  for (const attributes of [{ 'db.system.name': 'postgresql' }, { 'messaging.system': 'kafka' }, {}] as const) {
    await withSpan('kollect.attempt', attributes, pause);
    await withSpan('kollect.export', attributes, pause);
  }
  expect(spans().map(({ kind }) => kind)).toEqual([
    SpanKind.CLIENT,
    SpanKind.INTERNAL,
    SpanKind.PRODUCER,
    SpanKind.INTERNAL,
    SpanKind.INTERNAL,
    SpanKind.INTERNAL,
  ]);
});

test('a failure shows its code and nothing that could be secret, and passes through', async () => {
  const { tracerProvider, spans } = start();
  const { withSpan } = openTelemetryTracer({ tracerProvider });
  const secret = 'postgres://admin:hunter2@db';
  const ours = new SinkError('AUTHENTICATION_FAILED', `refused ${secret}`, { cause: new Error(secret) });
  for (const error of [ours, new TypeError(secret), secret]) {
    const failing = withSpan('attempt', {}, async () => {
      await pause();
      throw error;
    });
    await expect(failing).rejects.toBe(error);
  }
  expect(spans().map(({ attributes }) => attributes['error.type'])).toEqual([
    'AUTHENTICATION_FAILED',
    '_OTHER',
    '_OTHER',
  ]);
  expect(spans().map(({ status }) => status)).toEqual(
    Array.from({ length: 3 }, () => ({ code: SpanStatusCode.ERROR })),
  );
  expect(
    JSON.stringify(spans().map(({ name, attributes, status, events }) => ({ name, attributes, status, events }))),
  ).not.toContain('hunter2');
});

test('work that throws before it returns a promise ends its span and rejects', async () => {
  const { tracerProvider, spans } = start();
  const error = new SinkError('TIMEOUT', 'too late');
  const failing = openTelemetryTracer({ tracerProvider }).withSpan('export', {}, () => {
    throw error;
  });
  await expect(failing).rejects.toBe(error);
  expect(spans()).toHaveLength(1);
});

test('without options it uses the provider of the process, also one that comes later', async () => {
  const { withSpan } = openTelemetryTracer();
  expect(await withSpan('early', {}, async () => 1)).toBe(1);
  const { tracerProvider, spans } = start();
  trace.setGlobalTracerProvider(tracerProvider);
  expect(await withSpan('late', {}, async () => 2)).toBe(2);
  expect(spans().map(({ name }) => name)).toEqual(['late']);
});

test('a tracer that is given is used as it is', async () => {
  const { tracerProvider, spans } = start();
  await openTelemetryTracer({ tracer: tracerProvider.getTracer('of the host', '1.2.3') }).withSpan('export', {}, pause);
  expect(spans()[0]?.instrumentationScope).toMatchObject({ name: 'of the host', version: '1.2.3' });
});

test('a tracer that throws costs no export: the work runs once and its result is kept', async () => {
  const broken = (): never => {
    throw new Error('broken');
  };
  const processor = (methods: Partial<SpanProcessor>): SpanProcessor => ({
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    ...methods,
  });
  const started = start().tracerProvider.getTracer('broken late');
  const tracers: readonly Tracer[] = [
    { startSpan: broken, startActiveSpan: broken },
    start([processor({ onStart: broken })]).tracerProvider.getTracer('broken start'),
    start([processor({ onEnd: broken })]).tracerProvider.getTracer('broken end'),
    {
      startSpan: broken,
      startActiveSpan: (...given: readonly unknown[]) => {
        started.startActiveSpan('broken late', given.at(-1) as () => unknown);
        return broken();
      },
    },
  ];
  for (const tracer of tracers) {
    let runs = 0;
    const result = await openTelemetryTracer({ tracer }).withSpan('export', {}, async (span) => {
      span.setAttributes({ 'kollect.attempts': 1 });
      await pause();
      return (runs += 1);
    });
    expect([result, runs]).toEqual([1, 1]);
  }
});
