import { expect, test } from '@jest/globals';
import type { DeliveryTracer } from '../observability/tracing.ts';
import { containLogger, containMetrics, containTracer } from './contained-ports.ts';
import { codeOf, failure, notedMetrics, settle } from './delivery.fixture.ts';

const boom = (): never => {
  throw new Error('boom');
};
const later = async (): Promise<never> => boom();

test('what metrics and loggers throw or reject with is dropped', async () => {
  for (const fault of [boom, later as unknown as () => void]) {
    const metrics = containMetrics({
      declareSinkType: fault,
      deliveryEnded: fault,
      attemptRetried: fault,
      inFlightChanged: fault,
      breakerChanged: fault,
      watchBacklog: () => fault() as never,
    });
    metrics.watchBacklog(() => [])();
    metrics.declareSinkType('fake');
    metrics.inFlightChanged({ sinkType: 'fake', delta: 1 });
    metrics.breakerChanged({ sinkType: 'fake', to: 'closed' });
    metrics.attemptRetried({ sinkType: 'fake', reason: 'transient' });
    metrics.deliveryEnded({ sinkType: 'fake', outcome: 'applied', queueSeconds: 0, attempts: 1, items: 0, bytes: 0 });
    const logger = containLogger({ debug: fault, info: fault, warn: fault, error: fault });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]({}, 'hello');
  }
  await settle();
});

test('calls arrive as they are, on the object they belong to', () => {
  const { metrics, told } = notedMetrics();
  containMetrics(metrics).inFlightChanged({ sinkType: 'fake', delta: -1 });
  expect(told).toEqual([['inFlightChanged', { sinkType: 'fake', delta: -1 }]]);
  let watched = 1;
  containMetrics({ ...metrics, watchBacklog: () => () => (watched -= 1) }).watchBacklog(() => [])();
  expect(watched).toBe(0);
  const lines: unknown[] = [];
  class Logger {
    readonly prefix = 'x';
    debug(fields: unknown, message: string): void {
      lines.push([this.prefix, fields, message]);
    }
    info = this.debug;
    warn = this.debug;
    error = this.debug;
  }
  containLogger(new Logger()).debug({ sink: 'a' }, 'hello');
  expect(lines).toEqual([['x', { sink: 'a' }, 'hello']]);
});

const tracers: readonly (readonly [string, DeliveryTracer])[] = [
  ['throws', { withSpan: boom }],
  ['rejects', { withSpan: later }],
  ['never runs the work', { withSpan: () => new Promise(() => undefined) }],
  [
    'throws after the work began',
    {
      withSpan: (_name, _attributes, work) => {
        void work({ setAttributes: boom }).catch(() => undefined);
        return boom();
      },
    },
  ],
  [
    'runs the work twice',
    {
      withSpan: async (_name, _attributes, work) => {
        await work({ setAttributes: () => undefined });
        return work({ setAttributes: () => undefined });
      },
    },
  ],
  [
    'answers with something else',
    {
      withSpan: async (_name, _attributes, work) => {
        await work({ setAttributes: () => boom() });
        return undefined as never;
      },
    },
  ],
];

test.each(tracers)('with a tracer that %s the work runs once and its outcome counts', async (_, tracer) => {
  for (const fails of [false, true]) {
    let runs = 0;
    const result = containTracer(tracer)?.withSpan('name', {}, async (span) => {
      runs += 1;
      span.setAttributes({ a: 1 });
      if (fails) throw failure('UNAVAILABLE');
      return 'done';
    });
    if (fails) expect(await codeOf(Promise.resolve(result))).toBe('UNAVAILABLE');
    else expect(await result).toBe('done');
    expect(runs).toBe(1);
  }
});

test('without a tracer there is none', () => {
  expect(containTracer(undefined)).toBeUndefined();
});
