import { anyValue, checkOptions, objectWith, required, type OptionKinds } from '../contract/errors/check-options.ts';
import type { SinkErrorReason } from '../contract/errors/errors.ts';
import { breakerStates, deliveryOutcomes, type DeliveryMetrics, type SinkBacklog } from './metrics.ts';
import {
  sharedCounter,
  sharedGauge,
  sharedHistogram,
  watchGauge,
  zeroOnce,
  type PrometheusRegistry,
} from './shared-metric.ts';

export type { PrometheusRegistry } from './shared-metric.ts';

export interface PrometheusMetricsOptions {
  /** The host's registry, such as `register` of prom-client. */
  readonly register: PrometheusRegistry;
  /** Upper bounds in seconds of `kollect_export_duration_seconds`. Default .005 .01 .025 .05 .1 .25 .5 1 2.5 5 10. */
  readonly buckets?: readonly number[] | undefined;
  /** Upper bounds in seconds of `kollect_export_queue_wait_seconds`. Default those of the duration, then 30 60 300. */
  readonly queueWaitBuckets?: readonly number[] | undefined;
}

const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const waitBuckets = [...durationBuckets, 30, 60, 300];
const reasons = Object.keys({
  transient: true,
  terminal: true,
  forbidden: true,
  payload_too_large: true,
} satisfies Record<SinkErrorReason, true>);

const kinds: OptionKinds<PrometheusMetricsOptions> = {
  register: required(objectWith('getSingleMetric', 'registerMetric')),
  buckets: anyValue,
  queueWaitBuckets: anyValue,
};

/**
 * Counts delivery in the host's registry; see docs/operations.md for each metric. Called again with the same registry it shares the series, so that several
 * exporters add up. Throws SPEC_INVALID for buckets that are none, and where the registry holds another metric of one of the names.
 */
export function prometheusMetrics(options: PrometheusMetricsOptions): DeliveryMetrics {
  const of = 'The options of prometheusMetrics';
  const { register, buckets, queueWaitBuckets } = checkOptions<PrometheusMetricsOptions>(options, kinds, { of });
  const byType = { register, labelNames: ['sink_type'] as const };
  const byReason = { register, labelNames: ['sink_type', 'reason'] as const };

  const exports = sharedCounter({
    register,
    name: 'kollect_exports_total',
    help: 'Exports that were asked for, one for each inventory and sink, by how they ended.',
    labelNames: ['sink_type', 'outcome'],
  });
  const errors = sharedCounter({
    ...byReason,
    name: 'kollect_sink_errors_total',
    help: 'Exports that failed after all their retries, by reason.',
  });
  const retries = sharedCounter({
    ...byReason,
    name: 'kollect_export_retries_total',
    help: 'Attempts that failed and were made again, by reason.',
  });
  const debounced = sharedCounter({
    ...byType,
    name: 'kollect_exports_debounced_total',
    help: 'Exports held back because they would have brought nothing material.',
  });
  const superseded = sharedCounter({
    ...byType,
    name: 'kollect_exports_superseded_total',
    help: 'Exports that a newer snapshot overtook, in the queue or in the store.',
  });
  const items = sharedCounter({
    ...byType,
    name: 'kollect_export_items_total',
    help: 'Items that were inserted, updated or deleted.',
  });
  const bytes = sharedCounter({
    ...byType,
    name: 'kollect_export_bytes_total',
    help: 'Bytes of item data that were handed to stores.',
  });
  const duration = sharedHistogram({
    ...byType,
    name: 'kollect_export_duration_seconds',
    help: 'Time from the start of the first attempt of an export to the end of its last one.',
    option: 'buckets',
    buckets,
    defaultBuckets: durationBuckets,
  });
  const queueWait = sharedHistogram({
    ...byType,
    name: 'kollect_export_queue_wait_seconds',
    help: 'Time from the call to the first attempt of an export.',
    option: 'queueWaitBuckets',
    buckets: queueWaitBuckets,
    defaultBuckets: waitBuckets,
  });
  const inFlight = sharedGauge({
    ...byType,
    name: 'kollect_exports_in_flight',
    help: 'Exports that are writing to a sink.',
  });
  const breakers = sharedGauge({
    register,
    name: 'kollect_sink_breakers',
    help: 'Sinks, by the state of their circuit breaker.',
    labelNames: ['sink_type', 'state'],
  });
  const lastSuccess = sharedGauge({
    ...byType,
    name: 'kollect_export_last_success_timestamp_seconds',
    help: 'When an export last left its store equal to the snapshot; 0 where none did.',
    aggregator: 'max',
  });

  const backlog = {
    inventories: sharedGauge({
      ...byType,
      name: 'kollect_sink_inventories',
      help: 'Inventories that are exported, each once for each sink.',
    }),
    waiting: sharedGauge({
      ...byType,
      name: 'kollect_exports_waiting',
      help: 'Snapshots that wait for the export before them, or for a slot.',
    }),
    owed: sharedGauge({
      ...byType,
      name: 'kollect_exports_owed',
      help: 'Debounced, failed and skipped snapshots that will be delivered later.',
    }),
  } satisfies Partial<Record<keyof SinkBacklog, unknown>>;

  return {
    declareSinkType: (sinkType) => {
      const labels = { sink_type: sinkType };
      for (const metric of [debounced, superseded, items, bytes, inFlight, lastSuccess, ...Object.values(backlog)])
        metric.inc(labels, 0);
      for (const outcome of deliveryOutcomes) exports.inc({ ...labels, outcome }, 0);
      for (const metric of [errors, retries]) for (const reason of reasons) metric.inc({ ...labels, reason }, 0);
      for (const state of breakerStates) breakers.inc({ ...labels, state }, 0);
      for (const histogram of [duration, queueWait]) zeroOnce(histogram, labels);
    },

    deliveryEnded: (event) => {
      const { outcome } = event;
      const labels = { sink_type: event.sinkType };
      exports.inc({ ...labels, outcome });
      if (outcome === 'failed') errors.inc({ ...labels, reason: event.reason ?? 'terminal' });
      if (outcome === 'debounced') debounced.inc(labels);
      if (outcome === 'superseded' || outcome === 'queued-superseded') superseded.inc(labels);
      if (outcome === 'applied' || outcome === 'unchanged') lastSuccess.set(labels, Date.now() / 1000);
      // Exports without an attempt took no time and would distort the histograms.
      if (event.writeSeconds !== undefined) {
        duration.observe(labels, event.writeSeconds);
        queueWait.observe(labels, event.queueSeconds);
      }
      items.inc(labels, event.items);
      bytes.inc(labels, event.bytes);
    },

    attemptRetried: ({ sinkType, reason }) => retries.inc({ sink_type: sinkType, reason }),
    inFlightChanged: ({ sinkType, delta }) => inFlight.inc({ sink_type: sinkType }, delta),

    breakerChanged: ({ sinkType, from, to }) => {
      if (from !== undefined) breakers.dec({ sink_type: sinkType, state: from });
      if (to !== undefined) breakers.inc({ sink_type: sinkType, state: to });
    },

    watchBacklog: (read) => {
      const ends = (['inventories', 'waiting', 'owed'] as const).map((what) =>
        watchGauge(backlog[what], (add) => {
          for (const numbers of read()) add({ sink_type: numbers.sinkType }, numbers[what]);
        }),
      );
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
