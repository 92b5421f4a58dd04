import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { SinkError } from '@kollect/core';
import type { BrokenSink } from './broken-sink.fixture.ts';
import { goodClient } from './http-client.fixture.ts';
import { httpSubject } from './http-sink.fixture.ts';

const alone = 'a sink dials through its egress alone, whatever it does';
const denied =
  'an address that the egress policy forbids is EGRESS_DENIED, which is not retried, and nothing is dialled';
const made = 'making a sink does nothing: no file, no socket, no timer';
const prints = 'a sink prints nothing: neither to stdout and stderr nor to the console';
const ends = 'after close nothing of a sink keeps the process alive, and no socket is open';
const hosts = "a sink takes nothing of the host's own: no proxy, no cloud's credentials, no configuration of a client";

async function dialPast({ host, port }: { readonly host: string; readonly port: number }) {
  const socket = connect({ host, port });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.on('error', reject);
  });
  return socket;
}

export const brokenProcess: readonly BrokenSink[] = [
  {
    what: 'dials by itself',
    fails: alone,
    subject: () => httpSubject({ http: { dial: async (_, address) => dialPast(address) } }),
  },
  {
    what: 'checks one address and dials another',
    fails: alone,
    subject: () =>
      httpSubject({
        http: {
          dial: async ({ egress }, address) => {
            egress.check('127.0.0.2');
            return dialPast(address);
          },
        },
      }),
  },
  {
    what: 'says that it dials nobody, and dials',
    fails: alone,
    subject: () => {
      const { definition, harness } = httpSubject();
      return { definition, harness: { ...harness, hooks: { ...harness.hooks, server: false } } };
    },
  },
  {
    what: 'dials by itself where its egress says no',
    fails: denied,
    subject: () =>
      httpSubject({
        http: {
          dial: async (...given) => goodClient.dial(...given).catch(async () => dialPast(given[1])),
        },
      }),
  },
  {
    what: 'takes a forbidden address for an outage',
    fails: denied,
    subject: () =>
      httpSubject({
        http: {
          classify: (classify) => (thrown, during) => {
            const error = classify(thrown, during);
            return error.code === 'EGRESS_DENIED' ? new SinkError('UNAVAILABLE', 'Nobody answers.') : error;
          },
        },
      }),
  },
  {
    what: 'starts a timer when it is made',
    fails: made,
    subject: () => httpSubject({ http: { onCreate: () => void setInterval(() => undefined, 60_000).unref() } }),
  },
  {
    what: 'connects when it is made',
    fails: made,
    subject: () =>
      httpSubject({
        http: {
          onCreate: ({ egress, spec: { host, port } }) =>
            void egress.dial({ host, port }).then(
              (socket) => socket.destroy(),
              () => undefined,
            ),
        },
      }),
  },
  {
    what: 'reads a file when it is made',
    fails: made,
    subject: () =>
      httpSubject({ http: { onCreate: () => void readFile(import.meta.filename).catch(() => undefined) } }),
  },
  {
    what: 'makes its directory when it is made',
    fails: 'a sink that is closed right after it was made has touched nothing of the store',
    wrap: (sink, table) => {
      table.drafts.add(`made ${table.drafts.size}`);
      return sink;
    },
  },
  {
    what: 'prints what it exports',
    fails: prints,
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        process.stdout.write('');
        return sink.export(snapshot, options);
      },
    }),
  },
  {
    what: 'prints what it could not do',
    fails: prints,
    brokenSink: (sink) => ({
      ...sink,
      plan: async (...given) =>
        sink.plan(...given).catch((error: unknown) => {
          process.stderr.write('');
          throw error;
        }),
    }),
  },
  {
    what: 'holds a timer after close',
    fails: ends,
    wrap: (sink) => ({
      ...sink,
      open: async (options) => {
        const timer = setInterval(() => undefined, 60_000);
        // The test of this test has to end.
        setTimeout(() => clearInterval(timer), 5000).unref();
        return sink.open(options);
      },
    }),
  },
  {
    what: 'keeps its connections after close',
    fails: ends,
    // The test of this test has to end.
    subject: () => httpSubject({ http: { release: (agent) => void setTimeout(() => agent.destroy(), 4000).unref() } }),
  },
  {
    what: 'has a connection without a listener for its errors',
    fails: 'every socket that waits has a listener for its error, so that a connection that dies ends no process',
    subject: () =>
      httpSubject({
        http: {
          dial: async (...given) => {
            const spare = await goodClient.dial(...given);
            spare.removeAllListeners('error').unref();
            return goodClient.dial(...given);
          },
        },
      }),
  },
  {
    what: 'dials the proxy of the environment',
    fails: hosts,
    says: /./,
    subject: () =>
      httpSubject({
        http: {
          address: ({ spec }) => {
            const proxy = process.env['HTTPS_PROXY'];
            if (proxy === undefined) return spec;
            const { hostname, port } = new URL(proxy);
            return { host: hostname, port: Number(port) };
          },
        },
      }),
  },
  {
    what: 'sends what the environment says',
    fails: hosts,
    subject: () =>
      httpSubject({
        http: {
          around: (send) => async (call) =>
            send({ ...call, headers: { ...call.headers, 'x-token': process.env['GITLAB_TOKEN'] ?? 'none' } }),
        },
      }),
  },
  {
    what: 'logs in with its first secret for ever',
    fails: 'a sink that is at work logs in with the new secret once the old one is gone',
    subject: () => {
      const first = new WeakMap<object, Promise<string>>();
      const token = (context: Parameters<typeof goodClient.token>[0]): Promise<string> => {
        const kept = first.get(context) ?? goodClient.token(context);
        first.set(context, kept);
        return kept;
      };
      return httpSubject({ http: { token } });
    },
  },
  {
    what: 'reads its secret when it is made',
    fails: 'a secret that was rotated after the sink was made is the one it logs in with',
    says: /AUTHENTICATION_FAILED/,
    subject: () => {
      const first = new WeakMap<object, Promise<string>>();
      return httpSubject({
        http: {
          onCreate: (context) => void first.set(context, goodClient.token(context)),
          token: async (context) => first.get(context) ?? '',
        },
      });
    },
  },
];
