import type { PeerCertificate } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import type { Credentials, TlsMaterial } from '@kollect/core';
import { connectionParameters } from './postgres-login.ts';
import type { ResolvedPostgresSpec } from './postgres-spec.ts';

type Tls = ResolvedPostgresSpec['tls'];
const parameters = (credentials: Credentials, tls: Tls = { mode: 'require' }, material: TlsMaterial = {}) =>
  connectionParameters({ spec: { database: 'inventory', tls }, credentials, tls: material });

const secret = 'hunter2';
const single = { username: 'kollect', password: secret, host: 'db.example', port: '5433' };

describe('what is accepted', () => {
  const login = { host: 'db.example', port: 5433, user: 'kollect', password: secret, database: 'inventory' };
  test.each<readonly [string, Credentials, object]>([
    ['single keys', single, login],
    ['no port', { ...single, port: '' }, { ...login, port: 5432 }],
    ['a host with the newline of a mounted file', { ...single, host: 'db.example\n' }, login],
    ['no password', { username: 'kollect', host: 'db.example' }, { ...login, port: 5432, password: undefined }],
    ['an IPv6 address', { ...single, host: '2001:db8::1' }, { ...login, host: '2001:db8::1' }],
    ['a bracketed IPv6 address', { ...single, host: '[::1]' }, { ...login, host: '::1' }],
    ['a dsn', { dsn: `postgres://kollect:${secret}@db.example:5433/inventory` }, login],
    ['a dsn without a database', { dsn: `postgresql://kollect:${secret}@db.example:5433` }, login],
    ['a dsn with a slash and no database', { dsn: `postgresql://kollect:${secret}@db.example:5433/\n` }, login],
    ['a dsn without a port', { dsn: `postgresql://kollect:${secret}@db.example` }, { ...login, port: 5432 }],
    ['a dsn without a password', { dsn: 'postgresql://kollect@db.example:5433' }, { ...login, password: undefined }],
    [
      'a dsn with an IPv6 address',
      { dsn: `postgresql://kollect:${secret}@[2001:db8::1]:5433/inventory` },
      { ...login, host: '2001:db8::1' },
    ],
    [
      'percent-encoding',
      { dsn: 'postgresql://us%40er:p%2Fa%3Ass%25@db.example:5433/%69nventory' },
      { ...login, user: 'us@er', password: 'p/a:ss%' },
    ],
    ['a colon in the password', { dsn: 'postgresql://kollect:a:b@db.example:5433' }, { ...login, password: 'a:b' }],
    [
      'sslmode that agrees',
      { dsn: `postgresql://kollect:${secret}@db.example:5433/inventory?sslmode=require&application_name=x` },
      login,
    ],
  ])('%s', (_, credentials, expected) => {
    expect(parameters(credentials)).toMatchObject(expected);
  });
});

describe('what is refused, without showing a secret', () => {
  const dsn = `postgresql://kollect:${secret}@db.example`;
  test.each<readonly [string, Credentials, RegExp]>([
    ['nothing', {}, /lack host and username/],
    ['no user', { host: 'h' }, /lack username/],
    ['dsn and single keys', { dsn, username: 'x', host: 'y' }, /hold dsn and username, host: give the dsn alone/],
    ['an unknown key', { ...single, user: 'x' }, /hold "user", which the sink does not know/],
    ['a port that is none', { ...single, port: secret }, /The port must be a number from 1 to 65535/],
    ['port 0', { ...single, port: '0' }, /from 1 to 65535/],
    ['several hosts', { ...single, host: 'a,b' }, /names several servers/],
    ['a socket', { ...single, host: '/var/run/postgresql' }, /path of a socket/],
    ['an abstract socket', { ...single, host: '@pg' }, /path of a socket/],
    ['a URL as host', { ...single, host: 'https://db' }, /neither a host name nor an IP address/],
    ['key-value form', { dsn: `host=h password=${secret}` }, /not of the form postgresql:/],
    ['another scheme', { dsn: `mysql://u:${secret}@h` }, /not of the form/],
    ['a dsn without a user', { dsn: 'postgresql://db.example' }, /names no user/],
    ['a dsn without a host', { dsn: `postgresql://u:${secret}@/inventory` }, /names no host/],
    ['a dsn with several hosts', { dsn: `postgresql://u:${secret}@a:1,b:2/inventory` }, /names several servers/],
    ['a dsn with a socket', { dsn: `postgresql://u:${secret}@%2Fvar%2Frun` }, /path of a socket/],
    [
      'a dsn with another database',
      { dsn: `${dsn}/other` },
      /another database than spec.postgres.database, which is "inventory"/,
    ],
    [
      'a dsn with another parameter',
      { dsn: `${dsn}?options=-c` },
      /the parameter "options" that the sink does not take/,
    ],
    [
      'sslmode that contradicts',
      { dsn: `${dsn}?sslmode=disable` },
      /sslmode=disable and spec.postgres.tls.mode says require/,
    ],
    ['sslmode prefer', { dsn: `${dsn}?sslmode=prefer` }, /sslmode=prefer and spec.postgres.tls.mode says require/],
    ['an unknown sslmode', { dsn: `${dsn}?sslmode=${secret}` }, /an unknown sslmode/],
    ['a bare %', { dsn: 'postgresql://u:100%hunter2@h' }, /a % that begins no percent-encoding/],
    ['a bare @', { dsn: 'postgresql://u:p@hunter2@h' }, /not of the form|not percent-encoded/],
    ['a bare / in the password', { dsn: 'postgresql://u:1/hunter2@h/inventory' }, /not percent-encoded|names no user/],
    ['a bare ? in the password', { dsn: 'postgresql://u:1?hunter2@h/inventory' }, /Percent-encode|names no user/],
    [
      'a bare @ and ? in the password',
      { dsn: 'postgresql://u:1@2?hunter2@h/inventory' },
      /holds a parameter that the sink does not take/,
    ],
    ['a bare # in the password', { dsn: 'postgresql://u:1#hunter2@h/inventory' }, /not of the form/],
  ])('%s', (_, credentials, message) => {
    let thrown: unknown;
    try {
      parameters(credentials);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'SPEC_INVALID',
      sinkType: 'postgres',
      message: expect.stringMatching(message),
    });
    expect(String((thrown as Error).stack)).not.toContain(secret);
  });
});

describe('TLS', () => {
  const certificate = {
    subject: { CN: 'db.example' },
    subjectaltname: 'DNS:db.example, IP Address:10.0.0.1',
  } as unknown as PeerCertificate;
  const optionsOf = (tls: Tls, host = 'db.example', material: TlsMaterial = {}) => {
    const { ssl } = parameters({ ...single, host }, tls, material);
    if (ssl === false) throw new Error('Expected TLS.');
    return ssl;
  };

  test('disable turns it off', () => {
    expect(parameters(single, { mode: 'disable' }).ssl).toBe(false);
  });

  test.each([
    ['require', false],
    ['verify-ca', true],
    ['verify-full', true],
  ] as const)('%s: the chain is checked: %s', (mode, rejectUnauthorized) => {
    expect(optionsOf({ mode }, 'db.example', { ca: 'CA' })).toMatchObject({ rejectUnauthorized, ca: 'CA' });
  });

  test.each([
    ['require', 'elsewhere', undefined, true],
    ['verify-ca', 'elsewhere', undefined, true],
    ['verify-full', 'db.example', undefined, true],
    ['verify-full', 'elsewhere', undefined, false],
    ['verify-full', 'elsewhere', 'db.example', true],
    ['verify-full', 'db.example', 'elsewhere', false],
    ['verify-full', '10.0.0.1', undefined, true],
    ['verify-full', '10.0.0.2', undefined, false],
  ] as const)('%s, host %s, server name %s: accepted %s', (mode, host, serverName, accepted) => {
    const { checkServerIdentity } = optionsOf({ mode, ...(serverName === undefined ? {} : { serverName }) }, host);
    // Whatever name the driver asks for, the check is by the name of ours.
    expect(checkServerIdentity?.('localhost', certificate) === undefined).toBe(accepted);
  });

  test.each([
    [{ cert: 'C' }, /certificate without its key/],
    [{ key: 'K' }, /key without its certificate/],
  ])('half a client certificate is refused', (material, message) => {
    expect(() => parameters(single, { mode: 'require' }, material)).toThrow(message);
  });

  test('a client certificate is passed on', () => {
    expect(optionsOf({ mode: 'require' }, 'db.example', { cert: 'C', key: 'K' })).toMatchObject({
      cert: 'C',
      key: 'K',
    });
  });
});
