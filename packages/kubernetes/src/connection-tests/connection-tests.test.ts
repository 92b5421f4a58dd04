import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { SinkError, sinkErrorCodes, tenantEgress, type ConnectionReport, type SinkDefinition } from '@kollect/core';
import { postgresSink } from '@kollect/sink-postgres';
import { createWorld, memorySpec, type World } from '../operator/operator.fixture.ts';
import { fieldOf } from '../status/conditions.ts';
import { tenantReport } from './tenant-report.ts';

const worlds: World[] = [];
const world = (...options: Parameters<typeof createWorld>): World => {
  const one = createWorld(...options);
  worlds.push(one);
  return one;
};
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

const first = { namespace: 'shop', name: 'first' };
const sinkTest = (name = 'store', ttl?: number) => ({
  spec: { sinkRef: { name }, ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }) },
});
const statusOf = ({ api }: World, name = 'first'): Record<string, unknown> | undefined =>
  api.read('KollectConnectionTest', { namespace: 'shop', name })?.['status'] as Record<string, unknown> | undefined;

/** Sinks whose tests say this. */
function reporting(report: () => Promise<ConnectionReport>): (definition: SinkDefinition) => SinkDefinition {
  return (definition) => ({
    ...definition,
    create: (context) => ({ ...definition.create(context), testConnection: report }),
  });
}

test('a test runs once, belongs to its sink, is final, and goes when its time is over', async () => {
  const one = world();
  one.put('KollectSink', 'store', memorySpec);
  one.put('KollectConnectionTest', 'first', sinkTest('store', 120));
  one.start();
  await one.until('completed', () => statusOf(one)?.['completedAt'] !== undefined);
  expect(statusOf(one)).toMatchObject({
    steps: [{ name: 'memory', status: 'ok' }],
    conditions: [{ type: 'ConnectionVerified', status: 'True', reason: 'Verified' }],
  });
  expect(statusOf(one)).not.toHaveProperty('code');
  const sink = one.api.read('KollectSink', { namespace: 'shop', name: 'store' });
  expect(one.api.read('KollectConnectionTest', first)?.metadata.ownerReferences).toEqual([
    { apiVersion: 'kollect.dev/v1alpha1', kind: 'KollectSink', name: 'store', uid: sink?.metadata.uid },
  ]);
  const before = statusOf(one);
  one.put('KollectConnectionTest', 'first', { ...sinkTest('other', 120), status: before });
  await one.clock.advance(30_000);
  expect(statusOf(one)).toEqual(before);
  await one.clock.advance(85_000);
  expect(statusOf(one)).toBeDefined();
  await one.clock.advance(10_000);
  expect(one.api.read('KollectConnectionTest', first)).toBeUndefined();
});

test('a test that nobody touches goes when its time is over, and is made once though its end shows late', async () => {
  let made = 0;
  const report = (): Promise<ConnectionReport> => {
    made += 1;
    return Promise.resolve({ ok: true, steps: [] });
  };
  const one = world({ wrap: reporting(report) });
  one.put('KollectSink', 'store', memorySpec);
  one.put('KollectConnectionTest', 'first', sinkTest('store', 60));
  one.put('KollectConnectionTest', 'second', sinkTest('missing', 60));
  one.start();
  await one.until('completed', () =>
    ['first', 'second'].every((name) => statusOf(one, name)?.['completedAt'] !== undefined),
  );
  await one.clock.advance(50_000);
  expect(statusOf(one)).toBeDefined();
  await one.until(
    'collected',
    () => [first, { ...first, name: 'second' }].every((of) => one.api.read('KollectConnectionTest', of) === undefined),
    15_000,
  );
  expect(made).toBe(1);
});

test.each(sinkErrorCodes.filter((code) => code !== 'EGRESS_DENIED'))(
  'a step that fails with %s says so, with its remedy',
  async (code) => {
    const step = {
      name: 'table',
      status: 'failed' as const,
      code,
      found: 'row data',
      remedy: 'Do this.',
      durationMs: 3.4,
    };
    const one = world({ wrap: reporting(() => Promise.resolve({ ok: false, steps: [step] })) });
    one.put('KollectSink', 'store', memorySpec);
    one.put('KollectConnectionTest', 'first', sinkTest());
    one.start();
    await one.until('completed', () => statusOf(one)?.['completedAt'] !== undefined);
    expect(statusOf(one)).toMatchObject({
      code,
      remedy: 'Do this.',
      steps: [{ name: 'table', status: 'failed', code, durationMs: 3 }],
      conditions: [{ status: 'False' }],
    });
    expect(JSON.stringify(statusOf(one))).not.toContain('row data');
  },
);

test('a test of a sink that is not there, cannot be used, or throws is completed, with a code', async () => {
  const one = world({ wrap: reporting(() => Promise.reject(new SinkError('PERMISSION_DENIED', 'row data'))) });
  one.put('KollectSink', 'store', memorySpec);
  one.put('KollectSink', 'refused', { spec: { type: 'memory', memory: { nonsense: 1 } } });
  one.put('KollectConnectionTest', 'missing', sinkTest('nobody'));
  one.put('KollectConnectionTest', 'refused', sinkTest('refused'));
  one.put('KollectConnectionTest', 'throws', sinkTest('store'));
  one.put('KollectConnectionTest', 'nonsense', { spec: { sinkRef: 5 } });
  one.start();
  const codes = {
    missing: 'NOT_FOUND',
    refused: 'SPEC_INVALID',
    throws: 'PERMISSION_DENIED',
    nonsense: 'SPEC_INVALID',
  };
  for (const [name, code] of Object.entries(codes)) {
    await one.until(name, () => statusOf(one, name)?.['completedAt'] !== undefined);
    expect([name, statusOf(one, name)?.['code']]).toEqual([name, code]);
  }
  expect(JSON.stringify(one.api.readAll('KollectConnectionTest'))).not.toContain('row data');
});

test('of each sink one test runs at a time', async () => {
  let running = 0;
  let most = 0;
  let ended = 0;
  const release: (() => void)[] = [];
  const one = world({
    wrap: reporting(async () => {
      most = Math.max(most, (running += 1));
      await new Promise<void>((resolve) => void release.push(resolve));
      running -= 1;
      ended += 1;
      return { ok: true, steps: [] };
    }),
  });
  one.put('KollectSink', 'store', memorySpec);
  for (const name of ['a', 'b', 'c']) one.put('KollectConnectionTest', name, sinkTest());
  one.start();
  await one.until('all ended', () => {
    release.shift()?.();
    return ended === 3;
  });
  expect(most).toBe(1);
});

test('a denied host, one whose name leads nowhere and one where nobody listens are the same to a tenant', async () => {
  const one = world();
  const hosts = { denied: '127.0.0.1', named: 'localhost', nowhere: 'nowhere.invalid' };
  for (const [name, host] of Object.entries(hosts)) {
    const dsn = Buffer.from(`postgresql://user:word@${host}:1/d`).toString('base64');
    one.api.put({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name }, data: { dsn } });
    one.put('KollectSink', name, {
      spec: { type: 'postgres', secretRef: { name }, postgres: { database: 'd', table: 't' } },
    });
    one.put('KollectConnectionTest', name, sinkTest(name));
  }
  const { api } = one;
  const egress = tenantEgress();
  const { createOperator } = await import('../operator/operator.ts');
  const operator = createOperator({ api, sinks: [postgresSink], egress });
  const running = operator.run();
  const all = Object.keys(hosts);
  while (!all.every((name) => statusOf(one, name)?.['completedAt'] !== undefined)) await sleep(10);
  await operator.close();
  await running;
  const shown = all.map((name) => {
    const { steps, code, remedy, conditions, durationMs } = statusOf(one, name) ?? {};
    const reached = (steps as readonly object[]).slice(
      (steps as readonly { name: string }[]).findIndex((each) => each.name === 'connect'),
    );
    const told = (conditions as readonly object[]).map((each) => [fieldOf(each, 'reason'), fieldOf(each, 'message')]);
    return JSON.stringify({ reached, code, remedy, told, durationMs });
  });
  expect(shown).toEqual([shown[0], shown[0], shown[0]]);
  expect(shown[0]).toContain('"name":"connect","status":"failed","code":"UNAVAILABLE"');
}, 30_000);

test('whatever a sink reports is cut to what the status may hold', () => {
  const step = (index: number) => ({
    name: index === 0 ? '' : 'n'.repeat(100),
    status: 'warning' as const,
    code: index % 2 === 0 ? 'NO_SUCH_CODE' : 'EGRESS_DENIED',
    found: '',
    remedy: 'r'.repeat(1_000),
    durationMs: -5,
  });
  const { steps } = tenantReport({ ok: true, steps: Array.from({ length: 50 }, (_, index) => step(index)) });
  expect(steps).toHaveLength(20);
  for (const { name, remedy = '', durationMs = 0, code } of steps) {
    expect(name.length).toBeGreaterThan(0);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(remedy.length).toBeLessThanOrEqual(512);
    expect(durationMs).toBeGreaterThanOrEqual(0);
    expect(code).not.toBe('EGRESS_DENIED');
  }
});
