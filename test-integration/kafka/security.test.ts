import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SinkError, type ConnectionReport, type Credentials, type KollectSink, type TlsMaterial } from '@kollect/core';
import type { KafkaSpec } from '@kollect/sink-kafka';
import { unsecuredToken, type KafkaListener } from '../servers/kafka-connection.ts';
import { readTopicFast } from '../servers/kafka-fast-reader.ts';
import { eachClient, item, limit, snapshot } from './sink.ts';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';
import { notedLogger, type NotedLine } from '../support/noted-logger.ts';
import { useTopics } from './topics.ts';

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;
type Mechanism = (typeof mechanisms)[number];

/** In whatever is secret or belongs to a row. */
const canary = 'canary-5d1e77';
const { ca, foreignCa, clientCertificates, users, listeners, writerPrefix } = testKafka();

interface Setup {
  readonly listener: KafkaListener;
  readonly sasl?: Mechanism;
  readonly tls?: KafkaSpec['tls'];
  readonly credentials?: Credentials;
  readonly material?: TlsMaterial;
  readonly topic?: string;
}

const passwordOf = (user: keyof typeof users): Credentials => ({
  username: users[user].username,
  password: users[user].password,
});
const tokenOf = (user: keyof typeof users): Credentials => ({ token: unsecuredToken(users[user].username) });
const loginAs = (user: keyof typeof users, mechanism: Mechanism): Credentials =>
  mechanism === 'oauthbearer' ? tokenOf(user) : passwordOf(user);

/** What a login that shows its secret has to say. */
const inTheClear = { mode: 'disable' } as const;

/** Every way in that the broker has open. */
const right: Readonly<Record<string, Setup>> = {
  plaintext: { listener: 'plaintext' },
  ...Object.fromEntries(
    mechanisms.flatMap((sasl) => [
      [sasl, { listener: 'sasl', sasl, tls: inTheClear, credentials: loginAs('admin', sasl) }],
      [
        `${sasl} over TLS`,
        { listener: 'saslTls', sasl, tls: {}, material: { ca }, credentials: loginAs('admin', sasl) },
      ],
    ]),
  ),
  TLS: { listener: 'tls', tls: {}, material: { ca } },
  'TLS of another name, which the spec tells': {
    listener: 'elsewhere',
    tls: { serverName: 'elsewhere.example' },
    material: { ca },
  },
  'a client certificate': { listener: 'mtls', tls: {}, material: { ca, ...clientCertificates.valid } },
  'a user who may write to the topic and no more': {
    listener: 'saslTls',
    sasl: 'scram-sha-512',
    tls: {},
    material: { ca },
    credentials: passwordOf('writer'),
  },
};

interface Wrong extends Setup {
  readonly code: string;
  readonly retryable?: boolean;
  /** Of the connection test. */
  readonly step: string;
  /** What the error says to do. */
  readonly remedy: RegExp;
}

const refusedLogin = { code: 'AUTHENTICATION_FAILED', step: 'sasl', remedy: /Check the credentials/ } as const;
const wrongPassword = (mechanism: Mechanism, listener: 'sasl' | 'saslTls'): Wrong => ({
  listener,
  sasl: mechanism,
  ...(listener === 'saslTls' ? { tls: {}, material: { ca } } : { tls: inTheClear }),
  credentials:
    mechanism === 'oauthbearer'
      ? { token: unsecuredToken(users.admin.username, { lifetimeSeconds: -60 }) }
      : { username: users.admin.username, password: canary },
  ...refusedLogin,
});

/** What looks like a broker that went away; nothing tells it apart. */
const broken = {
  code: 'UNAVAILABLE',
  retryable: true,
  remedy: /Check that spec\.kafka\.tls and spec\.kafka\.sasl/,
} as const;
const untrusted = { code: 'TLS_FAILED', step: 'tls', remedy: /Give the CA to the connection of the sink/ } as const;
const wrong: Readonly<Record<string, Wrong>> = {
  ...Object.fromEntries(
    mechanisms.flatMap((mechanism) => [
      [`${mechanism}, wrong password or token`, wrongPassword(mechanism, 'sasl')],
      [`${mechanism} over TLS, wrong password or token`, wrongPassword(mechanism, 'saslTls')],
    ]),
  ),
  'an unknown user': {
    listener: 'sasl',
    sasl: 'scram-sha-256',
    credentials: { username: 'nobody', password: canary },
    ...refusedLogin,
  },
  'a token that is none': {
    listener: 'sasl',
    tls: inTheClear,
    sasl: 'oauthbearer',
    credentials: { token: canary },
    ...refusedLogin,
  },
  'a listener without the CA': { listener: 'tls', tls: {}, ...untrusted },
  'a listener of another CA': { listener: 'tls', tls: {}, material: { ca: foreignCa }, ...untrusted },
  'another CA, with a login': {
    listener: 'saslTls',
    tls: {},
    sasl: 'plain',
    material: { ca: foreignCa },
    credentials: { username: 'admin', password: canary },
    ...untrusted,
  },
  'a certificate of another name': {
    listener: 'elsewhere',
    tls: {},
    material: { ca },
    code: 'TLS_FAILED',
    step: 'tls',
    remedy: /set spec\.kafka\.tls\.serverName/,
  },
  'another name than the certificate has': {
    listener: 'tls',
    tls: { serverName: 'elsewhere.example' },
    material: { ca },
    code: 'TLS_FAILED',
    step: 'tls',
    remedy: /set spec\.kafka\.tls\.serverName/,
  },
  'a certificate that has expired': {
    listener: 'expired',
    tls: {},
    material: { ca },
    code: 'TLS_FAILED',
    step: 'tls',
    remedy: /Renew it/,
  },
  'no client certificate': {
    listener: 'mtls',
    tls: {},
    material: { ca },
    code: 'TLS_FAILED',
    step: 'tls',
    remedy: /client certificate/,
  },
  'a client certificate of another CA': {
    listener: 'mtls',
    tls: {},
    material: { ca, ...clientCertificates.foreign },
    code: 'TLS_FAILED',
    step: 'tls',
    remedy: /client certificate/,
  },
  'a client certificate that has expired': {
    listener: 'mtls',
    tls: {},
    material: { ca, ...clientCertificates.expired },
    code: 'TLS_FAILED',
    step: 'tls',
    remedy: /client certificate/,
  },
  'a plaintext client at a TLS port': {
    listener: 'tls',
    code: 'TLS_FAILED',
    step: 'sasl',
    remedy: /Set spec\.kafka\.tls, or name a plaintext listener/,
  },
  'a TLS client at a plaintext port': { listener: 'plaintext', tls: {}, material: { ca }, ...broken, step: 'tls' },
  'no login where one is asked for': { listener: 'sasl', ...broken, step: 'sasl' },
  'a login where none is asked for': {
    listener: 'plaintext',
    tls: inTheClear,
    sasl: 'plain',
    credentials: passwordOf('admin'),
    code: 'AUTHENTICATION_FAILED',
    step: 'sasl',
    remedy: /spec\.kafka\.sasl/,
  },
};

describe.each(eachClient)('%s', (_, client) => {
  const topics = useTopics(client);
  let topic: TestTopic;
  beforeAll(async () => {
    topic = await openTestTopic({ prefix: writerPrefix });
  });
  afterAll(() => topic.drop());

  let lines: NotedLine[] = [];
  beforeEach(() => {
    lines = [];
  });
  const open = ({ listener, sasl, tls, credentials, material, topic: name = topic.name }: Setup): KollectSink =>
    topics.open({
      topic: name,
      spec: {
        brokers: [...listeners[listener]],
        ...(sasl === undefined ? {} : { sasl: { mechanism: sasl } }),
        ...(tls === undefined ? {} : { tls }),
      },
      ...(credentials === undefined ? {} : { credentials }),
      ...(material === undefined ? {} : { tls: material }),
      logger: notedLogger((line) => lines.push(line)),
    });
  const secrets = (setup: Setup): readonly string[] => [
    canary,
    ...Object.entries({ ...setup.credentials, ...setup.material }).flatMap(([field, value]) =>
      field === 'username' || field === 'ca' ? [] : [value],
    ),
    'PRIVATE KEY',
  ];
  const expectSecretFree = (setup: Setup, ...shown: readonly unknown[]): void => {
    const text = shown
      .map((each) =>
        each instanceof Error
          ? `${JSON.stringify(each)} ${String(each.stack)} ${String(each.cause)}`
          : JSON.stringify(each),
      )
      .join('\n');
    for (const secret of secrets(setup)) expect(text).not.toContain(secret);
  };
  const rows = [item(canary, { [canary]: canary })];
  const failed = (report: ConnectionReport) => report.steps.filter(({ status }) => status === 'failed');

  test.each(Object.entries(right))('%s: exports, and the connection test passes', async (way, setup) => {
    const sink = open(setup);
    const { ok, steps } = await sink.testConnection(limit());
    expect({ ok, failed: steps.filter(({ status }) => status === 'failed') }).toEqual({ ok: true, failed: [] });
    const inventoryName = way.replaceAll(/\W/g, '-');
    await expect(sink.export(await snapshot(0, rows, { inventoryName }), limit())).resolves.toMatchObject({
      outcome: 'applied',
    });
    const records = await readTopicFast(testKafka(), topic.name, { client: 'platformatic' });
    expect(records.map(({ key }) => String(key))).toContain(`prod:team-a/${inventoryName}`);
    expectSecretFree(setup, steps, lines);
  });

  test.each(Object.entries(wrong))('%s: told apart, and at its step', async (__, setup) => {
    const { code, retryable = false, step, remedy } = setup;
    const sink = open(setup);
    const error = await sink.export(await snapshot(0, rows), limit()).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!SinkError.isInstance(error)) throw new Error(`Expected a SinkError, got ${String(error)}.`);
    expect([error.code, error.retryable, error.message]).toEqual([code, retryable, error.message]);
    expect(error.message).toContain(`exporting inventory prod:team-a/web to topic "${topic.name}"`);
    expect(error.message).toContain(String(listeners[setup.listener][0]));
    expect(error.message).toMatch(remedy);

    const report = await sink.testConnection(limit());
    expect(failed(report).map((each) => [each.name, each.code])).toEqual([[step, code]]);
    expect(failed(report)[0]?.remedy).toMatch(remedy);
    expect(failed(report)[0]?.found).toContain(String(listeners[setup.listener][0]));
    expect(report.ok).toBe(false);
    expectSecretFree(setup, error, report, lines);
  });

  describe('a user who lacks a permission', () => {
    const other = `other-${writerPrefix}`;
    const setup = (user: 'writer' | 'outsider', topicName: string): Setup => ({
      listener: 'sasl',
      sasl: 'scram-sha-256',
      credentials: passwordOf(user),
      topic: topicName,
    });

    test.each(['writer', 'outsider'] as const)('%s, on a topic of others', async (user) => {
      const foreign = await topics.make({ prefix: other });
      const sink = open(setup(user, foreign));
      const error = await sink.export(await snapshot(0, rows), limit()).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!SinkError.isInstance(error)) throw new Error(`Expected a SinkError, got ${String(error)}.`);
      expect([error.code, error.reason, error.retryable]).toEqual(['PERMISSION_DENIED', 'forbidden', false]);
      expect(error.message).toContain(`to topic "${foreign}"`);
      expect(error.message).toMatch(/Grant WRITE and DESCRIBE on the topic/);
      const report = await sink.testConnection(limit());
      expect(failed(report).map((each) => [each.name, each.code])).toEqual([['metadata', 'PERMISSION_DENIED']]);
      expect(failed(report)[0]?.remedy).toMatch(/Grant WRITE and DESCRIBE on the topic/);
      expectSecretFree(setup(user, foreign), error, report, lines);
      expect((await testKafka().endOffsets(foreign)).get(0)).toBe(0);
    });

    test('who may see the topic and not write to it is told so by the connection test', async () => {
      const readable = await topics.make({ prefix: other });
      await testKafka().grant({
        principal: users.outsider.username,
        resource: 'topic',
        name: readable,
        operations: ['DESCRIBE'],
      });
      const sink = open(setup('outsider', readable));
      const report = await sink.testConnection(limit());
      expect(failed(report).map((each) => [each.name, each.code])).toEqual([['permission', 'PERMISSION_DENIED']]);
      expect(failed(report)[0]?.found).toContain(`"${readable}"`);
      await expect(sink.export(await snapshot(0, rows), limit())).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        retryable: false,
      });
      expect((await testKafka().endOffsets(readable)).get(0)).toBe(0);
    });

    test('the right is granted later: the same sink goes on', async () => {
      const granted = await topics.make({ prefix: other });
      const sink = open(setup('outsider', granted));
      await expect(sink.export(await snapshot(0, rows), limit())).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      await testKafka().grant({
        principal: users.outsider.username,
        resource: 'topic',
        name: granted,
        operations: ['DESCRIBE', 'WRITE'],
      });
      await expect(sink.export(await snapshot(1, rows), limit())).resolves.toMatchObject({ outcome: 'applied' });
    });

    test('a transaction needs a right of its own', async () => {
      const sink = topics.open({
        topic: topic.name,
        spec: {
          brokers: [...listeners.sasl],
          tls: inTheClear,
          sasl: { mechanism: 'plain' },
          transactional: true,
          clientId: 'of-nobody',
          maxMessageBytes: 2_000,
        },
        credentials: passwordOf('writer'),
      });
      const error = await sink
        .export(
          await snapshot(
            0,
            Array.from({ length: 20 }, (__, index) => item(`web-${index}`)),
          ),
          limit(),
        )
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'PERMISSION_DENIED',
        retryable: false,
        message: expect.stringContaining('transactional ids that begin with spec.kafka.clientId'),
      });
      const [step] = failed(await sink.testConnection(limit()));
      expect(step).toMatchObject({
        name: 'permission',
        code: 'PERMISSION_DENIED',
        remedy: expect.stringContaining('transactional ids that begin with spec.kafka.clientId'),
      });
    });
  });

  test.each(['scram-sha-512', 'oauthbearer'] as const)(
    '%s: rotated credentials arrive at the same sink',
    async (mechanism) => {
      const stale: Credentials =
        mechanism === 'oauthbearer' ? { token: canary } : { username: users.admin.username, password: canary };
      const asked: Credentials[] = [];
      let current = stale;
      const sink = topics.open({
        topic: topic.name,
        spec: { brokers: [...listeners.sasl], tls: inTheClear, sasl: { mechanism } },
        credentials: () => {
          asked.push(current);
          return current;
        },
      });
      await expect(sink.export(await snapshot(0, rows), limit())).rejects.toMatchObject({
        code: 'AUTHENTICATION_FAILED',
        retryable: false,
      });
      current = loginAs('admin', mechanism);
      await expect(sink.export(await snapshot(1, rows), limit())).resolves.toMatchObject({ outcome: 'applied' });
      expect(new Set(asked)).toEqual(new Set([stale, current]));
    },
  );
});
