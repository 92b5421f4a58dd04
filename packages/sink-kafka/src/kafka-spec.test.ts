import { describe, expect, test } from '@jest/globals';
import { kafkaSink } from './kafka-sink.ts';
import type { KafkaSpec } from './kafka-spec-schema.ts';

const base = { brokers: ['kafka-0:9092'], topic: 'inventory' };
const resolve = (spec: object) => kafkaSink.parseSpec({ ...base, ...spec }, 'events');

describe('what is left out', () => {
  test('has these values', () => {
    expect(kafkaSink.parseSpec(base)).toEqual({
      brokers: ['kafka-0:9092'],
      topic: 'inventory',
      format: 'document',
      headers: {},
      compression: 'zstd',
      acks: 'all',
      idempotent: true,
      transactional: false,
      maxMessageBytes: 921_600,
      clientId: 'kollect',
      requestTimeoutMs: 10_000,
      connectTimeoutMs: 10_000,
      deliveryTimeoutMs: 60_000,
    });
  });

  test.each(['leader', 'none'] as const)('idempotent is false with acks %s', (acks) => {
    expect(resolve({ acks })).toMatchObject({ acks, idempotent: false });
  });

  test('a topic to be made is as the brokers are set', () => {
    expect(resolve({ topicProvisioning: 'create' })).toMatchObject({
      newTopic: { partitions: -1, replicationFactor: -1, configs: {} },
    });
  });
});

describe('what is given arrives', () => {
  test.each<readonly [Partial<KafkaSpec>, object]>([
    [{ brokers: ['a:1', '[::1]:2', '10.0.0.1:3', 'a:1'] }, { brokers: ['a:1', '[::1]:2', '10.0.0.1:3'] }],
    [{ headers: { team: 'portal', empty: '' } }, { headers: { team: 'portal', empty: '' } }],
    [{ headers: { ce_own: 'x' } }, { headers: { ce_own: 'x' } }],
    [{ compression: 'none' }, { compression: 'none' }],
    [{ compression: 'snappy' }, { compression: 'snappy' }],
    [{ compression: 'lz4' }, { compression: 'lz4' }],
    [{ idempotent: false }, { idempotent: false }],
    [{ transactional: true }, { transactional: true, idempotent: true }],
    [{ tls: {} }, { tls: { mode: 'verify-full' } }],
    [{ tls: { mode: 'verify-ca' } }, { tls: { mode: 'verify-ca' } }],
    [{ tls: { serverName: 'kafka.example' } }, { tls: { mode: 'verify-full', serverName: 'kafka.example' } }],
    [{ tls: {}, sasl: { mechanism: 'oauthbearer' } }, { sasl: { mechanism: 'oauthbearer' } }],
    [{ tls: { mode: 'disable' }, sasl: { mechanism: 'plain' } }, { tls: { mode: 'disable' } }],
    [{ sasl: { mechanism: 'scram-sha-512' } }, { sasl: { mechanism: 'scram-sha-512' } }],
    [
      { requestTimeout: '1s', connectTimeout: '250ms', deliveryTimeout: '2s' },
      { requestTimeoutMs: 1_000, connectTimeoutMs: 250, deliveryTimeoutMs: 2_000 },
    ],
    [
      {
        topicProvisioning: 'create',
        newTopic: { partitions: 12, replicationFactor: 3, configs: { 'retention.ms': '1' } },
      },
      { newTopic: { partitions: 12, replicationFactor: 3, configs: { 'retention.ms': '1' } } },
    ],
    [{ topic: 'a'.repeat(249) }, {}],
  ])('%j', (spec, expected) => {
    expect(resolve(spec)).toMatchObject(expected);
  });
});

describe('what is refused, naming the field', () => {
  test.each<readonly [object, RegExp]>([
    [{ brokers: [] }, /\$\.kafka\.brokers/],
    [{ brokers: ['kafka'] }, /brokers\[0\]: expected host:port.*the port is missing/],
    [{ brokers: ['kafka:0'] }, /brokers\[0\]: expected host:port/],
    [{ brokers: ['kafka:65536'] }, /brokers\[0\]: expected host:port/],
    [{ brokers: ['::1:9092'] }, /brokers\[0\]: expected host:port/],
    [{ brokers: ['SASL_SSL://kafka:9092'] }, /brokers\[0\]: expected host:port/],
    [{ brokers: ['a:1,b:2'] }, /brokers\[0\]: expected host:port/],
    [{ brokers: ['a:1', 'a..b:9092'] }, /\$\.kafka\.brokers\[1\]: .*no empty part/],
    [{ brokers: ['a:1', 'b:2', '-a.example:9092'] }, /\$\.kafka\.brokers\[2\]: .*begins or ends with "-"/],
    [{ brokers: ['256.1.1.1:9092'] }, /brokers\[0\]: .*looks like an IPv4 address and is none/],
    [{ brokers: [`${'a'.repeat(64)}.example:9092`] }, /brokers\[0\]: .*at most 63 bytes/],
    [{ brokers: [`${'a.'.repeat(125)}example:9092`] }, /brokers\[0\]: .*at most 253 bytes/],
    [{ topic: '..' }, /topic: must not be "\.\."/],
    [{ topic: 'a'.repeat(250) }, /topic: expected at most 249 characters/],
    [{ topic: 'team/inventory' }, /topic: must hold letters/],
    [{ headers: { 'kollect.dev/x': '1' } }, /headers\["kollect\.dev\/x"\]: names that begin with kollect\.dev\//],
    [{ headers: { 'Kollect.dev/x': '1' } }, /names that begin with kollect\.dev\//],
    [{ headers: { 'Content-Type': '1' } }, /sets content-type itself/],
    [{ headers: { ce_id: '1' }, format: 'cloudevents' }, /names that begin with ce_ are/],
    [{ headers: { '': '1' } }, /a header needs a name/],
    [{ headers: { a: 'x\ny' } }, /headers\.a holds a line break at character 2/],
    [{ headers: { a: '\ud800' } }, /headers\.a holds the character U\+D800/],
    [{ acks: 'leader', idempotent: true }, /idempotent: needs acks all, found acks leader/],
    [{ idempotent: false, transactional: true }, /transactional: needs idempotent/],
    [{ maxMessageBytes: 100 }, /maxMessageBytes/],
    [{ maxMessageBytes: 104_857_600 }, /maxMessageBytes/],
    [{ clientId: 'a\u0000' }, /clientId holds the character U\+0000 at character 2/],
    [{ tls: { serverName: 'a b' } }, /\$\.kafka\.tls\.serverName: expected the name of a certificate/],
    [{ tls: { serverName: 'https://kafka' } }, /tls\.serverName: expected the name of a certificate/],
    [{ tls: { mode: 'disable', serverName: 'kafka' } }, /tls\.serverName: has no meaning with mode disable/],
    [{ tls: { mode: 'require' } }, /tls\.mode/],
    [
      { sasl: { mechanism: 'plain' } },
      /\$\.kafka\.sasl: with mechanism plain and without tls the password crosses .* tls: \{ mode: disable \}/,
    ],
    [
      { sasl: { mechanism: 'oauthbearer' } },
      /\$\.kafka\.sasl: with mechanism oauthbearer and without tls the token crosses/,
    ],
    [{ sasl: {} }, /mechanism/],
    [{ sasl: { mechanism: 'gssapi' } }, /mechanism/],
    [{ sasl: { mechanism: 'plain', password: 'x' } }, /password/],
    [{ requestTimeout: '0s' }, /requestTimeout: must be above zero/],
    [{ connectTimeout: '2h' }, /connectTimeout: must be above zero and at most 1h/],
    [{ deliveryTimeout: '25h' }, /deliveryTimeout: must be above zero and at most 24h/],
    [{ requestTimeout: '60s' }, /requestTimeout: must be below deliveryTimeout/],
    [{ newTopic: {} }, /newTopic: has no meaning with topicProvisioning existing/],
    [{ username: 'x' }, /username/],
  ])('%j', (spec, message) => {
    expect(() => resolve(spec)).toThrow(
      expect.objectContaining({ code: 'SPEC_INVALID', sinkType: 'kafka', message: expect.stringMatching(message) }),
    );
  });

  test('all at once', () => {
    expect(() => resolve({ topic: '..', acks: 'none', transactional: true })).toThrow(
      /\$\.kafka\.topic: .*; \$\.kafka\.transactional: /,
    );
  });

  test('without showing what may be a secret', () => {
    expect(() => resolve({ brokers: ['user:hunter2@kafka:9092'] })).toThrow(/^(?!.*hunter2)/s);
    expect(() => resolve({ headers: { token: 'hunter2\n' } })).toThrow(/^(?!.*hunter2)/s);
  });
});
