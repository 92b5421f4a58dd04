import { describe, expect, test } from '@jest/globals';
import { sinkErrorCodes } from '../../contract/errors/errors.ts';
import { describeNetworkFault, networkFault, type NetworkFaultKind } from './network-fault.ts';

const failure = (fields: object): Error => Object.assign(new Error('private words'), fields);

describe('codes of sockets, names and TLS', () => {
  test.each<[string, NetworkFaultKind, string]>([
    ['ECONNREFUSED', 'refused', 'UNAVAILABLE'],
    ['ECONNRESET', 'lost', 'UNAVAILABLE'],
    ['EPIPE', 'lost', 'UNAVAILABLE'],
    ['UND_ERR_SOCKET', 'lost', 'UNAVAILABLE'],
    ['ENOTFOUND', 'unresolved', 'UNAVAILABLE'],
    ['EAI_AGAIN', 'unresolved', 'UNAVAILABLE'],
    ['EHOSTUNREACH', 'unreachable', 'UNAVAILABLE'],
    ['EPERM', 'unreachable', 'UNAVAILABLE'],
    ['ETIMEDOUT', 'timeout', 'TIMEOUT'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', 'TIMEOUT'],
    ['UND_ERR_HEADERS_OVERFLOW', 'protocol', 'BACKEND_ERROR'],
    ['HPE_HEADER_OVERFLOW', 'protocol', 'BACKEND_ERROR'],
    ['ABORT_ERR', 'aborted', 'ABORTED'],
    ['EMFILE', 'resources', 'OVERLOADED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'untrusted', 'TLS_FAILED'],
    ['CERT_HAS_EXPIRED', 'expired', 'TLS_FAILED'],
    ['CERT_NOT_YET_VALID', 'not-yet-valid', 'TLS_FAILED'],
    ['CERT_REVOKED', 'revoked', 'TLS_FAILED'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'other-name', 'TLS_FAILED'],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'own-certificate', 'TLS_FAILED'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'own-certificate', 'TLS_FAILED'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'own-certificate', 'TLS_FAILED'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'no-tls', 'TLS_FAILED'],
    ['ERR_SSL_NO_SHARED_CIPHER', 'tls', 'TLS_FAILED'],
    ['ERR_OSSL_PEM_NO_START_LINE', 'tls', 'TLS_FAILED'],
    ['EPROTO', 'tls', 'TLS_FAILED'],
    ['HPE_INVALID_CONSTANT', 'protocol', 'BACKEND_ERROR'],
  ])('%s is %s', (errorCode, kind, code) => {
    expect(networkFault(failure({ code: errorCode }))).toEqual({ kind, code, errorCode });
    const fault = describeNetworkFault({ kind, code: 'TLS_FAILED' }, { server: 'the broker', specPath: 'spec.kafka' });
    expect(`${fault.what}. ${fault.remedy ?? ''}`).toMatch(/^[A-Z].+\. (?:[A-Z].+\.)?$/);
  });

  test.each([undefined, null, 'ECONNRESET', 7, {}, failure({ code: 7 }), failure({ code: '23505' }), failure({})])(
    'nothing of theirs: %p',
    (thrown) => {
      expect(networkFault(thrown)).toBeUndefined();
    },
  );
});

test('the innermost error says it, and whom the socket was for', () => {
  const inner = failure({ code: 'ECONNREFUSED', address: '2001:db8::1', port: 443 });
  expect(networkFault(new TypeError('fetch failed', { cause: inner }))).toEqual({
    kind: 'refused',
    code: 'UNAVAILABLE',
    errorCode: 'ECONNREFUSED',
    peer: { host: '2001:db8::1', port: 443 },
  });
  expect(networkFault(failure({ code: 'ECONNRESET', cause: failure({ code: 'CERT_HAS_EXPIRED' }) }))).toMatchObject({
    kind: 'expired',
  });
  expect(networkFault(failure({ code: 'OTHER', errors: [failure({}), inner] }))).toMatchObject({ kind: 'refused' });
});

test.each([
  ['AbortError', 'ABORTED'],
  ['TimeoutError', 'TIMEOUT'],
])('%s by its name', (name, code) => {
  expect(networkFault(failure({ name }))).toMatchObject({ code });
});

test('errors that cause each other, and getters that throw', () => {
  const one = failure({});
  expect(networkFault(Object.assign(one, { cause: failure({ cause: one }) }))).toBeUndefined();
  const hostile = Object.defineProperty({}, 'code', {
    get: () => {
      throw new Error('x');
    },
  });
  expect(networkFault(failure({ cause: hostile }))).toBeUndefined();
  expect(
    networkFault(
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('x');
          },
        },
      ),
    ),
  ).toBeUndefined();
});

test('a remedy of the sink stands before that of core', () => {
  const words = { server: 'the broker', specPath: 'spec.kafka' };
  const fault = { kind: 'other-name', code: 'TLS_FAILED' } as const;
  expect(describeNetworkFault(fault, words).remedy).toContain('spec.kafka.tls.serverName');
  expect(describeNetworkFault(fault, { ...words, remedies: { 'other-name': 'Mine.' } }).remedy).toBe('Mine.');
  expect(sinkErrorCodes).toContain(describeNetworkFault(fault, words).code);
});
