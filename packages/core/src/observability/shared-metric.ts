import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { SinkError } from '../contract/errors/errors.ts';

/** What is asked of a registry of prom-client, whichever copy of the package it comes from. */
export interface PrometheusRegistry {
  getSingleMetric(name: string): unknown;
  registerMetric(metric: never): void;
}

export interface SharedMetricOptions<Label extends string> {
  readonly register: PrometheusRegistry;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
}

export interface SharedGaugeOptions<Label extends string> extends SharedMetricOptions<Label> {
  /** How the values of the workers of a Node cluster become one. Default `sum`. */
  readonly aggregator?: 'sum' | 'max';
}

export interface SharedHistogramOptions<Label extends string> extends SharedMetricOptions<Label> {
  /** Name of the option that overrides `defaultBuckets`, for messages. */
  readonly option: string;
  readonly buckets: readonly number[] | undefined;
  readonly defaultBuckets: readonly number[];
}

/** A registry holds one metric of a name: whoever comes second takes the first one's, so that all of them add up. Throws SPEC_INVALID where that is another kind of metric. */
export function sharedCounter<Label extends string>(options: SharedMetricOptions<Label>): Counter<Label> {
  return shared(options, 'counter', ['inc'], ['dec'], () => new Counter(configOf(options)));
}

export function sharedGauge<Label extends string>({
  aggregator = 'sum',
  ...options
}: SharedGaugeOptions<Label>): Gauge<Label> {
  return shared(options, 'gauge', ['inc', 'dec', 'set'], [], () => new Gauge({ ...configOf(options), aggregator }));
}

/** Throws SPEC_INVALID also for buckets that are none, or that differ from those of the one that is there. */
export function sharedHistogram<Label extends string>(options: SharedHistogramOptions<Label>): Histogram<Label> {
  const { name, option, buckets, defaultBuckets } = options;
  if (buckets !== undefined) checkBuckets(buckets, option);
  const histogram = shared(
    options,
    'histogram',
    ['observe', 'zero'],
    [],
    () => new Histogram({ ...configOf(options), buckets: [...(buckets ?? defaultBuckets)] }),
  );
  const found = (histogram as unknown as { readonly upperBounds?: readonly number[] }).upperBounds;
  if (buckets === undefined || found === undefined || String(found) === String(buckets)) return histogram;
  throw refuse(
    `${option}: expected the buckets of the ${name} that is in the registry already (${found.join(', ')}), found ${buckets.join(', ')}`,
  );
}

const zeroed = Symbol.for('@kollect/core/zeroed');

/** Makes the series of a histogram unless somebody did: `zero` would empty one that has counted. The mark is on the metric, for other copies of this package to see. */
export function zeroOnce<Label extends string>(
  histogram: Histogram<Label>,
  labels: Readonly<Record<Label, string>>,
): void {
  const marked = histogram as Histogram<Label> & { [zeroed]?: Set<string> };
  const done = (marked[zeroed] ??= new Set());
  const key = JSON.stringify(Object.entries(labels));
  if (done.has(key)) return;
  histogram.zero(labels);
  done.add(key);
}

const watched = Symbol.for('@kollect/core/watched');

/** Adds to the value of each of these labels. */
export type AddTo<Label extends string> = (labels: Readonly<Record<Label, string>>, value: number) => void;

/**
 * Sets the gauge whenever it is read, to the sum of what all its readers add; labels that nobody adds to any more are 0. The readers are on the
 * metric, for other copies of this package to join. Call what it returns to take the reader off.
 */
export function watchGauge<Label extends string>(gauge: Gauge<Label>, read: (add: AddTo<Label>) => void): () => void {
  const metric = gauge as Gauge<Label> & { [watched]?: Set<typeof read>; collect?: () => void };
  if (metric[watched] === undefined) {
    const readers = new Set<typeof read>();
    const seen = new Map<string, Readonly<Record<Label, string>>>();
    metric[watched] = readers;
    metric.collect = () => {
      const sums = new Map([...seen.keys()].map((key) => [key, 0]));
      const add: AddTo<Label> = (labels, value) => {
        const key = JSON.stringify(Object.entries(labels));
        seen.set(key, labels);
        sums.set(key, (sums.get(key) ?? 0) + value);
      };
      for (const reader of readers) reader(add);
      for (const [key, labels] of seen) metric.set(labels, sums.get(key) ?? 0);
    };
  }
  const readers = metric[watched];
  readers.add(read);
  return () => void readers.delete(read);
}

type Method = 'inc' | 'dec' | 'set' | 'observe' | 'zero';

function shared<T>(
  { register, name, labelNames }: SharedMetricOptions<string>,
  kind: string,
  methods: readonly Method[],
  without: readonly Method[],
  make: () => T,
): T {
  const found = register.getSingleMetric(name);
  if (found === undefined) return make();
  // Another copy of prom-client has classes of its own: what counts is what the metric can do.
  const metric = found as Readonly<Record<Method | 'labelNames', unknown>>;
  const has = (method: Method): boolean => typeof metric[method] === 'function';
  const labels: readonly unknown[] = Array.isArray(metric.labelNames) ? metric.labelNames : [];
  const sameLabels = labels.length === labelNames.length && labelNames.every((label) => labels.includes(label));
  if (sameLabels && methods.every(has) && !without.some(has)) return found as T;
  throw refuse(
    `the registry holds another metric ${name}, expected none or a ${kind} with the labels ${labelNames.join(', ')}: remove it, or give a registry of its own`,
  );
}

function configOf<Label extends string>({ register, name, help, labelNames }: SharedMetricOptions<Label>) {
  return { name, help, labelNames, registers: [register as Registry] };
}

function checkBuckets(buckets: readonly number[], option: string): void {
  const ascending = buckets.every((bucket, index) => Number.isFinite(bucket) && bucket > (buckets[index - 1] ?? 0));
  if (buckets.length === 0 || !ascending)
    throw refuse(`${option}: expected seconds above 0 in ascending order, found [${buckets.join(', ')}]`);
}

function refuse(problem: string): SinkError {
  return new SinkError('SPEC_INVALID', `The options of prometheusMetrics are invalid: ${problem}.`, {
    operation: 'create',
  });
}
