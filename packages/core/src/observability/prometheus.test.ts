import { createRequire } from 'node:module';
import { afterEach, expect, jest, test } from '@jest/globals';
import { Counter, Gauge, register as processRegister, Registry, Summary } from 'prom-client';
import { prometheusMetrics } from './prometheus.ts';
import { ended, promtool, seriesOf, startMetrics } from './prometheus.fixture.ts';

const defaultBuckets = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10'];

const bucketsOf = (series: ReadonlyMap<string, number>, name: string): (string | undefined)[] =>
  [...series.keys()].filter((key) => key.startsWith(`${name}_bucket`)).map((key) => /le="([^"]+)"/u.exec(key)?.[1]);

/** A second copy of prom-client, as a host has that installed another version. */
function otherCopy(): { Registry: typeof Registry; Counter: typeof Counter } {
  jest.resetModules();
  return createRequire(import.meta.url)('prom-client') as { Registry: typeof Registry; Counter: typeof Counter };
}

afterEach(() => void jest.useRealTimers());

test('every series of a declared type is there with 0', async () => {
  const { series } = startMetrics({}, ['kafka']);
  const plain = [
    'kollect_exports_debounced_total',
    'kollect_exports_superseded_total',
    'kollect_export_items_total',
    'kollect_export_bytes_total',
  ];
  const gauges = [
    'kollect_exports_in_flight',
    'kollect_export_last_success_timestamp_seconds',
    'kollect_sink_inventories',
    'kollect_exports_waiting',
    'kollect_exports_owed',
  ];
  const divided = {
    kollect_exports_total: [
      'outcome',
      'applied',
      'unchanged',
      'superseded',
      'debounced',
      'queued-superseded',
      'failed',
      'skipped-open-circuit',
    ],
    kollect_sink_errors_total: ['reason', 'transient', 'terminal', 'forbidden', 'payload_too_large'],
    kollect_export_retries_total: ['reason', 'transient', 'terminal', 'forbidden', 'payload_too_large'],
    kollect_sink_breakers: ['state', 'closed', 'half-open', 'open'],
  };
  const histograms = {
    kollect_export_duration_seconds: defaultBuckets,
    kollect_export_queue_wait_seconds: [...defaultBuckets, '30', '60', '300'],
  };
  const expected = [
    ...[...plain, ...gauges].map((name) => `${name}{sink_type="kafka"}`),
    ...Object.entries(divided).flatMap(([name, [label, ...values]]) =>
      values.map((value) => `${name}{sink_type="kafka",${label}="${value}"}`),
    ),
    ...Object.entries(histograms).flatMap(([name, bounds]) => [
      ...[...bounds, '+Inf'].map((bound) => `${name}_bucket{le="${bound}",sink_type="kafka"}`),
      `${name}_sum{sink_type="kafka"}`,
      `${name}_count{sink_type="kafka"}`,
    ]),
  ];
  const found = await series();
  expect([...found.keys()].sort()).toEqual(expected.sort());
  expect([...new Set(found.values())]).toEqual([0]);
});

test('what waits and is owed is read when it is asked for, and adds up over exporters until they end', async () => {
  const { metrics, register, series } = startMetrics({}, ['postgres']);
  const numbers = { sinkType: 'postgres', inventories: 3, waiting: 1, owed: 2 };
  const first = { ...numbers };
  const endFirst = metrics.watchBacklog(() => [first]);
  const endSecond = prometheusMetrics({ register }).watchBacklog(() => [numbers, { ...numbers, sinkType: 'kafka' }]);
  const read = async (sinkType: string) => {
    const found = await series();
    return ['kollect_sink_inventories', 'kollect_exports_waiting', 'kollect_exports_owed'].map((name) =>
      found.get(`${name}{sink_type="${sinkType}"}`),
    );
  };
  expect([await read('postgres'), await read('kafka')]).toEqual([
    [6, 2, 4],
    [3, 1, 2],
  ]);
  first.waiting = 5;
  expect(await read('postgres')).toEqual([6, 6, 4]);
  endSecond();
  expect([await read('postgres'), await read('kafka')]).toEqual([
    [3, 5, 2],
    [0, 0, 0],
  ]);
  endFirst();
  expect(await read('postgres')).toEqual([0, 0, 0]);
});

test('an applied export counts with its items, bytes, times and the moment', async () => {
  jest.useFakeTimers({ now: Date.UTC(2026, 0, 31, 12, 0, 0, 500) });
  const { metrics, series } = startMetrics({}, ['postgres', 'kafka']);
  metrics.deliveryEnded(ended({ writeSeconds: 0.03125 }));
  metrics.deliveryEnded(ended({ items: 4, bytes: 100, writeSeconds: 0.5, queueSeconds: 40 }));
  const found = await series();
  const changed = [...found].filter(([, value]) => value !== 0);
  expect(changed.filter(([key]) => !key.includes('_bucket'))).toEqual([
    ['kollect_exports_total{sink_type="postgres",outcome="applied"}', 2],
    ['kollect_export_items_total{sink_type="postgres"}', 7],
    ['kollect_export_bytes_total{sink_type="postgres"}', 1000],
    ['kollect_export_duration_seconds_sum{sink_type="postgres"}', 0.53125],
    ['kollect_export_duration_seconds_count{sink_type="postgres"}', 2],
    ['kollect_export_queue_wait_seconds_sum{sink_type="postgres"}', 40.2],
    ['kollect_export_queue_wait_seconds_count{sink_type="postgres"}', 2],
    [
      'kollect_export_last_success_timestamp_seconds{sink_type="postgres"}',
      Date.UTC(2026, 0, 31, 12, 0, 0, 500) / 1000,
    ],
  ]);
  expect(found.get('kollect_export_duration_seconds_bucket{le="0.025",sink_type="postgres"}')).toBe(0);
  expect(found.get('kollect_export_duration_seconds_bucket{le="0.05",sink_type="postgres"}')).toBe(1);
  expect(found.get('kollect_export_queue_wait_seconds_bucket{le="60",sink_type="postgres"}')).toBe(2);
});

test('only an export that left the store equal to its snapshot is a success', async () => {
  for (const [outcome, success] of [
    ['applied', true],
    ['unchanged', true],
    ['superseded', false],
    ['debounced', false],
    ['queued-superseded', false],
    ['failed', false],
    ['skipped-open-circuit', false],
  ] as const) {
    const { metrics, series } = startMetrics();
    metrics.deliveryEnded(ended({ outcome }));
    const found = await series();
    expect([outcome, found.get(`kollect_exports_total{sink_type="postgres",outcome="${outcome}"}`)]).toEqual([
      outcome,
      1,
    ]);
    expect([outcome, found.get('kollect_export_last_success_timestamp_seconds{sink_type="postgres"}') !== 0]).toEqual([
      outcome,
      success,
    ]);
  }
});

test('a failure counts under its reason; an export that the breaker refused is no error of the sink', async () => {
  const { metrics, series } = startMetrics();
  const idle = { items: 0, bytes: 0 };
  metrics.deliveryEnded(ended({ ...idle, outcome: 'failed', reason: 'forbidden' }));
  metrics.deliveryEnded(ended({ ...idle, outcome: 'failed', reason: 'transient', attempts: 4 }));
  metrics.deliveryEnded(ended({ ...idle, outcome: 'skipped-open-circuit', reason: 'forbidden' }));
  metrics.attemptRetried({ sinkType: 'postgres', reason: 'transient' });
  const found = await series();
  const errors = [...found].filter(([key, value]) => value !== 0 && /errors|retries|exports_total/u.test(key));
  expect(errors).toEqual([
    ['kollect_exports_total{sink_type="postgres",outcome="failed"}', 2],
    ['kollect_exports_total{sink_type="postgres",outcome="skipped-open-circuit"}', 1],
    ['kollect_sink_errors_total{sink_type="postgres",reason="transient"}', 1],
    ['kollect_sink_errors_total{sink_type="postgres",reason="forbidden"}', 1],
    ['kollect_export_retries_total{sink_type="postgres",reason="transient"}', 1],
  ]);
});

test('what was held back or overtaken counts, and tells no times', async () => {
  const { metrics, series } = startMetrics();
  const { writeSeconds: _, ...unwritten } = ended({ attempts: 0, items: 0, bytes: 0 });
  for (const outcome of ['debounced', 'queued-superseded', 'skipped-open-circuit'] as const)
    metrics.deliveryEnded({ ...unwritten, outcome });
  metrics.deliveryEnded(ended({ outcome: 'superseded', items: 0, bytes: 0 }));
  const found = await series();
  expect(found.get('kollect_exports_debounced_total{sink_type="postgres"}')).toBe(1);
  expect(found.get('kollect_exports_superseded_total{sink_type="postgres"}')).toBe(2);
  expect(found.get('kollect_export_duration_seconds_count{sink_type="postgres"}')).toBe(1);
  expect(found.get('kollect_export_queue_wait_seconds_count{sink_type="postgres"}')).toBe(1);
});

test('breakers and exports in flight go up and down', async () => {
  const { metrics, series } = startMetrics();
  metrics.breakerChanged({ sinkType: 'postgres', to: 'closed' });
  metrics.breakerChanged({ sinkType: 'postgres', to: 'closed' });
  metrics.breakerChanged({ sinkType: 'postgres', from: 'closed', to: 'open' });
  metrics.breakerChanged({ sinkType: 'postgres', from: 'closed' });
  for (const delta of [1, 1, -1] as const) metrics.inFlightChanged({ sinkType: 'postgres', delta });
  const found = await series();
  const states = ['closed', 'half-open', 'open'].map((state) =>
    found.get(`kollect_sink_breakers{sink_type="postgres",state="${state}"}`),
  );
  expect([states, found.get('kollect_exports_in_flight{sink_type="postgres"}')]).toEqual([[0, 0, 1], 1]);
});

test('several exporters of one registry share the series and add up, and a late one resets nothing', async () => {
  const register = new Registry();
  const first = startMetrics({ register });
  first.metrics.deliveryEnded(ended());
  first.metrics.breakerChanged({ sinkType: 'postgres', to: 'closed' });
  const before = await first.series();
  const second = startMetrics({ register });
  expect(await second.series()).toEqual(before);
  second.metrics.deliveryEnded(ended());
  second.metrics.breakerChanged({ sinkType: 'postgres', to: 'closed' });
  const found = await second.series();
  expect(found.get('kollect_exports_total{sink_type="postgres",outcome="applied"}')).toBe(2);
  expect(found.get('kollect_export_duration_seconds_count{sink_type="postgres"}')).toBe(2);
  expect(found.get('kollect_sink_breakers{sink_type="postgres",state="closed"}')).toBe(2);
});

test('a registry of another copy of prom-client is served, and its metrics are taken', async () => {
  const other = otherCopy();
  expect(other.Registry).not.toBe(Registry);
  const register = new other.Registry();
  const made = new other.Counter({
    name: 'kollect_exports_total',
    help: 'Made by an exporter that has the other copy.',
    labelNames: ['outcome', 'sink_type'],
    registers: [register],
  });
  made.inc({ sink_type: 'postgres', outcome: 'applied' });
  startMetrics({ register }).metrics.deliveryEnded(ended());
  const found = await seriesOf(register);
  expect(found.get('kollect_exports_total{sink_type="postgres",outcome="applied"}')).toBe(2);
  expect(found.get('kollect_export_items_total{sink_type="postgres"}')).toBe(3);
  expect((await processRegister.metrics()).includes('kollect')).toBe(false);
});

test('a registry of the OpenMetrics kind is served, also when it was read in between', async () => {
  const register = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  startMetrics({ register }).metrics.deliveryEnded(ended());
  await register.metrics();
  startMetrics({ register }).metrics.deliveryEnded(ended());
  const found = await seriesOf(register);
  expect(found.get('kollect_exports_total{sink_type="postgres",outcome="applied"}')).toBe(2);
  expect(found.get('kollect_export_duration_seconds_count{sink_type="postgres"}')).toBe(2);
});

test('the buckets are those that were asked for', async () => {
  const { register, series } = startMetrics({ buckets: [0.1, 1, 60], queueWaitBuckets: [5] });
  expect(bucketsOf(await series(), 'kollect_export_duration_seconds')).toEqual(['0.1', '1', '60', '+Inf']);
  expect(bucketsOf(await series(), 'kollect_export_queue_wait_seconds')).toEqual(['5', '+Inf']);
  expect(() => prometheusMetrics({ register, buckets: [0.1, 1, 60] })).not.toThrow();
  expect(() => prometheusMetrics({ register })).not.toThrow();
  expect(() => prometheusMetrics({ register, buckets: [0.1, 1] })).toThrow(
    'The options of prometheusMetrics are invalid: buckets: expected the buckets of the kollect_export_duration_seconds that is in the registry already (0.1, 1, 60), found 0.1, 1.',
  );
});

test('buckets that are none are refused', () => {
  for (const buckets of [[], [1, 1], [2, 1], [0, 1], [-1], [Number.NaN], [1, Number.POSITIVE_INFINITY]]) {
    expect(() => startMetrics({ buckets })).toThrow('buckets: expected seconds above 0 in ascending order, found [');
    expect(() => startMetrics({ queueWaitBuckets: buckets })).toThrow(
      'queueWaitBuckets: expected seconds above 0 in ascending order, found [',
    );
  }
});

test('a foreign metric of the same name is refused and left alone', async () => {
  const register = new Registry();
  const labelNames = ['sink_type'];
  for (const [name, make] of [
    [
      'kollect_export_items_total',
      (name: string) => new Gauge({ name, help: 'foreign', labelNames, registers: [register] }),
    ],
    [
      'kollect_exports_total',
      (name: string) => new Counter({ name, help: 'foreign', labelNames, registers: [register] }),
    ],
    [
      'kollect_export_duration_seconds',
      (name: string) => new Summary({ name, help: 'foreign', labelNames, registers: [register] }),
    ],
    [
      'kollect_exports_in_flight',
      (name: string) => new Counter({ name, help: 'foreign', labelNames, registers: [register] }),
    ],
  ] as const) {
    register.clear();
    const foreign = make(name);
    expect(() => prometheusMetrics({ register })).toThrow(
      `the registry holds another metric ${name}, expected none or a `,
    );
    expect(register.getSingleMetric(name)).toBe(foreign);
  }
});

test('names and labels follow the rules of Prometheus', async () => {
  const { register } = startMetrics();
  for (const { name, help, type } of await (register as Registry).getMetricsAsJSON()) {
    const kind = String(type);
    expect(name).toMatch(/^kollect_[a-z]+(_[a-z]+)*$/u);
    expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter']);
    expect(name).not.toMatch(/_(milliseconds|minutes|kilobytes|count|sum|bucket|gauge|counter|histogram)\b/u);
    if (kind === 'histogram') expect(name).toMatch(/_seconds$/u);
    expect(help).toMatch(/^[A-Z].{15,}[^ ]\.?$/u);
  }
});

test('promtool finds nothing to complain about', async () => {
  const { metrics, register } = startMetrics({}, ['postgres', 'kafka']);
  metrics.deliveryEnded(ended());
  const bad = promtool(['check', 'metrics'], '# TYPE kollectErrors counter\nkollectErrors 1\n');
  expect(bad.status).not.toBe(0);
  expect(promtool(['check', 'metrics'], await (register as Registry).metrics())).toEqual({ status: 0, output: '' });
});
