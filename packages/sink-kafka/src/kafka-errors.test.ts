import { describe, expect, test } from '@jest/globals';
import { SinkError, type SinkErrorCode } from '@kollect/core';
import { kafkaError, protocolCodeIn } from './kafka-errors.ts';

/** Every code of Kafka's protocol, and what it means for an export. */
const byCode: Partial<Readonly<Record<SinkErrorCode, readonly number[]>>> = {
  UNAVAILABLE: [
    2, 5, 6, 8, 9, 11, 13, 14, 15, 16, 19, 20, 36, 41, 45, 46, 47, 48, 49, 51, 52, 56, 57, 59, 72, 74, 75, 77, 78, 80,
    83, 90, 105, 108, 120,
  ],
  TIMEOUT: [7],
  PAYLOAD_TOO_LARGE: [10, 18],
  SPEC_INVALID: [17, 21, 37, 38, 39, 40, 44, 50, 76],
  PERMISSION_DENIED: [29, 30, 31, 53, 65],
  SNAPSHOT_INVALID: [32],
  AUTHENTICATION_FAILED: [33, 34, 58, 61, 62, 63, 64, 66, 67, 93, 97],
  SCHEMA_MISMATCH: [43, 87],
  OVERLOADED: [89],
  NOT_FOUND: [3, 100, 103],
  // Of consumers, of administration, of the brokers among themselves: a producer never meets them.
  BACKEND_ERROR: [
    1, 4, 12, 22, 23, 24, 25, 26, 27, 28, 35, 42, 54, 55, 60, 68, 69, 70, 71, 73, 79, 81, 82, 84, 85, 86, 88, 91, 92,
    94, 95, 96, 98, 99, 101, 102, 104, 106, 107, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 121, 122, 123,
    124, 125, 126, 127, 128, 129, 130, 131, 132, 133,
  ],
};
const allCodes = Object.entries(byCode).flatMap(([code, numbers]) =>
  numbers.map((number) => [number, code as SinkErrorCode] as const),
);
const retryable: ReadonlySet<SinkErrorCode> = new Set(['UNAVAILABLE', 'TIMEOUT', 'OVERLOADED']);
const topicIsBack: ReadonlySet<number> = new Set([100, 103]);

type Case = Readonly<Record<string, unknown>>;
const failure = (fields: Case): Error => Object.assign(new Error('private words'), fields);
const kafkajsProtocol = (code: number): Error =>
  failure({ name: 'KafkaJSProtocolError', type: 'SOME_TYPE', code, retriable: false });
const exceeded = (cause: Error): Error =>
  failure({ name: 'KafkaJSNumberOfRetriesExceeded', retriable: false, cause, message: cause.message });

describe('the codes of brokers', () => {
  test('none is left out, none is there twice', () => {
    expect(allCodes.map(([number]) => number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 133 }, (_, index) => index + 1),
    );
  });

  test.each(allCodes)('%i is %s', (number, code) => {
    const expected = { code, sinkType: 'kafka', retryable: retryable.has(code) || topicIsBack.has(number) };
    expect(kafkaError(kafkajsProtocol(number))).toMatchObject(expected);
    expect(kafkaError(kafkajsProtocol(number)).message).toContain(`(Kafka error ${number}, SOME_TYPE)`);
    // The other client, in what it wraps such an error in.
    const plt = failure({ code: 'PLT_KFK_PROTOCOL', apiId: 'SOME_ID', apiCode: number, canRetry: true });
    const response = failure({ code: 'PLT_KFK_RESPONSE', errors: [plt] });
    const multiple = failure({ code: 'PLT_KFK_MULTIPLE', errors: [failure({ code: 'PLT_KFK_NETWORK' }), response] });
    expect(kafkaError(multiple)).toMatchObject(expected);
    expect(protocolCodeIn(multiple)).toBe(number);
  });

  test.each([-1, -99])('%i, an error without a better word, may pass', (code) => {
    expect(kafkaError(kafkajsProtocol(code))).toMatchObject({ code: 'BACKEND_ERROR', retryable: true });
  });

  test('the wrapper of kafkajs says "not retriable" of what passes', () => {
    expect(kafkaError(exceeded(kafkajsProtocol(6)))).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(
      kafkaError(
        failure({
          name: 'KafkaJSNonRetriableError',
          cause: failure({ name: 'KafkaJSConnectionError', code: 'ECONNREFUSED' }),
        }),
      ),
    ).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
  });

  test('how long the broker asked to wait is kept', () => {
    const throttled = failure({
      code: 'PLT_KFK_RESPONSE',
      response: { throttleTimeMs: 1_500 },
      errors: [failure({ apiCode: 89, apiId: 'THROTTLING_QUOTA_EXCEEDED' })],
    });
    expect(kafkaError(throttled)).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_500 });
  });
});

describe('sockets, TLS and clients', () => {
  test.each<readonly [SinkErrorCode, Case]>([
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].map(
      (code) => ['UNAVAILABLE', { name: 'KafkaJSConnectionError', code }] as const,
    ),
    ['TIMEOUT', { code: 'ETIMEDOUT' }],
    ['TIMEOUT', { name: 'KafkaJSRequestTimeoutError' }],
    ['TIMEOUT', { name: 'KafkaJSLockTimeout' }],
    ['TIMEOUT', { name: 'KafkaJSConnectionError', message: 'Connection timeout' }],
    ['TIMEOUT', { name: 'Error', code: 'PLT_KFK_NETWORK', message: 'Request timed out' }],
    ['UNAVAILABLE', { name: 'KafkaJSConnectionClosedError', message: 'Closed connection' }],
    ['UNAVAILABLE', { name: 'KafkaJSConnectionError', message: 'Not connected' }],
    ['UNAVAILABLE', { name: 'KafkaJSBrokerNotFound' }],
    ['UNAVAILABLE', { name: 'KafkaJSMetadataNotLoaded' }],
    ['UNAVAILABLE', { code: 'PLT_KFK_NETWORK', message: 'Connection closed' }],
    ['OVERLOADED', { code: 'EMFILE' }],
    ['AUTHENTICATION_FAILED', { name: 'KafkaJSSASLAuthenticationError' }],
    ['AUTHENTICATION_FAILED', { code: 'PLT_KFK_AUTHENTICATION' }],
    ['SPEC_INVALID', { name: 'KafkaJSNotImplemented' }],
    ['SPEC_INVALID', { code: 'PLT_KFK_UNSUPPORTED_COMPRESSION' }],
    ['BACKEND_ERROR', { code: 'PLT_KFK_UNSUPPORTED_API' }],
    ['BACKEND_ERROR', { name: 'KafkaJSServerDoesNotSupportApiKey' }],
    ['CONTRACT_VIOLATION', { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }],
    ['CONTRACT_VIOLATION', { code: 'PLT_KFK_USER' }],
    ...[
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'CERT_HAS_EXPIRED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_OSSL_PEM_NO_START_LINE',
      'EPROTO',
    ].map((code) => ['TLS_FAILED', { name: 'KafkaJSConnectionError', code, retriable: true }] as const),
    ['ABORTED', { name: 'AbortError' }],
    ['UNAVAILABLE', { message: 'something new' }],
  ])('%s: %j', (code, fields) => {
    expect(kafkaError(exceeded(failure(fields)))).toMatchObject({ code });
    expect(kafkaError(failure({ code: 'PLT_KFK_MULTIPLE', errors: [failure(fields)] }))).toMatchObject({ code });
  });

  test.each([undefined, null, 'text', 7, {}])('what is no error at all: %j', (thrown) => {
    expect(kafkaError(thrown)).toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('errors that cause each other', () => {
    const one = failure({});
    const other = failure({ cause: one });
    expect(kafkaError(Object.assign(one, { cause: other }))).toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('what is told', () => {
  test('no message of a client: kafkajs quotes key and headers', () => {
    const error = kafkaError(
      failure({
        name: 'KafkaJSNonRetriableError',
        message: 'Invalid message without value for topic "t": {"key":"row-data"}',
      }),
      { doing: 'exporting' },
    );
    expect(`${error.stack ?? ''}${JSON.stringify(error)}`).not.toContain('row-data');
    expect(error.cause).toBeUndefined();
  });

  test('what was being done, the code, and what to do', () => {
    const { message, operation } = kafkaError(kafkajsProtocol(29), {
      operation: 'export',
      doing: 'exporting inventory team-a/web to topic "inventory"',
    });
    expect(message).toBe(
      'The user may not write to the topic, or not see it while exporting inventory team-a/web to topic "inventory" (Kafka error 29, SOME_TYPE). ' +
        'Grant WRITE and DESCRIBE on the topic; topicProvisioning create needs CREATE, too.',
    );
    expect(operation).toBe('export');
  });

  test('the broker that failed is named, which need not be one of the spec', () => {
    const refused = { code: 'ECONNREFUSED', address: '10.0.0.7', port: 9092 };
    const named = failure({ name: 'KafkaJSConnectionError', broker: 'kafka-2.inside:9092', ...refused });
    expect(kafkaError(exceeded(named), { doing: 'exporting' }).message).toBe(
      'Nothing answers at the address of the broker while exporting (ECONNREFUSED, at kafka-2.inside:9092). Check spec.kafka.brokers and, for an ' +
        'address that is not among them, advertised.listeners of the brokers; that the brokers run and let this process in.',
    );
    const plt = failure({ code: 'PLT_KFK_NETWORK', broker: '[::1]:9092', cause: failure(refused) });
    const other = failure({ code: 'PLT_KFK_NETWORK', message: 'Connection closed' });
    expect(kafkaError(failure({ code: 'PLT_KFK_MULTIPLE', errors: [other, plt] })).message).toContain(
      '(ECONNREFUSED, at [::1]:9092)',
    );
    expect(kafkaError(failure(refused)).message).toContain('at 10.0.0.7:9092');
    expect(kafkaError(failure({ ...refused, broker: 'user:hunter2@x:1' })).message).not.toContain('hunter2');
  });

  test('a SinkError that caused it passes through', () => {
    const denied = new SinkError('EGRESS_DENIED', 'mine');
    const wrapped = exceeded(failure({ name: 'KafkaJSConnectionError', code: 'EGRESS_DENIED', cause: denied }));
    expect(kafkaError(wrapped, { operation: 'export' })).toMatchObject({
      code: 'EGRESS_DENIED',
      message: expect.stringMatching(/^mine/),
      operation: 'export',
      sinkType: 'kafka',
    });
  });
});
