import { describe, expect, test } from '@jest/globals';
import type { Credentials, TlsMaterial } from '@kollect/core';
import { checkedCredentials, checkedTls } from './kafka-login.ts';
import type { SaslMechanism } from './kafka-client.ts';

const secret = 'hunter2';
const sasl = (mechanism?: SaslMechanism) => (mechanism === undefined ? {} : { sasl: { mechanism } });

describe('credentials', () => {
  test.each<readonly [SaslMechanism | undefined, Credentials, Credentials]>([
    [undefined, {}, {}],
    ['plain', { username: 'u', password: ' p\n' }, { username: 'u', password: ' p\n' }],
    ['scram-sha-256', { username: 'u', password: secret, token: '' }, { username: 'u', password: secret }],
    ['oauthbearer', { token: `${secret}\n` }, { token: secret }],
  ])('%s: accepted', (mechanism, credentials, expected) => {
    expect(checkedCredentials(sasl(mechanism), credentials)).toMatchObject(expected);
  });

  test.each<readonly [SaslMechanism | undefined, Credentials, RegExp]>([
    [undefined, { username: secret }, /hold "username"; without spec\.kafka\.sasl the sink reads none/],
    ['plain', {}, /lack username and password, which sasl\.mechanism plain needs/],
    ['plain', { username: 'u', password: '' }, /lack password/],
    [
      'scram-sha-512',
      { username: 'u', password: secret, token: secret },
      /hold "token"; with sasl\.mechanism scram-sha-512 the sink reads username and password/,
    ],
    ['oauthbearer', { password: secret }, /hold "password"; with sasl\.mechanism oauthbearer the sink reads token/],
  ])('%s %#: refused', (mechanism, credentials, message) => {
    expect(() => checkedCredentials(sasl(mechanism), credentials)).toThrow(
      expect.objectContaining({ code: 'SPEC_INVALID', sinkType: 'kafka', message: expect.stringMatching(message) }),
    );
    expect(() => checkedCredentials(sasl(mechanism), credentials)).toThrow(/^(?!.*hunter2)/s);
  });
});

describe('TLS material', () => {
  test.each<readonly [boolean, TlsMaterial]>([
    [false, {}],
    [true, {}],
    [true, { ca: 'CA' }],
    [true, { cert: 'C', key: 'K' }],
  ])('tls %s: %j is accepted', (on, material) => {
    expect(checkedTls(on ? { tls: {} } : {}, material)).toBe(material);
  });

  test.each<readonly [boolean, TlsMaterial, RegExp]>([
    [false, { ca: 'CA' }, /holds TLS material \(ca\) and spec\.kafka\.tls is absent/],
    [true, { cert: 'C' }, /certificate without its key/],
    [true, { key: 'K' }, /key without its certificate/],
  ])('tls %s: %j is refused', (on, material, message) => {
    expect(() => checkedTls(on ? { tls: {} } : {}, material)).toThrow(message);
  });
});
