import { describe, expect, test } from '@jest/globals';
import { SinkError } from '../../contract/errors/errors.ts';
import { createClassifier, type ErrorReading } from './classifier.ts';

interface Reading extends ErrorReading {
  readonly number: unknown;
  readonly message: unknown;
}

const classify = createClassifier<Reading>({
  sinkType: 'topic',
  server: 'the hub',
  specPath: 'spec.topic',
  remedies: { refused: 'Start the hub.' },
  read: ({ number, message, broker }) => ({
    number,
    message,
    shown: typeof number === 'number' ? [`hub error ${number}`] : [],
    ...(typeof broker === 'string' ? { peer: broker } : {}),
  }),
  rules: [
    ({ number }) => (number === 7 ? { code: 'OVERLOADED', what: 'The hub is busy', retryAfterMs: 5 } : undefined),
    ({ number, message }, { phase }) =>
      number === 8 && phase === 'login'
        ? { code: 'AUTHENTICATION_FAILED', what: 'The hub said no', words: String(message) }
        : undefined,
  ],
  wordRules: [
    ({ message }) => (message === 'went away' ? { code: 'UNAVAILABLE', what: 'The hub went away' } : undefined),
  ],
});
const failure = (fields: object, message = 'private words'): Error => Object.assign(new Error(message), fields);

describe('whose error it is', () => {
  test("the sink's own code wins over a socket's, wherever it stands", () => {
    const error = classify(failure({ number: 7, cause: failure({ code: 'ECONNRESET' }) }), {
      operation: 'export',
      doing: 'sending',
    });
    expect(error).toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
      retryAfterMs: 5,
      sinkType: 'topic',
      operation: 'export',
    });
    expect(error.message).toBe('The hub is busy while sending (hub error 7).');
    expect(error.cause).toBeUndefined();
  });

  test('what core dialled, with the remedy of the sink in the place of its own; one that the sink made stays', () => {
    const cause = failure({ code: 'ECONNREFUSED' });
    const dialled = new SinkError('UNAVAILABLE', 'Cannot connect to a:9: ECONNREFUSED.', { remedy: 'Check.', cause });
    expect(classify(dialled, { operation: 'export' })).toMatchObject({
      message: 'Cannot connect to a:9: ECONNREFUSED. Start the hub.',
      remedy: 'Start the hub.',
      sinkType: 'topic',
      operation: 'export',
    });
    const own = new SinkError('UNAVAILABLE', 'No.', { remedy: 'Wait.', cause, sinkType: 'topic' });
    expect(classify(own).message).toBe('No. Wait.');
  });

  test('a socket, in the words of core and with the remedy of the sink', () => {
    const refused = failure({ code: 'ECONNREFUSED', address: '::1', port: 9 });
    expect(classify(refused, { doing: 'sending' }).message).toBe(
      'Nothing answers at the address of the hub while sending (ECONNREFUSED, at [::1]:9). Start the hub.',
    );
    expect(classify(failure({ broker: 'hub-2:9', cause: refused })).message).toContain('(ECONNREFUSED, at hub-2:9)');
    expect(classify(failure({ code: 'CERT_HAS_EXPIRED' })).message).toBe(
      'The certificate of the hub has expired (CERT_HAS_EXPIRED). Renew it, or correct the clock of this machine.',
    );
  });

  test('the words of a client without codes', () => {
    expect(classify(failure({ cause: failure({}, 'went away') })).message).toBe('The hub went away.');
  });

  test.each([undefined, null, 'text', 7, {}, failure({}), failure({ code: 'SOMETHING_NEW' })])(
    'nobody knows %p',
    (thrown) => {
      expect(classify(thrown)).toMatchObject({ code: 'UNAVAILABLE', sinkType: 'topic' });
      expect(classify(thrown).message).not.toContain('private');
    },
  );

  test('a code that nobody knows is told where it looks like one', () => {
    expect(classify(failure({ code: 'SOMETHING_NEW' })).message).toContain('(SOMETHING_NEW)');
    expect(classify(failure({ code: 'select secret' })).message).not.toContain('secret');
  });

  test('a SinkError passes through, also from within', () => {
    const denied = new SinkError('NOT_FOUND', 'mine', { sinkType: 'topic', operation: 'plan' });
    expect(classify(denied, { operation: 'export' })).toBe(denied);
    expect(classify(failure({ code: 'ECONNRESET', cause: denied }))).toBe(denied);
  });

  test('a denied address is looked for where the sink reads its addresses', () => {
    const error = classify(new SinkError('EGRESS_DENIED', 'The policy forbids "10.0.0.1".'), { operation: 'export' });
    const message = 'The policy forbids "10.0.0.1"; look for it in spec.topic and in the credentials.';
    expect(error).toMatchObject({ code: 'EGRESS_DENIED', sinkType: 'topic', operation: 'export', message });
    expect(classify(error)).toBe(error);
  });

  test('what throws when it is read', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('private words');
        },
      },
    );
    expect(classify(hostile)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(classify(failure({ cause: hostile, number: 7 }))).toMatchObject({ code: 'OVERLOADED' });
  });
});

test("the server's words: at the login alone where the rule says so, on one line and bounded", () => {
  const error = failure({ number: 8 }, `no\n\u001b[31mway "x" ${'y'.repeat(1_000)}`);
  expect(classify(error, { phase: 'login' }).message).toMatch(
    /^The hub said no \(hub error 8\): "no \[31mway \\"x\\" y{150,190}…"\.$/,
  );
  expect(classify(error)).toMatchObject({ code: 'UNAVAILABLE' });
  expect(classify(error).message).not.toContain('31m');
});
