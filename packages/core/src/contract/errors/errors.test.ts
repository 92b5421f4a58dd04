import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SinkError, sinkErrorCodes } from './errors.ts';

const messageOf = (message: string): string => new SinkError('SPEC_INVALID', message).message;

test('a message has at most 2 KB, and keeps its head and its tail, where the remedy stands', () => {
  for (const filling of ['t', 'ü', '😀', '\n', '\u001b', '\ud800']) {
    const message = messageOf(`Table "${filling.repeat(1_000_000)}" is bad: give a shorter name.`);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048);
    expect(message).toMatch(/^Table ".* … .* is bad: give a shorter name\.$/u);
  }
});

test('a message is one line without characters that command a terminal', () => {
  expect(messageOf('a\nb\r\tc\u001b[31md\0e\u202ef\ud800')).toBe(String.raw`a\nb\r\tc\u001b[31md\u0000e\u202ef\ud800`);
});

test('any text makes a message that is bounded, one line and well-formed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 9000 }), (text) => {
      const message = messageOf(text.repeat(3));
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048);
      expect(message).not.toMatch(/[\p{Control}\p{Surrogate}]/u);
    }),
  );
});

test.each([
  'Cannot reach postgres://app:geheim@db:5432/x.',
  'Cannot reach postgres://app:ge/he@im:geheim@db.',
  'Cannot reach app:geheim@db:5432.',
  'Bad dsn "host=db password=geheim sslmode=disable".',
  'Bad line "required username=\\"app\\" password=\\"geheim geheim\\";".',
  'Bad body {"password": "geheim"}.',
  'Bad url "https://db/x?access_token=geheim&b=c".',
  'Bad key -----BEGIN PRIVATE KEY-----\ngeheim\n-----END PRIVATE KEY-----.',
  `${'x'.repeat(5000)} app:geheim@db ${'y'.repeat(5000)}`,
])('a secret that got into a message all the same is masked: %j', (text) => {
  expect(messageOf(text)).not.toMatch(/geheim/u);
});

test.each([
  'Sink "team/orders" (type "postgres"): $.postgres.table: expected text that is not empty, found an empty string.',
  'person@example.com has no access to kafka-0.example:9092 at 2026-01-31T12:00:00Z.',
  'The credentials lack password and host; give a dsn, or username, password, host and port.',
  'Set tls: { mode: disable } or give ca.',
])('an honest message stays as it is: %s', (text) => {
  expect(messageOf(text)).toBe(text);
});

test('a question at the end of a message has one mark', () => {
  expect(messageOf('"tabel" is not known; did you mean "table"?.')).toBe('"tabel" is not known; did you mean "table"?');
});

const throwing = new Proxy(
  {},
  {
    get: () => {
      throw new Error('geheim');
    },
    getPrototypeOf: () => {
      throw new Error('geheim');
    },
  },
);

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

test.each([
  ['undefined', undefined],
  ['null', null],
  ['a text', 'geheim'],
  ['a symbol', Symbol('geheim')],
  ['a proxy that throws', throwing],
  ['a revoked proxy', revoked({})],
  ['a revoked proxy of a function', revoked(() => undefined)],
  ['an error with a hostile name', Object.assign(new Error('geheim'), { name: 'geheim geheim\n' })],
  [
    'something that calls itself one of ours',
    {
      [Symbol.for('@kollect/core/SinkError')]: true,
      get code() {
        throw new Error('geheim');
      },
    },
  ],
  [
    'a proxy of one of ours',
    new Proxy(new SinkError('UNAVAILABLE', 'x'), {
      get: () => {
        throw new Error('geheim');
      },
    }),
  ],
])('%s that a sink throws is CONTRACT_VIOLATION without its text', (_what, thrown) => {
  const error = SinkError.from(thrown, { sinkType: 'custom', operation: 'test-connection' });
  expect(error).toMatchObject({ code: 'CONTRACT_VIOLATION', sinkType: 'custom', operation: 'test-connection' });
  expect(`${error.message} ${String(error.cause)}`).not.toMatch(/geheim/u);
});

test('an error of another copy of the package is copied, with an unknown code as BACKEND_ERROR, and its message made safe', () => {
  const foreign = { [Symbol.for('@kollect/core/SinkError')]: true, code: 'NEW_CODE', message: 'a\nb', retryable: true };
  const error = SinkError.from(foreign);
  expect(error).toBeInstanceOf(SinkError);
  expect(error).toMatchObject({ code: 'BACKEND_ERROR', message: String.raw`a\nb`, retryable: true });
  expect(sinkErrorCodes).toContain(error.code);
});

test('a remedy that was given apart ends the message once, and stays when the error is completed', () => {
  const error = new SinkError('NOT_FOUND', 'The topic is missing.', { remedy: 'Create it.' });
  const completed = SinkError.from(error, { sinkType: 'topic', operation: 'export' });
  for (const each of [error, completed])
    expect(each).toMatchObject({ message: 'The topic is missing. Create it.', remedy: 'Create it.' });
});
