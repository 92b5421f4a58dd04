import { expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
import { noEgress } from './registry.fixture.ts';
import { createSinkContext } from './sink-context.ts';

const contextOf = (connection: object, more: object = {}) =>
  createSinkContext({
    type: 'table',
    spec: {},
    egress: noEgress,
    hostIdentity: noIdentity,
    connection: { name: 'orders', ...connection },
    ...more,
  });
const noIdentity = { cloudCredentials: false, instanceMetadata: false, proxy: false, clientConfig: false };

const rejection = async (promise: Promise<unknown>): Promise<SinkError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!SinkError.isInstance(error)) throw new Error('expected a SinkError');
  return error;
};

const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';

test('a function is asked at every call, so that a rotated secret arrives', async () => {
  let turn = 0;
  const context = contextOf({
    credentials: () => ({ password: `p${String(++turn)}` }),
    tls: () => Promise.resolve({ ca: pem }),
  });
  expect(turn).toBe(0);
  expect(await context.credentials()).toEqual({ password: 'p1' });
  expect(await context.credentials()).toEqual({ password: 'p2' });
  expect(await context.tls()).toEqual({ ca: pem });
});

test('without credentials there are none', async () => {
  expect(await contextOf({}).credentials()).toEqual({});
  expect(await contextOf({}).tls()).toEqual({});
});

test('what a sink gets is a frozen copy', async () => {
  const credentials = { password: 'a' };
  const got = await contextOf({ credentials }).credentials();
  credentials.password = 'b';
  expect(got).toEqual({ password: 'a' });
  expect(Object.isFrozen(got)).toBe(true);
});

test.each<[string, object, string]>([
  [
    'text',
    { credentials: 'geheim' },
    'expected an object of strings, found a string that is not shown because it may be a secret',
  ],
  ['null', { credentials: () => null }, 'expected an object of strings, found null'],
  [
    'a number',
    { credentials: { password: 4711 } },
    'the field "password" must be a string, found a number that is not shown',
  ],
  [
    'an unset variable',
    { credentials: { password: undefined } },
    'the field "password" must be a string, found nothing',
  ],
  [
    'bytes',
    { credentials: { password: Buffer.from('geheim') } },
    'the field "password" must be a string, found bytes: decode them first',
  ],
])('credentials that are no map of strings are refused: %s', async (_, connection, message) => {
  const error = await rejection(contextOf(connection).credentials());
  expect(error.code).toBe('SPEC_INVALID');
  expect(error.message).toContain('The credentials of sink "orders" (type "table"): ');
  expect(error.message).toContain(message);
  expect(error.message).not.toMatch(/geheim|4711/u);
});

test.each<[string, object, string]>([
  ['still in base64', { tls: { ca: Buffer.from(pem).toString('base64') } }, '"ca" must be PEM text'],
  ['unknown field', { tls: { cretificate: pem, crt: pem } }, 'is not a known field'],
  ['typo', { tls: { certt: pem } }, 'did you mean "cert"?'],
])('TLS material is checked: %s', async (_, connection, message) => {
  const error = await rejection(contextOf(connection).tls());
  expect([error.code, error.sinkType]).toEqual(['SPEC_INVALID', 'table']);
  expect(error.message).toContain(message);
});

test('a host that cannot read a secret is tried again later, and its error is neither shown nor kept', async () => {
  const credentials = () => Promise.reject(Object.assign(new Error('open /run/geheim failed'), { code: 'ENOENT' }));
  const error = await rejection(contextOf({ credentials }).credentials());
  expect([error.code, error.reason, error.retryable, error.cause]).toEqual([
    'CREDENTIALS_UNAVAILABLE',
    'transient',
    true,
    undefined,
  ]);
  const remedy =
    'Look at why the host cannot read the Secret, file or variable: its name, its place, the permission to read it.';
  expect(error.remedy).toBe(remedy);
  expect(error.message).toBe(
    `The credentials of sink "orders" (type "table") cannot be read: the function that the host gave failed with Error ENOENT. ${remedy}`,
  );
});

test('what the host throws may be anything', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const credentials = () => {
    throw proxy; // oxlint-disable-line no-throw-literal, typescript/only-throw-error -- what a host may do
  };
  expect((await rejection(contextOf({ credentials }).credentials())).code).toBe('CREDENTIALS_UNAVAILABLE');
});

const credentialFields = [
  { name: 'username', description: 'User.', secret: false },
  { name: 'password', description: 'Password.', secret: true },
];

test.each<[string, object, string]>([
  ['a typo', { usernmae: 'app' }, 'did you mean "username"?'],
  ['what another operator writes', { dbname: 'app', 'jdbc-uri': 'jdbc:…' }, 'they hold "dbname", "jdbc-uri", unknown'],
  ['the same', { uri: 'postgresql://…' }, 'use credentialsFromSecret'],
  [
    'a value in the place of its name',
    { 'Geheim-4711': 'password' },
    'a field whose name of 11 characters is not shown',
  ],
  ['a DSN in the place of a name', { 'postgresql://app:geheim@db/app': '', 'app:Geheim': 'x' }, 'is not shown'],
])('a credential that the type does not read is refused with those it reads: %s', async (_, credentials, message) => {
  const error = await rejection(contextOf({ credentials }, { credentialFields }).credentials());
  expect(error.code).toBe('SPEC_INVALID');
  expect(error.message).toContain(message);
  expect(error.message).toContain('which reads username, password');
  expect(error.message).not.toMatch(/geheim|4711/iu);
});

test('a type that reads no credentials says so', async () => {
  const error = await rejection(contextOf({ credentials: { token: 'x' } }, { credentialFields: [] }).credentials());
  expect(error.message).toContain('unknown to the sink type, which reads none');
});

test('an unknown field that is empty is nothing, and a type that lists no fields takes any', async () => {
  const credentials = { username: 'app', spare: '' };
  await expect(contextOf({ credentials }, { credentialFields }).credentials()).resolves.toEqual(credentials);
  await expect(contextOf({ credentials: { any: 'x' } }).credentials()).resolves.toEqual({ any: 'x' });
});

test.each([
  ['one newline', 'secret\n', 'secret'],
  ['a newline of Windows', 'secret\r\n', 'secret'],
  ['one of two', 'secret\n\n', 'secret\n'],
  ['nothing else', ' secret ', ' secret '],
  ['a newline alone', '\n', ''],
])('one trailing newline is cut from each credential: %s', async (_, password, expected) => {
  expect(await contextOf({ credentials: { password } }).credentials()).toEqual({ password: expected });
});

test.each(['', '\n', '  '])('TLS material that is empty counts as absent: %j', async (ca) => {
  expect(await contextOf({ tls: { ca, cert: pem } }).tls()).toEqual({ cert: pem });
});

test('a context without a logger takes every line and drops it', () => {
  expect(() => contextOf({}).logger.error({}, 'lost')).not.toThrow();
});

test('a SinkError of the host passes as it is', async () => {
  const credentials = () => {
    throw new SinkError('PERMISSION_DENIED', 'The operator may not read the Secret "db".');
  };
  const error = await rejection(contextOf({ credentials }).credentials());
  expect([error.code, error.message, error.sinkType]).toEqual([
    'PERMISSION_DENIED',
    'The operator may not read the Secret "db".',
    'table',
  ]);
});
