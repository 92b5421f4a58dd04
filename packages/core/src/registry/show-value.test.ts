import { expect, test } from '@jest/globals';
import { looksSecret, showText, showValue } from './show-value.ts';

test.each([
  ['plain', '"plain"'],
  ['postgres://app:geheim@db:5432/x', '"postgres://***@db:5432/x"'],
  ['postgres://app:ge/he@im@db/x', '"postgres://***@db/x"'],
  ['https://geheim@git.example/x', '"https://***@git.example/x"'],
  ['app:geheim@db:5432', '"***@db:5432"'],
  ['postgres://geheim:geheim@', '"postgres://***@"'],
  ['person@example.com', '"person@example.com"'],
  ['x'.repeat(70), `"${'x'.repeat(60)}…"`],
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

test.each(['geheim', 4711])('a secret %p is never shown', (value) => {
  expect(showValue(value, { secret: true })).toBe(`a ${typeof value} that is not shown because it may be a secret`);
});
