import { describe, expect, test } from '@jest/globals';
import { createEgressPolicy, tenantEgress } from '@kollect/core';
import { badResources } from '../resources/bad-resources.fixture.ts';
import {
  inventorySpec,
  kafkaSpec,
  natsSpec,
  postgresSpec,
  resource,
  targetSpec,
} from '../resources/resources.fixture.ts';
import { createAdmissionHandler } from './admission-handler.ts';
import { registry } from './registry.fixture.ts';
import { review } from './reviews.fixture.ts';

const handle = createAdmissionHandler({ registry });
const kafka = (change: object): object => ({ ...kafkaSpec, kafka: { ...kafkaSpec.kafka, ...change } });
const hooks = (endPoint: string, more: object = {}): object => ({
  type: 'my-hooks',
  'my-hooks': { 'end-point': endPoint, ...more },
});
const allowed = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: 'r-1', allowed: true } };
const refused = (code: number, message: string) => ({
  response: {
    uid: 'r-1',
    allowed: false,
    status: {
      status: 'Failure',
      code,
      reason: code === 403 ? 'Forbidden' : 'Invalid',
      message: expect.stringContaining(message),
    },
  },
});

describe('what passes', () => {
  test.each([
    ['KollectSink', postgresSpec],
    ['KollectSink', kafkaSpec],
    ['KollectSink', natsSpec],
    [
      'KollectSink',
      kafka({ brokers: ['8.8.8.8:9092', '[2001:4860::1]:9092'], headers: { version: '1.2', env: '127.0.0.1' } }),
    ],
    ['KollectSink', { ...kafkaSpec, ca: { bundle: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' } }],
    ['KollectSink', hooks('https://hooks.example/a?b=c')],
    ['KollectInventory', inventorySpec],
    ['KollectTarget', targetSpec],
    ['KollectProfile', { attributes: { a: '.spec.a' } }],
    ['KollectConnectionTest', { sinkRef: { name: 'a' } }],
  ])('%s %j', (kind, spec) => {
    expect(handle(review(kind, spec))).toEqual(allowed);
    expect(handle(JSON.stringify(review(kind, spec)))).toEqual(allowed);
    expect(handle(Buffer.from(JSON.stringify(review(kind, spec))))).toEqual(allowed);
  });

  const bad = { type: 'oracle' };
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['a deletion', { operation: 'DELETE' }],
    ['a connection', { operation: 'CONNECT' }],
    ['a status', { operation: 'UPDATE', subResource: 'status' }],
    ['another kind', { kind: { group: 'kollect.dev', version: 'v1alpha1', kind: 'KollectThing' } }],
    ['another group', { kind: { group: 'apps', version: 'v1', kind: 'KollectSink' } }],
    ['another version', { kind: { group: 'kollect.dev', version: 'v9', kind: 'KollectSink' } }],
    [
      'a finalizer of what is being deleted',
      {
        operation: 'UPDATE',
        object: resource('KollectSink', bad, { deletionTimestamp: '2026-01-31T12:00:00Z' }),
        oldObject: resource('KollectSink', bad, { deletionTimestamp: '2026-01-31T12:00:00Z', finalizers: ['a/b'] }),
      },
    ],
    [
      'what is being deleted and has no spec',
      {
        operation: 'UPDATE',
        object: resource('KollectSink', undefined, { deletionTimestamp: '2026-01-31T12:00:00Z' }),
      },
    ],
    [
      'a label of what was there before',
      {
        operation: 'UPDATE',
        object: resource('KollectSink', bad, { labels: { a: 'b' } }),
        oldObject: resource('KollectSink', bad),
      },
    ],
  ])('%s, whatever the spec is', (_, request) => {
    expect(handle(review('KollectSink', bad, request))).toEqual(allowed);
  });
});

test('a sink that is being deleted is still at work: another spec is judged', () => {
  const metadata = { deletionTimestamp: '2026-01-31T12:00:00Z', finalizers: ['a/b'] };
  const bad = { type: 'oracle' };
  const oldObject = resource('KollectSink', { type: 'postgres', postgres: {} }, metadata);
  const update = { operation: 'UPDATE', object: resource('KollectSink', bad, metadata), oldObject } as const;
  expect(handle(review('KollectSink', bad, update)).response).toMatchObject({ allowed: false });
});

describe('addresses', () => {
  const denied = [
    '169.254.169.254',
    '[fd00:ec2::254]',
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '127.0.0.1',
    '127.8.8.8',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '0.0.0.0',
    '[::]',
    '[fe80::1]',
    '[fe80::1%eth0]',
    '10.0.0.1',
    '192.168.1.1',
    '172.31.0.1',
    '[fc00::1]',
    '2852039166',
    '0xa9fea9fe',
    '0xA9.0xFE.0xA9.0xFE',
    '0251.0376.0251.0376',
    '0177.0.0.1',
    '127.1',
    '169.254.169.254.',
    '127.0.0.1..',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[::169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::]',
    '１２７.0.0.1',
    '127。0。0。1',
  ];
  test.each(denied)('%s is no broker', (host) => {
    expect(handle(review('KollectSink', kafka({ brokers: ['kafka.shop:9093', `${host}:9092`] })))).toMatchObject(
      refused(403, 'KollectSink "shop/portal" is refused: spec.kafka.brokers: names a server that sinks may not call'),
    );
    expect(handle(review('KollectSink', { ...natsSpec, nats: { ...natsSpec.nats, servers: [host] } }))).toMatchObject(
      refused(403, 'spec.nats.servers: '),
    );
  });

  test.each([
    ...denied.map((host) => `https://${host}:8443/path`),
    ...denied.map((host) => `https://name@${host}`),
    'http://a.example\\@169.254.169.254/',
    'http://169.254.169.254\\@a.example',
    'a.example:1,127.0.0.1:2',
    'HTTP://127.0.0.1?a=@b.example',
    'http://%31%32%37.0.0.1/',
    ' 127.0.0.1',
    '::1',
  ])('%s is no end point', (url) => {
    expect(handle(review('KollectSink', hooks(url)))).toMatchObject(refused(403, 'spec.my-hooks.end-point'));
    expect(
      handle(review('KollectSink', hooks('https://a.example', { import: [{ url: 'b' }, { url }] }))),
    ).toMatchObject(refused(403, 'spec.my-hooks.import.url'));
  });

  test('the host decides', () => {
    const own = createAdmissionHandler({ registry, egress: createEgressPolicy({ deny: ['203.0.113.0/24'] }) });
    expect(own(review('KollectSink', kafka({ brokers: ['127.0.0.1:9092', 'localhost:9092'] })))).toEqual(allowed);
    expect(own(review('KollectSink', kafka({ brokers: ['203.0.113.7:9092'] })))).toMatchObject(refused(403, 'brokers'));
    const open = createAdmissionHandler({ registry, egress: tenantEgress({ allow: ['127.0.0.1', '10.1.0.0/16'] }) });
    expect(open(review('KollectSink', kafka({ brokers: ['localhost:9092', '10.1.2.3:9092'] })))).toEqual(allowed);
    expect(open(review('KollectSink', kafka({ brokers: ['10.2.2.3:9092'] })))).toMatchObject(refused(403, 'brokers'));
  });

  test('an egress policy that fails denies', () => {
    const check = () => {
      throw new TypeError('geheim');
    };
    const answer = createAdmissionHandler({ registry, egress: { check } })(
      review('KollectSink', kafka({ brokers: ['8.8.8.8:1'] })),
    );
    expect(answer).toMatchObject(refused(403, 'brokers'));
    expect(JSON.stringify(answer)).not.toContain('geheim');
  });
});

describe('secrets', () => {
  const key = ['-----BEGIN RSA', 'PRIVATE KEY-----\ngeheim'].join(' ');
  test.each<[string, object, string]>([
    ['a password in a URL', kafka({ headers: { next: 'https://app:geheim@a.example/' } }), 'spec.kafka.headers'],
    ['a header of a token', kafka({ headers: { 'X-Access-Token': 'geheim' } }), 'spec.kafka.headers'],
    ['an authorization', kafka({ headers: { Authorization: 'Bearer geheim' } }), 'spec.kafka.headers'],
    [
      'a DSN',
      { type: 'postgres', postgres: { database: 'host=db PASSWORD = geheim', table: 't' } },
      'spec.postgres.database',
    ],
    ['a token', kafka({ clientId: `ghp_geheim${'x1'.repeat(10)}` }), 'spec.kafka.clientId'],
    ['a broker with a user', kafka({ brokers: ['kafka://app:geheim@kafka.shop:9093'] }), 'spec.kafka.brokers'],
    ['a private key', { ...kafkaSpec, ca: { bundle: key } }, 'spec.ca.bundle'],
    ['a field that is made for one', hooks('https://a.example', { apiToken: 'geheim' }), 'spec.my-hooks.apiToken'],
    [
      'a label',
      hooks('https://a.example', { import: [{ labels: { password: 'geheim' } }] }),
      'spec.my-hooks.import.labels',
    ],
  ])('%s is refused, and not repeated', (_, spec, path) => {
    const answer = handle(review('KollectSink', spec));
    expect(answer).toMatchObject(refused(422, path));
    expect(JSON.stringify(answer)).not.toContain('geheim');
  });
});

describe('what the parsers refuse', () => {
  test.each(badResources.map((bad) => [`${bad.kind}: ${bad.title}`, bad] as const))('%s', (_, { kind, spec }) => {
    const { response } = handle(review(kind, spec));
    expect(response).toMatchObject({ uid: 'r-1', allowed: false });
    expect([403, 422]).toContain(response.status?.code);
  });

  test('types outside of the list', () => {
    const few = createAdmissionHandler({ registry, allowedTypes: ['kafka', 'nats'] });
    expect(few(review('KollectSink', kafkaSpec))).toEqual(allowed);
    expect(few(review('KollectSink', postgresSpec))).toMatchObject(
      refused(403, 'spec.type: sinks of this type are not allowed; allowed: kafka, nats.'),
    );
  });
});

test('options that mean nothing are refused', () => {
  expect(() => createAdmissionHandler({ registry, allowedTypes: ['oracle'] })).toThrow('oracle');
  expect(() => createAdmissionHandler({ registry, allowedTypes: [] })).toThrow('allowedTypes is empty');
  expect(() => createAdmissionHandler({ registry, allowedTyps: [] } as never)).toThrow('did you mean "allowedTypes"');
});
