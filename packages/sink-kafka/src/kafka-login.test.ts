import { describe, expect, test } from '@jest/globals';
import type { Credentials, TlsMaterial } from '@kollect/core';
import { checkedCredentials, checkedTls } from './kafka-login.ts';
import type { SaslMechanism } from './kafka-client.ts';

const secret = 'hunter2';
const sasl = (mechanism?: SaslMechanism) => (mechanism === undefined ? {} : { sasl: { mechanism } });

describe('credentials', () => {
  test.each<readonly [SaslMechanism | undefined, Credentials, Credentials]>([
    [undefined, {}, {}],
    ['plain', { username: 'u', password: ' p ' }, { username: 'u', password: ' p ' }],
    ['scram-sha-256', { username: 'u', password: secret, token: '' }, { username: 'u', password: secret }],
    ['oauthbearer', { token: secret, username: '' }, { token: secret }],
  ])('%s: accepted', (mechanism, credentials, expected) => {
    expect(checkedCredentials(sasl(mechanism), credentials)).toMatchObject(expected);
  });

  test.each<readonly [SaslMechanism | undefined, Credentials, RegExp]>([
    [undefined, { username: secret }, /hold "username"; without spec\.kafka\.sasl the sink reads none/],
    ['plain', {}, /lack username and password; with sasl\.mechanism plain the sink reads username and password/],
    ['plain', { username: 'u', password: '' }, /lack password/],
    [
      'scram-sha-512',
      { username: 'u', password: secret, token: secret },
      /hold "token"; with sasl\.mechanism scram-sha-512 the sink reads username and password/,
    ],
    ['scram-sha-512', { username: 'u\0', password: secret }, /username holds the character U\+0000/],
    ['plain', { username: `u,n=${secret}\n`, password: 'p' }, /username holds a line break/],
    ['oauthbearer', { token: `a\n${secret}` }, /token holds a line break/],
    ['oauthbearer', { password: secret }, /hold "password"; with sasl\.mechanism oauthbearer the sink reads token/],
  ])('%s %#: refused', (mechanism, credentials, message) => {
    expect(() => checkedCredentials(sasl(mechanism), credentials)).toThrow(
      expect.objectContaining({ code: 'SPEC_INVALID', sinkType: 'kafka', message: expect.stringMatching(message) }),
    );
    expect(() => checkedCredentials(sasl(mechanism), credentials)).toThrow(/^(?!.*hunter2)/s);
  });
});

describe('TLS material', () => {
  const on = { tls: { mode: 'verify-full' } } as const;

  test('is none without tls, and with mode disable', () => {
    expect(checkedTls({}, {})).toBeUndefined();
    expect(checkedTls({ tls: { mode: 'disable' } }, {})).toBeUndefined();
  });

  test('greets each broker by its own name', () => {
    expect(checkedTls(on, {})?.for('kafka-0.example')).toMatchObject({
      servername: 'kafka-0.example',
      rejectUnauthorized: true,
    });
    expect(checkedTls(on, {})?.for('10.0.0.1')).not.toHaveProperty('servername');
  });

  test.each<readonly [object, TlsMaterial, RegExp]>([
    [{}, { ca: 'CA' }, /holds TLS material \(ca\) and spec\.kafka\.tls is absent/],
    [
      { tls: { mode: 'disable' } },
      { ca: 'CA' },
      /holds TLS material \(ca\) and spec\.kafka\.tls is \{ mode: disable \}/,
    ],
    [on, { cert: 'C' }, /certificate without its key/],
    [on, { key: 'K' }, /key without its certificate/],
    [on, { cert: 'C', key: 'K' }, /cert of the connection holds no certificate/],
  ])('%j: %j is refused', (spec, material, message) => {
    expect(() => checkedTls(spec, material)).toThrow(message);
  });
});
