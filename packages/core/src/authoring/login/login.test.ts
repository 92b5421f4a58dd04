import { expect, test } from '@jest/globals';
import type { Credentials } from '../../registry/sink-context.ts';
import { checkLogin, readLogin, type LoginForm } from './login.ts';

const forms: readonly LoginForm[] = [
  { name: 'dsn', needs: ['dsn'] },
  { name: 'fields', needs: ['host', 'username'], takes: ['password', 'port'] },
];
const file: LoginForm = { name: 'file', needs: ['file'], files: ['file'] };
const options = { sinkType: 'store', forms, tls: undefined };
const secret = 'hunter2';

test.each<[string, Credentials, string, Credentials]>([
  ['one form', { dsn: 'x' }, 'dsn', { dsn: 'x' }],
  ['the other', { host: 'h', username: 'u', port: '' }, 'fields', { host: 'h', username: 'u' }],
  [
    'spaces of a password',
    { host: 'h', username: 'u', password: ' p ' },
    'fields',
    { host: 'h', username: 'u', password: ' p ' },
  ],
])('%s', (_, credentials, form, fields) => {
  expect(checkLogin(credentials, {}, options)).toEqual({ form, fields, tls: undefined });
});

test.each<[string, Credentials, RegExp]>([
  ['nothing', {}, /lack host and username; the sink reads dsn, or host, username, password and port\.$/],
  ['half', { username: 'u', password: secret }, /lack host; /],
  ['both', { dsn: secret, username: 'u' }, /hold dsn and username, which do not go together: the sink reads/],
  ['an unknown field', { dsn: secret, user: 'u' }, /hold "user"; the sink reads/],
  [
    'an unknown field whose name is a secret',
    { dsn: 'x', [`${secret}!?`]: 'u' },
    /a field whose name of 9 characters is not shown/,
  ],
  [
    'U+0000',
    { host: 'h', username: `u\0database\0${secret}` },
    /The credentials: username holds the character U\+0000 at character 2/,
  ],
  ['a line break', { host: 'h', username: 'u', password: `${secret}\nx` }, /password holds a line break/],
  // The context cut the one that a mounted file ends in.
  ['a newline that is left', { dsn: `${secret}\n` }, /dsn holds a line break/],
  ['a lone surrogate', { dsn: `${secret}\ud800` }, /dsn holds the character U\+D800/],
])('%s is refused', (_, credentials, message) => {
  const check = () => checkLogin(credentials, {}, options);
  expect(check).toThrow(
    expect.objectContaining({ code: 'SPEC_INVALID', sinkType: 'store', message: expect.stringMatching(message) }),
  );
  expect(check).toThrow(/^(?!.*hunter2)/s);
});

test('a login without credentials', () => {
  const none = { ...options, forms: [{ name: 'none', needs: [] }], when: 'without spec.store.sasl' };
  expect(checkLogin({}, {}, none)).toMatchObject({ form: 'none', fields: {} });
  expect(() => checkLogin({ username: 'u' }, {}, none)).toThrow(
    'hold "username"; without spec.store.sasl the sink reads none.',
  );
});

test('the host is asked for both', async () => {
  const context = { credentials: async () => ({ dsn: 'x' }), tls: async () => ({ ca: secret }) };
  await expect(readLogin(context, options)).rejects.toMatchObject({
    message: expect.stringContaining('spec.store.tls is absent'),
  });
  await expect(readLogin({ ...context, tls: async () => ({}) }, options)).resolves.toMatchObject({ form: 'dsn' });
});

test('a field that is a file has lines, and no other control characters', () => {
  const lines = '-----BEGIN-----\r\n\tabc\n-----END-----\n';
  expect(checkLogin({ file: lines }, {}, { ...options, forms: [file] }).fields).toEqual({ file: lines });
  expect(() => checkLogin({ file: 'a\0b' }, {}, { ...options, forms: [file] })).toThrow(
    /file holds the character U\+0000/,
  );
});
