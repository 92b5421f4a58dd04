import { expect, test } from '@jest/globals';
import { credentialsFromSecret, type CredentialsFromSecretOptions } from './credentials-from-secret.ts';
import { sinkErrorOf } from './registry.fixture.ts';

const fieldsOf = (...names: readonly string[]) =>
  names.map((name) => ({ name, description: 'A field.', secret: true }));
const postgres = { type: 'postgres', credentialFields: fieldsOf('dsn', 'username', 'password', 'host', 'port') };
const kafka = { type: 'kafka', credentialFields: fieldsOf('username', 'password', 'token') };

/** As the API of Kubernetes gives it. */
const encoded = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));

const pem = (what: string): string => `-----BEGIN ${what}-----\nAA==\n-----END ${what}-----\n`;
const certificate = pem('CERTIFICATE');
const key = pem('PRIVATE KEY');

const cnpg = {
  username: 'app',
  user: 'app',
  password: 'p@ss/word',
  dbname: 'inventory',
  host: 'db-rw',
  port: '5432',
  pgpass: 'db-rw:5432:inventory:app:p@ss/word\n',
  uri: 'postgresql://app:p%40ss%2Fword@db-rw.shop:5432/inventory',
  'jdbc-uri': 'jdbc:postgresql://db-rw.shop:5432/inventory?password=p%40ss%2Fword&user=app',
};

test('a Secret of CloudNativePG is read', () => {
  expect(credentialsFromSecret(postgres, encoded(cnpg), { preset: 'cloudnative-pg' })).toEqual({
    credentials: { username: 'app', password: 'p@ss/word', host: 'db-rw', port: '5432' },
    tls: {},
  });
});

test('of a Secret of CloudNativePG the host that resolves in every namespace is taken', () => {
  const data = encoded({
    ...cnpg,
    'fqdn-uri': 'postgresql://app:p%40ss%2Fword@db-rw.shop.svc.cluster.local:5432/inventory',
  });
  const { credentials } = credentialsFromSecret(postgres, data, { preset: 'cloudnative-pg' });
  expect(credentials).toMatchObject({ host: 'db-rw.shop.svc.cluster.local', port: '5432' });
});

test('a Secret of the Zalando operator is read; it names no host', () => {
  const data = encoded({ username: 'app', password: 'x' });
  expect(credentialsFromSecret(postgres, data, { preset: 'zalando' }).credentials).toEqual({
    username: 'app',
    password: 'x',
  });
});

test('a Secret of a KafkaUser of Strimzi with a password is read; its user stands in the line for Java', () => {
  const line = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="my\\"user" password="x";';
  const data = encoded({ password: 'x', 'sasl.jaas.config': line });
  expect(credentialsFromSecret(kafka, data, { preset: 'strimzi-user' })).toEqual({
    credentials: { username: 'my"user', password: 'x' },
    tls: {},
  });
});

test('of a KafkaUser of Strimzi with a certificate the CA of the clients is left aside: it signs no broker', () => {
  const data = {
    ...encoded({ 'ca.crt': certificate, 'user.crt': certificate, 'user.key': key, 'user.password': 'x' }),
    'user.p12': Buffer.from([0xff, 0xfe, 0x00]).toString('base64'),
  };
  const user = credentialsFromSecret(kafka, data, { preset: 'strimzi-user' });
  expect(user).toEqual({ credentials: {}, tls: { cert: certificate, key } });
  const ca = credentialsFromSecret(kafka, encoded({ 'ca.crt': certificate }), { preset: 'strimzi-cluster-ca' });
  expect({ ...user.tls, ...ca.tls }).toEqual({ ca: certificate, cert: certificate, key });
});

test('a Secret of cert-manager is read; an empty CA counts as absent', () => {
  const data = encoded({ 'ca.crt': '', 'tls.crt': certificate, 'tls.key': key });
  expect(credentialsFromSecret(postgres, data, { preset: 'cert-manager' })).toEqual({
    credentials: {},
    tls: { cert: certificate, key },
  });
});

test('keys say what is read from where, from bytes and from decoded text alike', () => {
  const keys = { username: 'POSTGRES_USER', password: 'POSTGRES_PASSWORD', host: 'HOST', ca: 'root.crt' };
  const data = { POSTGRES_USER: 'app', POSTGRES_PASSWORD: Buffer.from('ünïcode'), HOST: '', 'root.crt': certificate };
  expect(credentialsFromSecret(postgres, data, { keys, encoding: 'utf8' })).toEqual({
    credentials: { username: 'app', password: 'ünïcode' },
    tls: { ca: certificate },
  });
});

test('a preset of another type of sink is refused with what it gives', () => {
  const error = sinkErrorOf(() => credentialsFromSecret(kafka, encoded(cnpg), { preset: 'cloudnative-pg' }));
  expect(error.message).toContain('gives host, port, which sinks of the type do not read; use another preset, or keys');
});

const geheim = encoded({ password: 'geheim' });

test.each<[string, object, CredentialsFromSecretOptions, string]>([
  [
    'what the preset needs is not there',
    geheim,
    { preset: 'cloudnative-pg' },
    'it lacks username and host, which the Secret <cluster>-app of CloudNativePG has',
  ],
  [
    'neither kind of login is there whole',
    encoded({ password: 'geheim', 'user.crt': certificate }),
    { preset: 'strimzi-user' },
    'it lacks sasl.jaas.config, or user.key, which',
  ],
  [
    'a key of the map is not there',
    geheim,
    { keys: { password: 'pass' } },
    'it lacks the key "pass", which is named for',
  ],
  ['the type reads no such field', geheim, { keys: { passwrod: 'password' } }, 'did you mean "password"?'],
  [
    'text that is no base64',
    { password: 'geheim!' },
    { keys: { password: 'password' } },
    'is not base64; give encoding',
  ],
  [
    'no text at all',
    { password: 4711 },
    { keys: { password: 'password' } },
    'the value of "password" is not text or bytes',
  ],
  [
    'bytes that are no UTF-8',
    { password: Buffer.from([0x67, 0xff]) },
    { keys: { password: 'password' } },
    'the value of "password" is not UTF-8 text',
  ],
  ['an unknown preset', geheim, { preset: 'cloudnativepg' as 'zalando' }, 'did you mean "cloudnative-pg"?'],
  ['no way to read it', geheim, {} as { preset: 'zalando' }, 'give one of the options preset and keys'],
  [
    'a typo in the options',
    geheim,
    { presett: 'zalando' } as unknown as { preset: 'zalando' },
    'did you mean "preset"?',
  ],
  ['no Secret', 'geheim' as unknown as object, { preset: 'zalando' }, 'expected its data as an object'],
])('what cannot be read is refused, and no value is shown: %s', (_, data, options, message) => {
  const read = () => credentialsFromSecret(postgres, data as Record<string, string>, options);
  const error = sinkErrorOf(read);
  expect(error.code).toBe('SPEC_INVALID');
  expect(error.message).toContain(message);
  expect(error.message).not.toMatch(/geheim|4711|p@ss/u);
});
