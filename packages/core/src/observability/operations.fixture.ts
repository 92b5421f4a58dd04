import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { prometheusMetrics } from './prometheus.ts';

export const operations = new URL('../../../../docs/operations/', import.meta.url);

export function readOperations(file: string): string {
  return readFileSync(new URL(file, operations), 'utf8');
}

/** A metric as it is registered: the values that each label can have; of `sink_type` they are the host's. */
export interface KnownMetric {
  readonly type: string;
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Every name that a query can ask for, those of the parts of a histogram included. */
export async function knownMetrics(): Promise<ReadonlyMap<string, KnownMetric>> {
  const register = new Registry();
  const metrics = prometheusMetrics({ register });
  metrics.declareSinkType('postgres');
  const known = new Map<string, KnownMetric>();
  for (const { name, type, values } of await register.getMetricsAsJSON()) {
    for (const { labels, ...value } of values) {
      const series = 'metricName' in value ? String(value.metricName) : name;
      const metric = known.get(series) ?? { type: String(type), labels: new Map<string, Set<string>>() };
      for (const [label, text] of Object.entries(labels)) {
        const texts = new Set(metric.labels.get(label)).add(String(text));
        (metric.labels as Map<string, Set<string>>).set(label, texts);
      }
      known.set(series, metric);
    }
  }
  return known;
}

/** Labels that Prometheus adds when it scrapes. */
const scraped = new Set(['job', 'instance']);

/** What a query says of our metrics that is not so. */
export function complaints(query: string, known: ReadonlyMap<string, KnownMetric>): string[] {
  const found: string[] = [];
  const labels = new Set(scraped);
  for (const [, name = '', matchers = ''] of query.matchAll(/\b(kollect_\w+)(?:\{([^}]*)\})?/gu)) {
    const metric = known.get(name);
    if (metric === undefined) found.push(`${name} is not registered`);
    for (const label of metric?.labels.keys() ?? []) labels.add(label);
    for (const [, label = '', text = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/gu)) {
      const values = metric?.labels.get(label);
      if (values === undefined && !scraped.has(label)) found.push(`${name} has no label ${label}`);
      if (values === undefined || label === 'sink_type') continue;
      for (const value of text.split('|')) if (!values.has(value)) found.push(`${name} has no ${label} ${value}`);
    }
  }
  for (const [, list = ''] of query.matchAll(/\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)/gu)) {
    for (const label of list.split(',').map((name) => name.trim()))
      if (!labels.has(label)) found.push(`no metric of the query has the label ${label}`);
  }
  return found;
}

/** The cells of each row of the Markdown tables of a section, whose first cell is code. */
export function tableRows(page: string, heading: string): string[][] {
  const section = page.split(/^#{2,3} /mu).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => /^\| \[?`/u.test(line))
    .map((line) =>
      line
        .split(/(?<!\\)\|/u)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
