import { expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors.ts';
import { noEgress } from './registry.fixture.ts';
import { createSinkContext } from './sink-context.ts';

const contextOf = (connection: object) =>
  createSinkContext({ type: 'table', spec: {}, egress: noEgress, connection: { name: 'orders', ...connection } });

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
  expect([error.code, error.retryable, error.cause]).toEqual(['UNAVAILABLE', true, undefined]);
  expect(error.message).toBe(
    'The credentials of sink "orders" (type "table") cannot be read: the function that the host gave failed with Error ENOENT.',
  );
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
