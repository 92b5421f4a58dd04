import { spawnSync } from 'node:child_process';
import { Registry } from 'prom-client';
import type { DeliveryEnded, DeliveryMetrics } from './metrics.ts';
import { prometheusMetrics, type PrometheusMetricsOptions } from './prometheus.ts';

interface TextRegistry {
  metrics(): Promise<string>;
}

/** Every series of a registry as Prometheus would read it: `name{label="value"}` and its value. */
export async function seriesOf(register: TextRegistry): Promise<Map<string, number>> {
  const lines = (await register.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

export function startMetrics(options: Partial<PrometheusMetricsOptions> = {}, types: readonly string[] = ['postgres']) {
  const register = options.register ?? new Registry();
  const metrics: DeliveryMetrics = prometheusMetrics({ ...options, register });
  for (const type of types) metrics.declareSinkType(type);
  return { metrics, register, series: () => seriesOf(register as Registry) };
}

/** An export that was applied by one attempt, but for what is given. */
export function ended(event: Partial<DeliveryEnded> = {}): DeliveryEnded {
  return {
    sinkType: 'postgres',
    outcome: 'applied',
    queueSeconds: 0.2,
    writeSeconds: 0.03,
    attempts: 1,
    items: 3,
    bytes: 900,
    ...event,
  };
}

export interface PromtoolRun {
  readonly status: number | null;
  readonly output: string;
}

export function promtool(args: readonly string[], input = ''): PromtoolRun {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  const missing = error === undefined ? '' : 'promtool is not installed: apt-get install prometheus';
  return { status, output: `${stdout ?? ''}${stderr ?? ''}${missing}` };
}
