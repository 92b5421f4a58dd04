import { expect, test } from '@jest/globals';
import { natsSink } from './nats-sink.ts';

const least = { servers: ['nats.example:4222'], stream: 'inventory' };
const parse = (spec: object) => natsSink.parseSpec({ ...least, ...spec });

test('the least that a spec says, with every default', () => {
  expect(parse({})).toEqual({
    servers: [{ host: 'nats.example', port: 4222 }],
    stream: 'inventory',
    subjectPrefix: 'kollect.inventory',
    retain: 'history',
    format: 'document',
    compression: 'none',
    headers: {},
    minReplicas: 1,
    inboxPrefix: '_INBOX',
    requestTimeoutMs: 5_000,
    connectTimeoutMs: 10_000,
    deliveryTimeoutMs: 60_000,
  });
});

test('a stream to be made, and servers without a port', () => {
  const { servers, newStream } = parse({ servers: ['a', '[::1]', 'a'], provisioning: 'create' });
  expect(servers).toEqual([
    { host: 'a', port: 4222 },
    { host: '::1', port: 4222 },
  ]);
  expect(newStream).toEqual({ replicas: 1, maxAgeMs: 604_800_000, storage: 'file', discard: 'new' });
  expect(
    parse({
      provisioning: 'create',
      newStream: { replicas: 3, maxAge: '0s', maxBytes: 9, storage: 'memory', discard: 'old' },
    }).newStream,
  ).toEqual({ replicas: 3, maxAgeMs: 0, maxBytes: 9, storage: 'memory', discard: 'old' });
});

test.each<[string, object, RegExp]>([
  ['an address that is a URL', { servers: ['nats://a:4222'] }, /\$\.nats\.servers\[0\]: expected host/],
  ['a stream with a dot', { stream: 'a.b' }, /\$\.nats\.stream: expected letters/],
  ['a prefix with a wildcard', { subjectPrefix: 'a.*' }, /\$\.nats\.subjectPrefix: expected words/],
  ['a prefix with an empty word', { subjectPrefix: 'a..b' }, /\$\.nats\.subjectPrefix: expected words/],
  ['an inbox with a blank', { inboxPrefix: 'a b' }, /\$\.nats\.inboxPrefix: expected words/],
  ['a header of ours', { headers: { 'Kollect.dev/x': '1' } }, /are taken/],
  ['a header of the server', { headers: { 'nats-msg-id': '1' } }, /are taken/],
  ['a header that the sink sets', { headers: { 'Content-Type': '1' } }, /the sink sets it itself/],
  ['a header of CloudEvents', { headers: { 'ce-id': '1' }, format: 'cloudevents' }, /sink's own/],
  ['a header with a colon', { headers: { 'a:b': '1' } }, /printable ASCII without blanks/],
  ['a header of two lines', { headers: { a: '1\r\nb: 2' } }, /holds a line break/],
  ['a header with a blank in front', { headers: { a: ' 1' } }, /begins or ends with a blank/],
  ['no time at all', { requestTimeout: '0s' }, /\$\.nats\.requestTimeout: must be above zero/],
  ['a request as long as the whole', { requestTimeout: '60s' }, /must be below deliveryTimeout/],
  [
    'a new stream that nobody makes',
    { newStream: {} },
    /\$\.nats\.newStream: has no meaning with provisioning existing/,
  ],
  ['too few replicas', { provisioning: 'create', minReplicas: 3 }, /newStream\.replicas: must be at least minReplicas/],
  ['an age without end', { provisioning: 'create', newStream: { maxAge: '999999h' } }, /newStream\.maxAge: must be/],
  ['TLS first where it is off', { tls: { mode: 'disable', handshakeFirst: true } }, /handshakeFirst: has no meaning/],
  ['a server name where TLS is off', { tls: { mode: 'disable', serverName: 'a' } }, /tls\.serverName: has no meaning/],
])('%s', (_, spec, message) => {
  expect(() => parse(spec)).toThrow(message);
});
