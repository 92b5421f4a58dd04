import type { Socket } from 'node:net';
import { SinkError, type SinkErrorCode } from '@kollect/core';
import type { BrokenSink } from './broken-sink.fixture.ts';
import { goodClient, type HttpContext } from './http-client.fixture.ts';
import { httpSubject, type HttpRules } from './http-sink.fixture.ts';

const refused = 'a store that refuses connections is UNAVAILABLE, and the same sink works once it is back';
const lost = 'a connection that is lost in the middle of an export fails it, retryable: nothing is tried again inside';
const silent = 'a store that falls silent holds nobody: each operation ends with its signal, and close ends';

/** One code in the place of another. */
export function misnaming(from: SinkErrorCode, to: SinkErrorCode): Partial<HttpRules> {
  return {
    classify: (classify) => (thrown, during) => {
      const error = classify(thrown, during);
      return error.code === from ? new SinkError(to, 'Another word.', { sinkType: 'web' }) : error;
    },
  };
}

/** The first socket, whatever became of it. */
function oneSocket(): Partial<HttpRules> {
  const sockets = new WeakMap<HttpContext, Promise<Socket>>();
  return {
    dial: (context, ...given) => {
      const kept = sockets.get(context) ?? goodClient.dial(context, ...given);
      sockets.set(context, kept);
      return kept;
    },
  };
}

const deaf: Partial<HttpRules> = {
  around: (send) => async (call) => send({ ...call, signal: new AbortController().signal }),
};

export const brokenNetwork: readonly BrokenSink[] = [
  {
    what: 'calls an outage by another name',
    fails: refused,
    subject: () => httpSubject({ http: misnaming('UNAVAILABLE', 'BACKEND_ERROR') }),
  },
  {
    what: 'never dials again after it dialled in vain',
    fails: refused,
    subject: () => httpSubject({ http: oneSocket() }),
  },
  {
    what: 'tries again where a connection was lost',
    fails: lost,
    subject: () =>
      httpSubject({ http: { around: (send) => async (call) => send(call).catch(async () => send(call)) } }),
  },
  {
    what: 'takes a lost connection for the end',
    fails: lost,
    subject: () => httpSubject({ http: misnaming('UNAVAILABLE', 'BACKEND_ERROR') }),
  },
  {
    what: 'never dials again after its connection was lost',
    fails: 'connections that are lost while nothing runs end no process, and the next exports work',
    subject: () => httpSubject({ http: oneSocket() }),
  },
  { what: 'waits for its store and not for its caller', fails: silent, subject: () => httpSubject({ http: deaf }) },
  {
    what: 'waits for its store when it is closed',
    fails: 'close ends an export that waits for a silent store',
    subject: () => httpSubject({ http: deaf }),
  },
  {
    what: 'takes an abort for a time limit',
    fails: silent,
    subject: () =>
      httpSubject({
        wrap: (sink) => ({
          ...sink,
          export: async (...given) =>
            sink.export(...given).catch((error: SinkError) => {
              throw error.code === 'ABORTED' ? new SinkError('TIMEOUT', 'Too late.') : error;
            }),
        }),
      }),
  },
  {
    what: 'trusts every certificate',
    fails: 'a certificate that nobody signed is TLS_FAILED, which is not retried, and testConnection says so',
    subject: () => httpSubject({ http: { verifies: false } }),
  },
  {
    what: 'takes a certificate for an outage',
    fails: 'a certificate that nobody signed is TLS_FAILED, which is not retried, and testConnection says so',
    subject: () => httpSubject({ http: misnaming('TLS_FAILED', 'UNAVAILABLE') }),
  },
];
