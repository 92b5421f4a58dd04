import { expect, test } from '@jest/globals';
import { holdsSecret, looksSecret } from './secrets.ts';
import { showFieldName, showText, showValue } from './show-value.ts';

test.each([
  ['plain', '"plain"'],
  ['postgres://app:geheim@db:5432/x', '"postgres://***@db:5432/…"'],
  ['postgres://app:ge/he@im@db/x', '"postgres://***@db/…"'],
  ['https://geheim@git.example/x', '"https://***@git.example/…"'],
  ['app:geheim@db:5432', '"***@db:5432"'],
  ['postgres://geheim:geheim@', '"postgres://***@"'],
  ['person@example.com', '"person@example.com"'],
  ['x'.repeat(90), `"${'x'.repeat(80)}…"`],
  [`${'x'.repeat(79)}😀`, `"${'x'.repeat(79)}…"`],
  ['app:geheim@db/x?next=http://a.example', '"***@db/x?next=http://a.example"'],
  ['https://hooks.example/services/geheim', '"https://hooks.example/…"'],
  ['jdbc:postgresql://db/x', '"jdbc:postgresql://db/x"'],
  [`postgres://${'geheim'.repeat(20)}@db`, '"postgres://***@db"'],
  ['line\nbreak\u0000', String.raw`"line\nbreak\u0000"`],
])('%j is shown as %s', (text, shown) => {
  expect(showText(text)).toBe(shown);
});

test.each([
  'host=db password=geheim',
  'postgres://db/x?sslpassword=geheim',
  '-----BEGIN PRIVATE KEY-----\ngeheim',
  'api_key = geheim',
  'db:5432?password=geheim',
  '{"password": "geheim"}',
  'org.apache.kafka.common.security.plain.PlainLoginModule required user="app" pass="geheim";',
  'Bearer geheim.geheim',
  'postgres%3A%2F%2Fapp%3Ageheim%40db',
  'ghp_geheimgeheimgeheimgeheim',
])('%j is not shown', (text) => {
  expect(showText(text)).not.toContain('geheim');
});

test.each([
  'password',
  'dbPassword',
  'PGPASSWORD',
  'dsn',
  'apiKey',
  'api_key',
  'bearer-token',
  'clientSecret',
  'credentials',
  'tls.key',
])('%s looks secret', (name) => {
  expect(looksSecret(name)).toBe(true);
});

test.each(['table', 'keyboard', 'passive', 'monkey', 'mode'])('%s does not look secret', (name) => {
  expect(looksSecret(name)).toBe(false);
});

test.each([
  [undefined, 'nothing'],
  [null, 'null'],
  [[1, 2], 'an array of 2'],
  [{ a: 'geheim' }, 'an object'],
  ['', 'an empty string'],
  ['a', 'the string "a"'],
  [5, 'the number 5'],
  [false, 'the boolean false'],
  [5n, 'a bigint'],
])('%p is described as %s', (value, shown) => {
  expect(showValue(value, { secret: false })).toBe(shown);
});

test('a text that is too long to look for secrets in is not shown', () => {
  expect(showText('x'.repeat(2_049))).toBe('text of 2049 characters that is not shown');
  expect(showText('x'.repeat(2_048))).toBe(`"${'x'.repeat(80)}…"`);
});

test('a text of nothing but beginnings of secrets takes no square of its length', () => {
  // Half a million of them: what looks at each to the end of the text is not done within the time of a test.
  expect(holdsSecret('://a:'.repeat(500_000))).toBe(false);
  expect(holdsSecret('-eyJaaaaaaaaaaaa'.repeat(100_000))).toBe(false);
});

test.each(['geheim', 4711])('a secret %p is never shown', (value) => {
  expect(showValue(value, { secret: true })).toBe(`a ${typeof value} that is not shown because it may be a secret`);
});

test.each(['password', 'user-name', 'saslJaasConfig', 'ca.crt', 'DB_HOST'])('the field name %s is shown', (name) => {
  expect(showFieldName(name)).toBe(JSON.stringify(name));
});

test.each(['geheim', 'hunter2', 'pass\nword', ''])('the field name %j is not shown', (name) => {
  expect(showFieldName(name)).toBe(
    `a field whose name of ${String(name.length)} characters is not shown because it may be a secret`,
  );
});

test.each([
  'postgres://app:geheim@db/x',
  'redis://:geheim@cache',
  'host=db password=geheim',
  '-----BEGIN RSA PRIVATE KEY-----',
  'x.ScramLoginModule required username="a"',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc',
  'first://host, then https://app:ge:heim@db',
  '"x://a":"y://b:geheim@c"',
  'x://a:b y://:c@d',
])('%j holds a secret', (text) => {
  expect(holdsSecret(text)).toBe(true);
});

test.each([
  'ssh://git@github.example/x',
  'x://a: b@c',
  'x://a:@b',
  'x://a:b y@c',
  'git@github.example:org/x',
  'key={cluster}/{name}',
  'urn:a:b@v1',
  'inventory',
  'tokens',
])('%j holds none for certain', (text) => {
  expect(holdsSecret(text)).toBe(false);
});
