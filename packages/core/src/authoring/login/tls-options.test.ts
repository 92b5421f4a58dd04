import { once } from 'node:events';
import { connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority, type Authority, type KeyPair } from '../../../../../test-integration/servers/certificates.ts';
import type { TlsMaterial } from '../../registry/sink-context.ts';
import { certificateExpiry } from '../connection-test/certificate-expiry.ts';
import { tlsOptions } from './tls-options.ts';
import { tlsSpecProblems, type TlsSpec } from './tls-spec.ts';

let authority: Authority;
let server: KeyPair;
let client: KeyPair;
beforeAll(async () => {
  authority = await createAuthority();
  server = await authority.issue({ commonName: 'db.example', hosts: ['db.example', '10.0.0.1'] });
  client = await authority.issue({ commonName: 'writer', client: true });
});

const made = (tls: TlsSpec | undefined, material: TlsMaterial = {}) => tlsOptions({ sinkType: 'store', tls, material });

describe('material', () => {
  test('none, and TLS off', () => {
    expect(made(undefined)).toBeUndefined();
    expect(made({ mode: 'disable' }, { ca: '', cert: '', key: '' })).toBeUndefined();
  });

  test.each<[string, TlsSpec | undefined, () => TlsMaterial, RegExp]>([
    [
      'absent',
      undefined,
      () => ({ ca: authority.ca }),
      /holds TLS material \(ca\) and spec\.store\.tls is absent: set tls: \{\}/,
    ],
    [
      'disable',
      { mode: 'disable' },
      () => ({ ca: authority.ca, ...client }),
      /\(ca, cert, key\) and spec\.store\.tls is \{ mode: disable \}/,
    ],
    ['half', { mode: 'verify-full' }, () => ({ cert: client.cert }), /certificate without its key/],
    ['the other half', { mode: 'disable' }, () => ({ key: client.key }), /key without its certificate/],
    [
      'no certificate',
      { mode: 'verify-ca' },
      () => ({ cert: client.key, key: client.key }),
      /The cert of the connection holds no certificate/,
    ],
    [
      'no key',
      { mode: 'verify-ca' },
      () => ({ ...client, key: client.cert }),
      /The key of the connection cannot be read/,
    ],
    [
      'another key',
      { mode: 'verify-ca' },
      () => ({ ...client, key: server.key }),
      /key of the connection does not belong to its cert/,
    ],
  ])('%s is refused', (_, tls, material, message) => {
    const make = () => made(tls, material());
    expect(make).toThrow(
      expect.objectContaining({ code: 'SPEC_INVALID', sinkType: 'store', message: expect.stringMatching(message) }),
    );
    expect(make).toThrow(/^(?!.*BEGIN)/s);
  });
});

test.each([
  ['verify-full', 'db.example', undefined, true],
  ['verify-full', 'elsewhere.example', undefined, false],
  ['verify-full', 'elsewhere.example', 'db.example', true],
  ['verify-full', 'db.example', 'elsewhere.example', false],
  ['verify-full', '10.0.0.1', undefined, true],
  ['verify-full', '10.0.0.2', undefined, false],
  ['verify-ca', 'elsewhere.example', undefined, true],
  ['require', 'elsewhere.example', undefined, true],
] as const)('%s, host %s, server name %s: accepted %s', (mode, host, serverName, accepted) => {
  const options = made({ mode, ...(serverName === undefined ? {} : { serverName }) })?.for(host);
  const certificate = { subject: { CN: 'db.example' }, subjectaltname: 'DNS:db.example, IP Address:10.0.0.1' };
  // Whatever name the client asks for, the check is by the name of ours.
  expect(options?.checkServerIdentity?.('localhost', certificate as unknown as PeerCertificate) === undefined).toBe(
    accepted,
  );
  expect(options?.rejectUnauthorized).toBe(mode !== 'require');
  expect(options?.servername).toBe(serverName ?? (host.startsWith('10.') ? undefined : host));
});

test.each<[TlsSpec['mode'], boolean, boolean]>([
  ['verify-full', true, true],
  ['verify-full', false, false],
  ['verify-ca', false, false],
  ['require', false, true],
])('%s, CA given %s: the handshake succeeds %s', async (mode, trusted, succeeds) => {
  const listener = createServer({ ...server, ca: authority.ca, requestCert: true }, (socket) => socket.end());
  listener.on('tlsClientError', () => undefined);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const tls = made({ mode }, { ...(trusted ? { ca: authority.ca } : {}), ...client });
  const socket = connect({
    ...tls?.for('db.example'),
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
  });
  try {
    const outcome = await once(socket, 'secureConnect').then(
      () => true,
      () => false,
    );
    expect(outcome).toBe(succeeds);
    if (outcome) expectExpiry(socket);
  } finally {
    socket.destroy();
    listener.close();
  }
});

function expectExpiry(socket: TLSSocket): void {
  const expiry = certificateExpiry(socket.getPeerCertificate(), { subject: 'the certificate of the server' });
  expect(expiry).toMatchObject({
    daysLeft: 364,
    found: expect.stringMatching(/^the certificate of the server is valid until 2/),
  });
  expect(expiry).not.toHaveProperty('warning');
}

describe('when a certificate ends', () => {
  const at = (daysLeft: number, certificate: string) => {
    const validTo = certificateExpiry(certificate, { subject: 'x' })?.validTo ?? 0;
    return certificateExpiry(certificate, { subject: 'the client certificate', now: validTo - daysLeft * 86_400_000 });
  };
  test.each<[number, string | undefined]>([
    [15, undefined],
    [14, undefined],
    [13.5, 'Renew the client certificate: it expires in 13 days.'],
    [1, 'Renew the client certificate: it expires in 1 day.'],
    [0.5, 'Renew the client certificate: it expires in 0 days.'],
    [-0.1, 'Renew the client certificate: it has expired.'],
  ])('%d days before', (days, remedy) => {
    expect(at(days, client.cert)).toMatchObject({ daysLeft: Math.floor(days) });
    expect(at(days, client.cert)?.warning).toEqual(remedy === undefined ? undefined : { code: 'TLS_FAILED', remedy });
  });

  test('one that cannot be read says nothing', () => {
    expect(certificateExpiry('no PEM', { subject: 'x' })).toBeUndefined();
    expect(certificateExpiry({ valid_to: '' }, { subject: 'x' })).toBeUndefined();
  });
});

test.each<[TlsSpec, RegExp | undefined]>([
  [{ mode: 'verify-full' }, undefined],
  [{ mode: 'verify-ca', serverName: 'db.example' }, undefined],
  [{ mode: 'verify-full', serverName: '::1' }, undefined],
  [{ mode: 'verify-full', serverName: 'a b\0' }, /^tls\.serverName: expected the name of a certificate/],
  [{ mode: 'verify-full', serverName: 'https://u:hunter2@h' }, /^tls\.serverName: expected (?!.*hunter2)/],
  [{ mode: 'verify-full', serverName: 'db:5432' }, /^tls\.serverName: expected/],
  [{ mode: 'disable', serverName: 'db' }, /^tls\.serverName: has no meaning with mode disable/],
])('%j', (tls, problem) => {
  expect(tlsSpecProblems(tls)).toEqual(problem === undefined ? [] : [expect.stringMatching(problem)]);
});
