import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import {
  createEgressPolicy,
  type ConnectionReport,
  type ConnectionStep,
  type DialOptions,
  type Egress,
} from '@kollect/core';
import type { KafkaSpec } from '@kollect/sink-kafka';
import { freePort } from '../servers/ports.ts';
import { readConfigs } from './broker.ts';
import { eachClient, limit, type TestSinkOptions } from './sink.ts';
import { testKafka } from '../support/kafka.ts';
import { useTopics } from './topics.ts';

const names = [
  'credentials',
  'resolve',
  'connect',
  'tls',
  'sasl',
  'metadata',
  'topic',
  'permission',
  'size',
  'durability',
  'cleanup',
  'messages',
] as const;
type StepName = (typeof names)[number];
const canary = 'canary-31ab';
const { listeners, users } = testKafka();

const stepOf = ({ steps }: ConnectionReport, name: StepName): ConnectionStep | undefined =>
  steps.find((step) => step.name === name);
const codesOf = ({ steps }: ConnectionReport): Record<string, string> =>
  Object.fromEntries(steps.flatMap(({ name, code }) => (code === 'OK' ? [] : [[name, code]])));
/** Replicas are what one broker has too few of. */
const oneBroker = { durability: 'UNAVAILABLE' };

describe.each(eachClient)('%s', (_, client) => {
  const topics = useTopics(client);

  /** The report, of a test that wrote nothing and changed nothing. */
  async function report(topic: string, options: Omit<TestSinkOptions, 'topic'> = {}): Promise<ConnectionReport> {
    const state = async () =>
      [await testKafka().endOffsets(topic), await readConfigs(topic)].map((each) =>
        each instanceof Map ? [...each] : each,
      );
    const before = await state();
    const found = await topics.open({ topic, ...options }).testConnection(limit());
    expect(await state()).toEqual(before);
    return found;
  }

  function expectWellFormed({ steps }: ConnectionReport): void {
    expect(steps.map(({ name }) => name)).toEqual(names);
    for (const step of steps) {
      expect(step).toEqual({ ...step, found: expect.stringMatching(/\.$/), durationMs: expect.any(Number) });
      if (step.status === 'failed' || step.status === 'warning') expect(step.remedy).toMatch(/\.$/);
      else expect(step.remedy).toBeUndefined();
    }
  }

  test('where all is well, every step passes and nothing is written', async () => {
    const topic = await topics.make({ partitions: 3 });
    const found = await report(topic);
    expectWellFormed(found);
    expect(found.ok).toBe(true);
    expect(codesOf(found)).toEqual(oneBroker);
    expect(stepOf(found, 'durability')).toMatchObject({
      status: 'warning',
      found:
        '1 replica of each partition, 1 in sync, min.insync.replicas 1, unclean.leader.election.enable false, acks all.',
      remedy: expect.stringContaining('three replicas'),
    });
    expect(stepOf(found, 'topic')?.found).toBe(`The topic "${topic}" has 3 partitions.`);
    expect(stepOf(found, 'permission')?.found).toBe(`The user may write to "${topic}".`);
    expect(stepOf(found, 'size')?.found).toBe(
      'max.message.bytes of the topic is 1048588, maxMessageBytes of the sink is 921600.',
    );
    expect(stepOf(found, 'cleanup')?.found).toBe('cleanup.policy is delete; retention.ms is 604800000.');
    expect(stepOf(found, 'messages')?.found).toBe(
      'message.timestamp.type is CreateTime, message.timestamp.before.max.ms 9223372036854775807, compression.type producer.',
    );
  });

  test.each<readonly [string, Readonly<Record<string, string>>, Partial<KafkaSpec>, StepName, string, RegExp, RegExp]>([
    [
      'a topic that takes less than the sink sends',
      { 'max.message.bytes': '2000' },
      { maxMessageBytes: 3_000, compression: 'none' },
      'size',
      'PAYLOAD_TOO_LARGE',
      /2000.*3000/,
      /lower maxMessageBytes to 2000 or less, or raise max\.message\.bytes of the topic to 3000 or more/,
    ],
    [
      'the same with compression',
      { 'max.message.bytes': '2000' },
      { maxMessageBytes: 3_000 },
      'size',
      'PAYLOAD_TOO_LARGE',
      /2000.*3000/,
      /that compression does not make small enough/,
    ],
    [
      'a compacted topic',
      { 'cleanup.policy': 'compact' },
      {},
      'cleanup',
      'PAYLOAD_TOO_LARGE',
      /cleanup\.policy is compact/,
      /921600 bytes will be refused/,
    ],
    [
      'a topic that is compacted and deleted from',
      { 'cleanup.policy': 'compact,delete' },
      {},
      'cleanup',
      'PAYLOAD_TOO_LARGE',
      /compact/,
      /cleanup\.policy delete/,
    ],
    [
      'more in-sync replicas than there are',
      { 'min.insync.replicas': '2' },
      {},
      'durability',
      'UNAVAILABLE',
      /^1 replica of each partition, .* min\.insync\.replicas 2, .* acks all\.$/,
      /Add replicas, or lower min\.insync\.replicas to 1/,
    ],
    [
      'times of arrival',
      { 'message.timestamp.type': 'LogAppendTime' },
      {},
      'messages',
      'SCHEMA_MISMATCH',
      /LogAppendTime/,
      /Set message\.timestamp\.type of the topic to CreateTime/,
    ],
    [
      'old times refused',
      { 'message.timestamp.before.max.ms': '60000' },
      {},
      'messages',
      'SCHEMA_MISMATCH',
      /before\.max\.ms 60000/,
      /Raise message\.timestamp\.before\.max\.ms of the topic from 60000/,
    ],
    [
      'a broker that compresses anew',
      { 'compression.type': 'gzip' },
      { compression: 'zstd' },
      'messages',
      'SCHEMA_MISMATCH',
      /compression\.type gzip/,
      /Set compression\.type of the topic to producer/,
    ],
    [
      'a short retention',
      { 'retention.ms': '3600000' },
      {},
      'cleanup',
      'SCHEMA_MISMATCH',
      /retention\.ms is 3600000/,
      /Raise retention\.ms of the topic from 3600000/,
    ],
    ['acks of the leader alone', {}, { acks: 'leader' }, 'durability', 'UNAVAILABLE', /acks leader/, /Set acks to all/],
  ])('%s is a warning with what to do', async (__, configs, spec, step, code, found, remedy) => {
    const topic = await topics.make({ configs });
    const result = await report(topic, { spec });
    expectWellFormed(result);
    expect(result.ok).toBe(true);
    expect(codesOf(result)).toEqual({ ...oneBroker, [step]: code });
    expect(stepOf(result, step)).toMatchObject({
      status: 'warning',
      found: expect.stringMatching(found),
      remedy: expect.stringMatching(remedy),
    });
  });

  test('a topic that is missing: told, and made by the first export alone', async () => {
    const topic = `missing-${randomBytes(6).toString('hex')}`;
    const existing = await topics.open({ topic }).testConnection(limit());
    expectWellFormed(existing);
    expect(existing.ok).toBe(false);
    const skipped = Object.fromEntries(names.slice(names.indexOf('permission')).map((name) => [name, 'SKIPPED']));
    expect(codesOf(existing)).toEqual({ topic: 'NOT_FOUND', ...skipped });
    expect(stepOf(existing, 'topic')).toMatchObject({
      found: `The topic "${topic}" does not exist.`,
      remedy: expect.stringContaining('topicProvisioning'),
    });

    const create = await topics.open({ topic, spec: { topicProvisioning: 'create' } }).testConnection(limit());
    expectWellFormed(create);
    expect(codesOf(create)).toEqual({});
    expect(stepOf(create, 'topic')?.found).toContain('the first export makes it');
    await expect(testKafka().partitionsOf(topic)).rejects.toThrow('Kafka has no topic');
  });

  test('a name that the first export could not make is refused at its step, as the settings of newTopic are', async () => {
    const other = await topics.make();
    const create = (topic: string, newTopic: NonNullable<KafkaSpec['newTopic']> = {}) =>
      topics.open({ topic, spec: { topicProvisioning: 'create', newTopic } }).testConnection(limit());
    const twin = other.replace('-', '.');
    expect((await create(other.replace('-', '_'))).ok).toBe(true);
    await testKafka().createTopic(twin);
    try {
      const found = await create(twin.replace('.', '_'));
      expect(codesOf(found)).toMatchObject({ topic: 'SPEC_INVALID' });
      expect(stepOf(found, 'topic')).toMatchObject({
        found: expect.stringContaining('The broker takes no topic of this name'),
        remedy: expect.stringContaining('differs from that of another topic in "." and "_" alone'),
      });
    } finally {
      await testKafka().deleteTopic(twin);
    }
    const missing = `missing-${randomBytes(6).toString('hex')}`;
    for (const newTopic of [{ replicationFactor: 3 }, { configs: { 'canary-setting': canary } }]) {
      const found = await create(missing, newTopic);
      expect(stepOf(found, 'topic')).toMatchObject({
        status: 'failed',
        code: 'SPEC_INVALID',
        remedy: expect.stringContaining('Correct spec.kafka.newTopic'),
      });
      expect(JSON.stringify(found)).not.toContain(canary);
    }
    await expect(testKafka().partitionsOf(missing)).rejects.toThrow('Kafka has no topic');
  });

  const skippedFrom = (name: StepName) =>
    Object.fromEntries(names.slice(names.indexOf(name)).map((each) => [each, 'SKIPPED']));

  test('one broker of two that answers is enough, and the other a warning', async () => {
    const topic = await topics.make();
    const dead = `127.0.0.1:${await freePort()}`;
    const found = await report(topic, { spec: { brokers: [dead, ...listeners.plaintext] } });
    expect(codesOf(found)).toEqual({ ...oneBroker, connect: 'UNAVAILABLE' });
    expect(stepOf(found, 'connect')?.found).toContain(dead);
    const none = await report(topic, { spec: { brokers: [dead] } });
    expectWellFormed(none);
    expect(codesOf(none)).toEqual({ connect: 'UNAVAILABLE', ...skippedFrom('tls') });
    expect(stepOf(none, 'connect')).toMatchObject({ status: 'failed', found: expect.stringContaining(dead) });
  });

  test('leaders at addresses that cannot be reached fail the metadata, with what to look at', async () => {
    const topic = await topics.make();
    const [listener = ''] = listeners.plaintext;
    const relay = createServer((near) => {
      const far = connect(Number(listener.split(':').at(-1)), '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => undefined);
    });
    await once(relay.listen(0, '127.0.0.1'), 'listening');
    const { port } = relay.address() as AddressInfo;
    const policy = createEgressPolicy();
    const closed = await freePort();
    // The network between this process and the address that the broker names of itself.
    const egress: Egress = {
      ...policy,
      for: () => egress,
      dial: (to: DialOptions) => policy.dial(to.port === port ? to : { ...to, port: closed }),
    };
    try {
      const found = await report(topic, { spec: { brokers: [`127.0.0.1:${port}`] }, egress });
      expect(codesOf(found)).toEqual({ metadata: 'UNAVAILABLE', ...skippedFrom('topic') });
      expect(stepOf(found, 'metadata')).toMatchObject({
        found: `Cannot connect to 127.0.0.1:${closed}: ECONNREFUSED.`,
        remedy: expect.stringContaining('advertised.listeners of the brokers'),
      });
    } finally {
      relay.close();
    }
  });

  test('a name that nobody knows fails at its step', async () => {
    const topic = await topics.make();
    const found = await report(topic, { spec: { brokers: ['kafka.invalid:9092'] } });
    expect(codesOf(found)).toEqual({ resolve: 'UNAVAILABLE', ...skippedFrom('connect') });
    expect(stepOf(found, 'resolve')?.found).toContain('kafka.invalid');
  });

  test.each<readonly [string, Omit<TestSinkOptions, 'topic'>, string, RegExp]>([
    [
      'no credentials',
      { spec: { tls: { mode: 'disable' }, sasl: { mechanism: 'plain' } } },
      'SPEC_INVALID',
      /lack username and password/,
    ],
    [
      'half of them',
      { spec: { tls: { mode: 'disable' }, sasl: { mechanism: 'plain' } }, credentials: { password: canary } },
      'SPEC_INVALID',
      /lack username/,
    ],
    [
      'those of another mechanism',
      {
        spec: { tls: { mode: 'disable' }, sasl: { mechanism: 'oauthbearer' } },
        credentials: { username: canary, password: canary },
      },
      'SPEC_INVALID',
      /"username", "password"/,
    ],
    ['credentials and no sasl', { credentials: { password: canary } }, 'SPEC_INVALID', /without spec\.kafka\.sasl/],
    [
      'a function that fails',
      {
        spec: { tls: { mode: 'disable' }, sasl: { mechanism: 'plain' } },
        credentials: () => Promise.reject(new Error(canary)),
      },
      'CREDENTIALS_UNAVAILABLE',
      /cannot be read/,
    ],
    [
      'a certificate without its key',
      { spec: { tls: {} }, tls: { cert: testKafka().clientCertificates.valid.cert } },
      'SPEC_INVALID',
      /without its key/,
    ],
    ['TLS material and no tls', { tls: { ca: testKafka().ca } }, 'SPEC_INVALID', /set tls: \{\}/],
  ])('%s: told at the first step, without a value, before anything is dialled', async (__, options, code, found) => {
    const topic = await topics.make();
    const result = await report(topic, options);
    expectWellFormed(result);
    expect(codesOf(result)).toEqual({ credentials: code, ...skippedFrom('resolve') });
    expect(stepOf(result, 'credentials')?.found).toMatch(found);
    expect(JSON.stringify(result)).not.toContain(canary);
  });

  test.each([
    ['plain', 'The password crosses'],
    ['scram-sha-256', 'What is published crosses'],
    ['oauthbearer', 'The token crosses'],
  ] as const)('a login with %s that is not encrypted is warned of', async (mechanism, words) => {
    const topic = await topics.make();
    const { username, password } = users.admin;
    const credentials = mechanism === 'oauthbearer' ? { token: canary } : { username, password };
    const found = await report(topic, {
      spec: { brokers: [...listeners.sasl], tls: { mode: 'disable' }, sasl: { mechanism } },
      credentials,
    });
    expect(stepOf(found, 'tls')).toMatchObject({
      status: 'warning',
      code: 'TLS_FAILED',
      remedy: expect.stringContaining(`${words} the network in the clear`),
    });
    expect(JSON.stringify(found)).not.toContain(mechanism === 'oauthbearer' ? canary : password);
  });

  test('a login that is encrypted tells the user and until when the certificate is valid', async () => {
    const topic = await topics.make();
    const { username, password } = users.admin;
    const found = await report(topic, {
      spec: { brokers: [...listeners.saslTls], tls: {}, sasl: { mechanism: 'plain' } },
      credentials: { username, password },
      tls: { ca: testKafka().ca },
    });
    expect(codesOf(found)).toEqual(oneBroker);
    expect(stepOf(found, 'credentials')?.found).toBe('Login: "admin", plain.');
    expect(stepOf(found, 'tls')?.found).toMatch(
      /^TLSv1\.[23]; the certificate of 127\.0\.0\.1:\d+ is valid until \d{4}-\d\d-\d\dT[\d:.]+Z\.$/,
    );
  });

  test('aborted or closed, it rejects; and a test that is over leaves the sink as it was', async () => {
    const topic = await topics.make();
    const sink = topics.open({ topic });
    await expect(sink.testConnection({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
      operation: 'test-connection',
    });
    await expect(sink.testConnection(limit())).resolves.toMatchObject({ ok: true });
    const running = sink.testConnection(limit());
    await sleep(0);
    await Promise.all([expect(running).rejects.toMatchObject({ code: 'ABORTED' }), sink.close()]);
    await expect(sink.testConnection(limit())).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
