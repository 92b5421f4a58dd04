import { expect, test } from '@jest/globals';
import { natsError } from './nats-errors.ts';
import { failureSaid, jetStreamFailure, natsFailure, type NatsFailureKind } from './wire/failure.ts';

test.each<[NatsFailureKind, string, boolean]>([
  ['authorization', 'AUTHENTICATION_FAILED', false],
  ['login-expired', 'AUTHENTICATION_FAILED', false],
  ['denied-publish', 'PERMISSION_DENIED', false],
  ['denied-subscribe', 'PERMISSION_DENIED', false],
  ['no-nats', 'BACKEND_ERROR', false],
  ['huge-answer', 'BACKEND_ERROR', false],
  ['no-headers', 'BACKEND_ERROR', false],
  ['needs-tls', 'TLS_FAILED', false],
  ['no-tls', 'TLS_FAILED', false],
  ['no-responders', 'UNAVAILABLE', true],
  ['too-many-connections', 'OVERLOADED', true],
  ['stale', 'UNAVAILABLE', true],
  ['payload', 'PAYLOAD_TOO_LARGE', false],
  ['timeout', 'TIMEOUT', true],
  ['lost', 'UNAVAILABLE', true],
  ['other', 'BACKEND_ERROR', false],
])('the connection: %s is %s', (kind, code, retryable) => {
  expect(natsError(natsFailure(kind))).toMatchObject({ code, retryable, sinkType: 'nats' });
});

test.each<[number, string]>([
  [10002, 'OVERLOADED'],
  [10008, 'UNAVAILABLE'],
  [10009, 'UNAVAILABLE'],
  [10023, 'OVERLOADED'],
  [10028, 'OVERLOADED'],
  [10039, 'NOT_FOUND'],
  [10047, 'OVERLOADED'],
  [10052, 'SPEC_INVALID'],
  [10054, 'PAYLOAD_TOO_LARGE'],
  [10058, 'SCHEMA_MISMATCH'],
  [10059, 'NOT_FOUND'],
  [10060, 'SCHEMA_MISMATCH'],
  [10065, 'SCHEMA_MISMATCH'],
  [10071, 'UNAVAILABLE'],
  [10074, 'SPEC_INVALID'],
  [10076, 'NOT_FOUND'],
  [10077, 'OVERLOADED'],
  [10097, 'PAYLOAD_TOO_LARGE'],
  [10109, 'SCHEMA_MISMATCH'],
  [10111, 'SCHEMA_MISMATCH'],
  [10164, 'UNAVAILABLE'],
  [10174, 'SCHEMA_MISMATCH'],
  [10199, 'PAYLOAD_TOO_LARGE'],
  [10201, 'UNAVAILABLE'],
  [10210, 'OVERLOADED'],
  [12345, 'BACKEND_ERROR'],
])('JetStream: %d is %s', (number, code) => {
  const error = natsError(jetStreamFailure(number), { operation: 'export', doing: 'exporting' });
  expect(error).toMatchObject({ code, operation: 'export' });
  expect(error.message).toContain(`JetStream error ${number}`);
});

test.each<[string, NatsFailureKind]>([
  ['Authorization Violation', 'authorization'],
  ['Authentication Timeout', 'authorization'],
  ['User Authentication Expired', 'login-expired'],
  ['Account Authentication Expired', 'login-expired'],
  ['User Authentication Revoked', 'login-expired'],
  ['Permissions Violation for Publish to "a.b"', 'denied-publish'],
  ['Permissions Violation for Subscription to "_INBOX.x.*"', 'denied-subscribe'],
  ['maximum connections exceeded', 'too-many-connections'],
  ['maximum account active connections exceeded', 'too-many-connections'],
  ['Maximum Payload Violation', 'payload'],
  ['Stale Connection', 'stale'],
  ['Secure Connection - TLS Required', 'needs-tls'],
  ['Slow Consumer', 'lost'],
  ['something new', 'other'],
])("-ERR '%s' is %s", (text, kind) => {
  expect(failureSaid(text)).toBe(kind);
});

test.each(['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'CERT_HAS_EXPIRED'])(
  '%s keeps nothing of the original',
  (code) => {
    const error = natsError(Object.assign(new Error('hunter2 at 10.0.0.1'), { code }));
    expect(['UNAVAILABLE', 'TLS_FAILED']).toContain(error.code);
    expect(JSON.stringify({ ...error.toJSON(), cause: error.cause })).not.toContain('hunter2');
  },
);
