import { expect, test } from '@jest/globals';
import { createUser, fromPublic } from '@nats-io/nkeys';
import { checkNatsLogin } from './nats-login.ts';

const user = createUser();
const seed = Buffer.from(user.getSeed()).toString();
const jwt = 'eyJ0eXAi.eyJqdGki.c2ln';
const nonce = 'a-nonce';
const creds = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n
************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.

-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n
*************************************************************\n`;

test.each([
  ['creds', { creds }, { jwt, nkey: user.getPublicKey() }],
  ['creds', { creds: creds.replaceAll('\n', '\r\n') }, { jwt, nkey: user.getPublicKey() }],
  ['nkey', { nkey: seed }, { nkey: user.getPublicKey() }],
  ['jwt', { jwt, seed }, { jwt, nkey: user.getPublicKey() }],
])('%s signs the nonce', (form, credentials, who) => {
  const login = checkNatsLogin({}, credentials, {});
  const { sig = '', ...rest } = login.fields(nonce);
  expect({ form: login.form, rest }).toEqual({ form, rest: who });
  expect(fromPublic(user.getPublicKey()).verify(Buffer.from(nonce), Buffer.from(sig, 'base64url'))).toBe(true);
  expect(login.fields(undefined)).toEqual(who);
});

test.each([
  ['token', { token: 't' }, { auth_token: 't' }],
  ['password', { username: 'u', password: 'p' }, { user: 'u', pass: 'p' }],
  ['none', {}, {}],
])('%s', (form, credentials, fields) => {
  const login = checkNatsLogin({}, credentials, {});
  expect({ form: login.form, fields: login.fields(nonce) }).toEqual({ form, fields });
});

test.each([
  ['a creds file without a seed', { creds: `-----BEGIN-----\n${jwt}\n-----END-----\n` }, /creds cannot be read/],
  ['a seed that is none', { nkey: 'hunter2' }, /nkey cannot be read/],
  ['a JWT without its seed', { jwt: 'hunter2' }, /lack seed/],
  ['two logins', { token: 'hunter2', username: 'u', password: 'hunter2' }, /do not go together/],
  ['a token of two lines', { token: 'hunter2\nb' }, /token holds a line break/],
])('%s', (_, credentials, message) => {
  expect(() => checkNatsLogin({}, credentials, {})).toThrow(message);
  expect(() => checkNatsLogin({}, credentials, {})).not.toThrow(/hunter2/);
});
