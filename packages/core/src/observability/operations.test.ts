import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { SinkError, sinkErrorCodes } from '../contract/errors/errors.ts';
import { defaultPace, resolveLimits, sinkDeliverySchema } from '../delivery/delivery-options.ts';
import { faultOf } from '../delivery/stations/fault.ts';
import { durationMs } from '../registry/duration.ts';
import { deliveryOutcomes } from './metrics.ts';
import {
  complaints,
  knownMetrics,
  operations,
  readOperations,
  tableRows,
  type KnownMetric,
} from './operations.fixture.ts';
import { promtool } from './prometheus.fixture.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const page = readOperations('../operations.md');
const rules = readOperations('kollect-alerts.rules.yaml');
const ruleTests = readOperations('kollect-alerts.test.yaml');
const dashboard = JSON.parse(readOperations('kollect-dashboard.json')) as Dashboard;
const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const code = (text: string | undefined): string => text?.replaceAll('`', '') ?? '';
const rule = /- alert: (\w+)\n\s+expr: (?:\|\n)?([\s\S]*?)\n\s+(?:for|labels):[\s\S]*?severity: (\w+)/gu;
const alerts = [...rules.matchAll(rule)].map(([, name = '', expr = '', severity = '']) => ({ name, expr, severity }));

let known: ReadonlyMap<string, KnownMetric>;
beforeAll(async () => {
  known = await knownMetrics();
});

const families = (): string[] => [
  ...new Set(
    [...known].map(([name, { type }]) => (type === 'histogram' ? name.replace(/_(bucket|sum|count)$/u, '') : name)),
  ),
];

test('a query that asks for what is not there is found out', () => {
  const wrong = [
    ['rate(kollect_export_total[5m])', 'kollect_export_total is not registered'],
    ['rate(kollect_export_duration_seconds[5m])', 'kollect_export_duration_seconds is not registered'],
    ['kollect_exports_total{reason="transient"}', 'kollect_exports_total has no label reason'],
    ['kollect_exports_total{outcome=~"applied|skipped"}', 'kollect_exports_total has no outcome skipped'],
    ['sum by (sink_type, reason) (kollect_exports_total)', 'no metric of the query has the label reason'],
    ['kollect_sink_breakers{inventory="a"}', 'kollect_sink_breakers has no label inventory'],
  ] as const;
  for (const [query, complaint] of wrong) expect(complaints(query, known)).toEqual([complaint]);
  expect(
    complaints(
      'sum by (job, sink_type, le) (rate(kollect_export_duration_seconds_bucket{job=~"$job", le!="+Inf"}[5m]))',
      known,
    ),
  ).toEqual([]);
});

test('the rules ask for metrics, labels and values that are registered', () => {
  expect(alerts).toHaveLength([...rules.matchAll(/- alert:/gu)].length);
  expect(
    alerts.flatMap(({ name, expr }) => complaints(expr, known).map((complaint) => `${name}: ${complaint}`)),
  ).toEqual([]);
  for (const { expr } of alerts) expect(expr).toContain('kollect_');
});

test('the tests of the rules feed metrics, labels and values that are registered, and see every alert fire', () => {
  const series = [...ruleTests.matchAll(/series: '(kollect_[^']+)'/gu)].map(([, text = '']) => text);
  expect(series.length).toBeGreaterThan(40);
  expect(series.flatMap((text) => complaints(text, known))).toEqual([]);
  for (const { name } of alerts) expect(ruleTests).toMatch(new RegExp(`alertname: ${name}\\n\\s+exp_alerts:`, 'u'));
});

test('the dashboard asks for metrics, labels and values that are registered, and shows every metric', () => {
  const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
  expect(queries.length).toBeGreaterThan(10);
  expect([...queries, ...definitions].flatMap((query) => complaints(query, known))).toEqual([]);
  const shown = queries.join('\n');
  expect(families().filter((name) => !new RegExp(`\\b${name}(_bucket)?\\b`, 'u').test(shown))).toEqual([]);
});

test('the panels of the dashboard have ids of their own, a query each, and do not overlap', () => {
  const { panels, templating } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { type, title, targets = [] } of panels)
    expect([title, targets.length > 0]).toEqual([title, type !== 'row']);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  const variables = new Set([...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)/gu)].map(([, name = '']) => name));
  expect([...variables].sort()).toEqual(templating.list.map(({ name }) => name).sort());
});

test('the page lists every metric with its type and labels, and names no other', () => {
  const documented = tableRows(page, 'Metrics').map(([name, type, labels]) => [
    code(name),
    type,
    code(labels).split(' ').sort(),
  ]);
  const registered = families().map((family) => {
    const { type, labels } = known.get(family) ??
      known.get(`${family}_bucket`) ?? { type: '', labels: new Map<string, never>() };
    return [family, type, [...labels.keys()].filter((label) => label !== 'le').sort()];
  });
  const byName = (a: readonly unknown[], b: readonly unknown[]): number => String(a[0]).localeCompare(String(b[0]));
  expect(documented.sort(byName)).toEqual(registered.sort(byName));
  const named = [...page.matchAll(/\bkollect_\w+/gu)].map(([name]) => name);
  expect(named.filter((name) => !families().includes(name))).toEqual([]);
});

test('the page lists every alert with its severity, and nothing else', () => {
  const rows = tableRows(page, 'Alerts').map(([name = '', severity]) => [/`(\w+)`/u.exec(name)?.[1], severity]);
  expect(rows).toEqual(alerts.map(({ name, severity }) => [name, severity]));
});

test('each rule leads to the section of the page that says what to do', () => {
  const { repository } = JSON.parse(readOperations('../../packages/core/package.json')) as {
    readonly repository: { readonly url: string };
  };
  const repositoryUrl = repository.url.replace(/^git\+/u, '').replace(/\.git$/u, '');
  const links = [...rules.matchAll(/runbook_url: (\S+)/gu)].map(([, link]) => link);
  expect(links).toEqual(
    alerts.map(({ name }) => `${repositoryUrl}/blob/main/docs/operations.md#${name.toLowerCase()}`),
  );
  for (const { name } of alerts) expect(page).toMatch(new RegExp(`^### ${name}\n[A-Z]`, 'mu'));
});

test('the page says what every outcome, reason and code means', () => {
  const first = (heading: string): string[] => tableRows(page, heading).map(([name]) => code(name));
  const reasons = new Set(sinkErrorCodes.map((name) => new SinkError(name, '').reason));
  expect(first('Every outcome').sort()).toEqual([...deliveryOutcomes].sort());
  expect(first('Every reason').sort()).toEqual([...reasons].sort());
  expect(first('Every code')).toEqual(sinkErrorCodes);
  for (const cells of [
    ...tableRows(page, 'Every outcome'),
    ...tableRows(page, 'Every reason'),
    ...tableRows(page, 'Every code'),
  ]) {
    expect(cells.at(-1)).toMatch(/^[A-Z].*\.$/u);
  }
});

test('the page says which codes open the breaker', () => {
  const { failures } = sinkDeliverySchema.properties.breaker.properties;
  const expected = sinkErrorCodes.map((name) => {
    const error = new SinkError(name, '');
    if (faultOf(error) !== 'sink') return [name, 'no'];
    return [name, error.reason === 'forbidden' ? 'at once' : `after ${failures.default}`];
  });
  expect(tableRows(page, 'Every code').map(([name, opens]) => [code(name), opens])).toEqual(expected);
});

test('the page lists every option of delivery with its default', () => {
  const documented = tableRows(page, 'Size the limits').map(([name, value]) => [code(name), code(value)]);
  const { retry, breaker, ...plain } = sinkDeliverySchema.properties;
  const defaultsOf = (
    prefix: string,
    properties: Readonly<Record<string, { readonly default: unknown }>>,
  ): string[][] => Object.entries(properties).map(([name, field]) => [`${prefix}${name}`, String(field.default)]);
  const ofSink = [
    ...defaultsOf('', plain),
    ...defaultsOf('retry.', retry.properties),
    ...defaultsOf('breaker.', breaker.properties),
  ];
  const ofExporter = Object.entries(resolveLimits(undefined)).map(([name, value]) => [name, String(value)]);
  expect(documented.slice(0, ofSink.length)).toEqual(ofSink);
  expect(documented.slice(-ofExporter.length)).toEqual(ofExporter);
  const ofInventory = documented.slice(ofSink.length, -ofExporter.length);
  expect(Object.fromEntries(ofInventory.map(([name, value]) => [`${name}Ms`, durationMs(value ?? '')]))).toEqual(
    defaultPace,
  );
});

test('links of the page lead somewhere', () => {
  const headings = new Set(
    [...page.matchAll(/^#+ (.+)$/gmu)].map(([, text = '']) => `#${text.toLowerCase().replaceAll(' ', '-')}`),
  );
  const links = [...page.matchAll(/\]\(([^)]+)\)/gu)].map(([, link = '']) => link);
  const broken = links.filter((link) =>
    link.startsWith('#') ? !headings.has(link) : !existsSync(new URL(`../${link.replace(/#.*$/u, '')}`, operations)),
  );
  expect([links.length > 5, broken]).toEqual([true, []]);
});

test('promtool accepts the rules and their tests', () => {
  const file = (name: string): string => fileURLToPath(new URL(name, operations));
  expect(promtool(['check', 'rules', file('kollect-alerts.rules.yaml')])).toMatchObject({
    status: 0,
    output: expect.stringContaining(`${alerts.length} rules found`),
  });
  expect(promtool(['test', 'rules', file('kollect-alerts.test.yaml')])).toMatchObject({ status: 0 });
});

test('promtool can read every query of the dashboard', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kollect-dashboard-'));
  try {
    const file = join(folder, 'queries.yaml');
    const check = (exprs: readonly string[]) => {
      const named = exprs.map((expr, index) => ({
        record: `query_${index}`,
        expr: expr.replaceAll('$__rate_interval', '5m'),
      }));
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: named }] }));
      return promtool(['check', 'rules', file]);
    };
    expect(check(['sum by (sink_type (kollect_exports_total)']).status).not.toBe(0);
    expect(check(queries)).toMatchObject({ status: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
