import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ConnectionReport, KollectSink } from '@kollect/core';
import type { NatsSpec } from '@kollect/sink-nats';
import { natsSinkOver, openTestStream, type TestStream } from '../support/nats.ts';
import { limit, snapshotAt } from './snapshots.ts';

let stream: TestStream;
const sinks: KollectSink[] = [];
beforeEach(async () => {
  stream = await openTestStream({ config: { max_age: 0 } });
});
afterEach(async () => {
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
  await stream.close();
});

const report = (spec: Partial<NatsSpec> = {}): Promise<ConnectionReport> => {
  const sink = natsSinkOver({ stream, spec });
  sinks.push(sink);
  return sink.testConnection(limit());
};
const statuses = ({ steps }: ConnectionReport): Record<string, string> =>
  Object.fromEntries(steps.map(({ name, status, code }) => [name, status === 'passed' ? status : `${status} ${code}`]));
const good = {
  credentials: 'passed',
  resolve: 'passed',
  connect: 'passed',
  login: 'warning TLS_FAILED',
  account: 'passed',
  stream: 'passed',
  permission: 'passed',
  size: 'passed',
  durability: 'warning UNAVAILABLE',
  parts: 'passed',
};

test('every step, and nothing is stored', async () => {
  const found = await report();
  expect([found.ok, statuses(found)]).toEqual([true, good]);
  expect(await stream.messages()).toEqual([]);
});

test('what cannot be had of the stream is a warning', async () => {
  await stream.update({ allow_atomic: false, max_msg_size: 8_000, max_bytes: 1_000_000, max_age: 3_600 * 1e9 });
  const found = await report({ maxMessageBytes: 100_000 });
  expect([found.ok, statuses(found)]).toEqual([
    true,
    { ...good, size: 'warning PAYLOAD_TOO_LARGE', parts: 'warning SCHEMA_MISMATCH' },
  ]);
  const { remedy = '' } = found.steps.find(({ name }) => name === 'durability') ?? {};
  for (const words of ['three replicas', 'discard what is new', 'Raise max_age']) expect(remedy).toContain(words);
});

test('a stream that takes no message of ours is no warning', async () => {
  await stream.update({ max_msg_size: 100 });
  const { ok, steps } = await report();
  const failed = steps.filter(({ status }) => status === 'failed').map(({ name, code }) => `${name} ${code}`);
  expect([ok, failed]).toEqual([false, expect.arrayContaining(['size PAYLOAD_TOO_LARGE'])]);
});

test('all that is wrong with the stream is told at once, and by an export, too', async () => {
  const spec: Partial<NatsSpec> = { minReplicas: 3, subjectPrefix: 'elsewhere' };
  const found = await report(spec);
  const { code, found: words = '' } = found.steps.find(({ status }) => status === 'failed') ?? {};
  expect([code, found.ok]).toEqual(['SCHEMA_MISMATCH', false]);
  expect(words).toMatch(/none of its subjects takes all of "elsewhere\.\*\.\*\.\*".*it has 1 replica/u);
  const sink = natsSinkOver({ stream, spec });
  sinks.push(sink);
  await expect(sink.export(await snapshotAt(0), limit())).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
});

test('a stream that is missing: an error, or what the first export makes', async () => {
  const missing = statuses(await report({ stream: 'missing' }));
  expect(missing).toMatchObject({ stream: 'failed NOT_FOUND', permission: 'skipped SKIPPED' });
  const name = `${stream.name}-made`;
  const spec: Partial<NatsSpec> = {
    stream: name,
    subjectPrefix: name,
    provisioning: 'create',
    newStream: { maxAge: '2h' },
  };
  const found = await report(spec);
  expect([found.ok, found.steps.find((step) => step.name === 'stream')?.found]).toEqual([
    true,
    expect.stringContaining('the first export makes it'),
  ]);
  const sink = natsSinkOver({ stream, spec });
  sinks.push(sink);
  await sink.open?.(limit());
  const { config } = await stream.manager.streams.info(name);
  expect(config).toMatchObject({
    subjects: [`${name}.>`],
    max_age: 7_200 * 1e9,
    storage: 'file',
    discard: 'new',
    allow_atomic: true,
    num_replicas: 1,
  });
  await stream.manager.streams.delete(name);
});
