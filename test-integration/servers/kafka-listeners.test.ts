import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, type KafkaConfig } from 'kafkajs';
import { openTestTopic, testKafka, type TestKafka, type TestTopic } from '../support/kafka.ts';
import { unsecuredToken, type KafkaListener } from './index.ts';

type Login = NonNullable<KafkaConfig['sasl']>;

const kafka: TestKafka = testKafka();
const { admin, writer, outsider } = kafka.users;
const { ca, foreignCa } = kafka;
const { valid, expired, foreign } = kafka.clientCertificates;
const wrong = { ...admin, password: 'wrong' };
let topic: TestTopic;
let granted: TestTopic;

beforeAll(async () => {
  [topic, granted] = await Promise.all([openTestTopic(), openTestTopic({ prefix: kafka.writerPrefix })]);
});
afterAll(() => Promise.all([topic.drop(), granted.drop()]));

/** Sends one record; resolves to `sent`, or to what the client says of the refusal, its causes included. */
async function send(listener: KafkaListener, name: string, config: Pick<KafkaConfig, 'ssl' | 'sasl'>): Promise<string> {
  const client = new Kafka({
    brokers: [...kafka.listeners[listener]],
    ...config,
    retry: { retries: 0 },
    logCreator: () => () => undefined,
  });
  const producer = client.producer();
  try {
    await producer.connect();
    await producer.send({ topic: name, messages: [{ key: listener, value: name }] });
    return 'sent';
  } catch (error) {
    const texts: unknown[] = [];
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      texts.push(at.message, 'type' in at ? at.type : '', 'code' in at ? at.code : '');
    return texts.join(' ');
  } finally {
    await producer.disconnect();
  }
}

const mechanisms: readonly ((user: typeof admin) => Login)[] = [
  (user) => ({ mechanism: 'plain', ...user }),
  (user) => ({ mechanism: 'scram-sha-256', ...user }),
  (user) => ({ mechanism: 'scram-sha-512', ...user }),
];
const oauthbearer = (token: string): Login => ({
  mechanism: 'oauthbearer',
  oauthBearerProvider: async () => ({ value: token }),
});

describe.each([
  ['sasl', {}],
  ['saslTls', { ssl: { ca } }],
] as const)('the listener %s', (listener, base) => {
  test.each(mechanisms.map((login) => [login(admin).mechanism, login] as const))(
    'takes the password by %s and no other',
    async (_, login) => {
      expect(await send(listener, topic.name, { ...base, sasl: login(admin) })).toBe('sent');
      expect(await send(listener, topic.name, { ...base, sasl: login(wrong) })).toMatch(/authentication failed/iu);
    },
  );

  test('takes a token by oauthbearer, and none that is out of date', async () => {
    expect(await send(listener, topic.name, { ...base, sasl: oauthbearer(unsecuredToken(admin.username)) })).toBe(
      'sent',
    );
    const old = unsecuredToken(admin.username, { lifetimeSeconds: -120 });
    expect(await send(listener, topic.name, { ...base, sasl: oauthbearer(old) })).not.toBe('sent');
  });
});

describe('who may write what', () => {
  const login = (user: typeof admin): Login => ({ mechanism: 'scram-sha-256', ...user });
  test('the writer writes what begins with its prefix, and nothing else', async () => {
    expect(await send('sasl', granted.name, { sasl: login(writer) })).toBe('sent');
    expect(await send('sasl', topic.name, { sasl: login(writer) })).toMatch(/TOPIC_AUTHORIZATION_FAILED/u);
  });

  test('the outsider writes nothing until it is granted', async () => {
    expect(await send('sasl', topic.name, { sasl: login(outsider) })).toMatch(/TOPIC_AUTHORIZATION_FAILED/u);
    await kafka.grant({ principal: outsider.username, resource: 'topic', name: topic.name, operations: ['WRITE'] });
    expect(await send('sasl', topic.name, { sasl: login(outsider) })).toBe('sent');
  });
});

describe('TLS', () => {
  test.each([
    ['plaintext', {}, 'sent'],
    ['tls', { ca }, 'sent'],
    ['tls', { ca: foreignCa }, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|signature/u],
    ['expired', { ca }, /CERT_HAS_EXPIRED|expired/u],
    ['elsewhere', { ca }, /ERR_TLS_CERT_ALTNAME_INVALID|altnames/u],
    ['elsewhere', { ca, servername: 'elsewhere.example' }, 'sent'],
    ['mtls', { ca, ...valid }, 'sent'],
    ['mtls', { ca }, /alert|closed|ECONNRESET/iu],
    ['mtls', { ca, ...expired }, /alert|closed|ECONNRESET/iu],
    ['mtls', { ca, ...foreign }, /alert|closed|ECONNRESET/iu],
  ] as const)('%s with %#', async (listener, ssl, expected) => {
    const answer = await send(listener, topic.name, listener === 'plaintext' ? {} : { ssl });
    if (expected === 'sent') expect(answer).toBe('sent');
    else expect(answer).toMatch(expected);
  });
});
