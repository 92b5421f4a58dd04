import type { PeerCertificate } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import type { Credentials, TlsMaterial } from '@kollect/core';
import { formatServerAddress } from '@kollect/core/authoring';
import { connectionParameters } from './postgres-login.ts';
import type { ResolvedPostgresSpec } from './postgres-spec.ts';

type Tls = ResolvedPostgresSpec['tls'];
const login = (credentials: Credentials, tls: Tls = { mode: 'require' }, material: TlsMaterial = {}) =>
  connectionParameters({ spec: { database: 'inventory', tls }, credentials, tls: material });
const parameters = (...given: Parameters<typeof login>) => login(...given).servers[0];

const secret = 'hunter2';
const single = { username: 'kollect', password: secret, host: 'db.example', port: '5433' };

describe('what is accepted', () => {
  const login = { host: 'db.example', port: 5433, user: 'kollect', password: secret, database: 'inventory' };
  test.each<readonly [string, Credentials, object]>([
    ['single keys', single, login],
    ['no port', { ...single, port: '' }, { ...login, port: 5432 }],
    ['a host with spaces around it', { ...single, host: ' db.example ' }, login],
    ['no password', { username: 'kollect', host: 'db.example' }, { ...login, port: 5432, password: undefined }],
    ['an IPv6 address', { ...single, host: '2001:db8::1' }, { ...login, host: '2001:db8::1' }],
    ['a bracketed IPv6 address', { ...single, host: '[::1]' }, { ...login, host: '::1' }],
    ['a dsn', { dsn: `postgres://kollect:${secret}@db.example:5433/inventory` }, login],
    ['a dsn without a database', { dsn: `postgresql://kollect:${secret}@db.example:5433` }, login],
    ['a dsn with a slash and no database', { dsn: `postgresql://kollect:${secret}@db.example:5433/ ` }, login],
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
    ['nothing', {}, /lack host and username; the sink reads/],
    ['no user', { host: 'h' }, /lack username/],
    [
      'dsn and single keys',
      { dsn, username: 'x', host: 'y' },
      /hold dsn and username, host, which do not go together: the sink reads dsn, or host/,
    ],
    [
      'an unknown key',
      { ...single, user: 'x' },
      /hold "user"; the sink reads dsn, or host, username, password and port/,
    ],
    [
      'a port that is none',
      { ...single, port: secret },
      /Port of the credentials cannot be used: a port is a number from 1/,
    ],
    ['port 0', { ...single, port: '0' }, /from 1 to 65535/],
    [
      'more ports than hosts',
      { ...single, host: 'a,b', port: '1,2,3' },
      /ports of the credentials are 3 and its hosts 2/,
    ],
    [
      'a port in the host',
      { ...single, host: 'db:5433' },
      /Host of the credentials cannot be used: a host holds no ":"/,
    ],
    [
      'the second of several hosts',
      { ...single, host: 'a,b..c' },
      /Host 2 of the credentials cannot be used: .*no empty part/,
    ],
    ['a socket', { ...single, host: '/var/run/postgresql' }, /path of a socket/],
    ['an abstract socket', { ...single, host: '@pg' }, /path of a socket/],
    ['a URL as host', { ...single, host: 'https://db' }, /Host of the credentials cannot be used/],
    [
      'a zero byte in the user',
      { ...single, username: `k\0database\0${secret}` },
      /The credentials: username holds the character U\+0000/,
    ],
    [
      'a line break in the password',
      { ...single, password: `${secret}\nx` },
      /The credentials: password holds a line break/,
    ],
    [
      'a JDBC URL',
      { dsn: `jdbc:postgresql://h/inventory?password=${secret}` },
      /is a JDBC URL: give it as postgresql:/,
    ],
    ['quotes around it', { dsn: `'${dsn}'` }, /stands in quotes: remove them/],
    ['key-value form without a user', { dsn: `host=h password=${secret}` }, /^The dsn names no user\.$/],
    ['key-value form, half quoted', { dsn: `host=h user=u password='${secret}` }, /not of the form host=… user=…/],
    [
      'key-value form, spaces in a value',
      { dsn: `host=h user=u password=a ${secret}` },
      /not of the form host=… user=…/,
    ],
    ['another scheme', { dsn: `mysql://u:${secret}@h` }, /not of the form/],
    ['a dsn without a user', { dsn: 'postgresql://db.example' }, /names no user/],
    ['a dsn without a host', { dsn: `postgresql://u:${secret}@/inventory` }, /names no host/],
    [
      'a zero byte in the user of a dsn',
      { dsn: `postgresql://u%00database%00x:${secret}@h` },
      /The user of the dsn holds the character U\+0000/,
    ],
    [
      'a line break in the password of a dsn',
      { dsn: `postgresql://u:${secret}%0A@h` },
      /The password of the dsn holds a line break/,
    ],
    ['a host twice', { dsn: `postgresql://u:${secret}@h/?host=b` }, /says the same thing twice/],
    [
      'a standby wanted',
      { dsn: `${dsn}?target_session_attrs=prefer-standby` },
      /"target_session_attrs" that the sink does not take so: the sink writes/,
    ],
    [
      'binding without TLS',
      { dsn: `${dsn}?channel_binding=strict` },
      /"channel_binding" that the sink does not take so: it may be/,
    ],
    [
      'certificates',
      { dsn: `${dsn}?sslrootcert=/x.pem&connect_timeout=5` },
      /"sslrootcert" .*: give ca, cert and key .*"connect_timeout" .*: set spec\.postgres\.connectTimeout/,
    ],
    [
      'all at once',
      { dsn: `postgresql://:${secret}@a..b:0,[::1]/other?sslmode=disable&options=-csearch_path%3Dx` },
      /names no user\. Host 1 .*empty part.* Port 1 .*65535\. The dsn names another database .* sslmode=disable .* "options" .*ALTER ROLE/,
    ],
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
    expect(optionsOf({ mode })).toMatchObject({ rejectUnauthorized, servername: 'db.example' });
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

  test('material that nobody asks for is refused', () => {
    expect(() => parameters(single, { mode: 'disable' }, { ca: 'CA' })).toThrow(
      'holds TLS material (ca) and spec.postgres.tls is { mode: disable }',
    );
  });
});

describe('several servers', () => {
  const of = (given: Credentials, tls?: Tls) => {
    const { servers, readWrite } = login(given, tls);
    return [servers.map(formatServerAddress), readWrite];
  };
  test.each<readonly [string, Credentials, readonly string[], boolean]>([
    ['one', { dsn: 'postgresql://u@a' }, ['a:5432'], false],
    ['one that must write', { dsn: 'postgresql://u@a?target_session_attrs=read-write' }, ['a:5432'], true],
    ['several, a port each', { dsn: 'postgresql://u@a:1,[::1]:2,c/inventory' }, ['a:1', '[::1]:2', 'c:5432'], true],
    ['the scheme in capitals', { dsn: 'POSTGRESQL://u@a,b?target_session_attrs=any' }, ['a:5432', 'b:5432'], true],
    ['as parameters', { dsn: 'postgresql://u@/inventory?host=a,b&port=7' }, ['a:7', 'b:7'], true],
    ['key=value', { dsn: 'host=a,b port=1,2 user=u target_session_attrs = primary' }, ['a:1', 'b:2'], true],
    ['single keys', { username: 'u', host: 'a, b', port: '7' }, ['a:7', 'b:7'], true],
  ])('%s', (_, credentials, servers, readWrite) => {
    expect(of(credentials)).toEqual([servers, readWrite]);
  });

  test('each is greeted by its own name', () => {
    const { servers } = login({ dsn: 'postgresql://u@a.example,10.0.0.1' }, { mode: 'verify-full' });
    expect(servers.map(({ ssl }) => ssl !== false && ssl.servername)).toEqual(['a.example', undefined]);
  });

  test.each<readonly [string, object]>([
    ["host=h user=u password='a b\\\\c\\'d'", { user: 'u', password: "a b\\c'd" }],
    ['host=h user=u password=a\\ b dbname=inventory', { password: 'a b', database: 'inventory' }],
    ['host=h user=u password=', { password: undefined }],
    ['  USER = u   host = h  ', { user: 'u', host: 'h' }],
    [
      'postgresql://u@h?channel_binding=require&gssencmode=disable&sslnegotiation=postgres',
      { channelBinding: 'require' },
    ],
    ['postgresql://u@h?application_name=x&client_encoding=utf8', { channelBinding: 'disable' }],
  ])('%s', (dsn, expected) => {
    expect(parameters({ dsn })).toMatchObject(expected);
  });
});
