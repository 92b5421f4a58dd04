import { once } from 'node:events';
import { SinkError } from '@kollect/core';
import type { BrokenSink } from './broken-sink.fixture.ts';
import { httpSubject } from './http-sink.fixture.ts';
import { misnaming } from './network.fixture.ts';
import { abortError } from './table-sink.fixture.ts';

const statuses = 'the statuses of HTTP become the codes that they mean, retryable where trying again may help';

export const brokenHttp: readonly BrokenSink[] = [
  {
    what: 'takes every 4xx for one',
    fails: statuses,
    subject: () => httpSubject({ http: misnaming('PERMISSION_DENIED', 'AUTHENTICATION_FAILED') }),
  },
  {
    what: 'takes an error of the server for the end',
    fails: statuses,
    subject: () => httpSubject({ http: misnaming('BACKEND_ERROR', 'BACKEND_ERROR') }),
  },
  {
    what: 'forgets how long the store asked it to wait',
    fails: 'Retry-After of a store becomes retryAfterMs',
    subject: () => httpSubject({ http: misnaming('OVERLOADED', 'OVERLOADED') }),
  },
  {
    what: 'tries again what the store could not do',
    fails: 'each request that fails fails the export: none is tried again inside',
    subject: () =>
      httpSubject({
        http: {
          around: (send) => async (call) => {
            const answer = await send(call);
            return answer.status === 503 ? send(call) : answer;
          },
        },
      }),
  },
  {
    what: 'quotes what the store answered',
    fails: 'nothing of an answer is passed on: it may quote the request, the secret in it and the content of items',
    subject: () =>
      httpSubject({
        http: {
          around: (send) => async (call) => {
            const answer = await send(call);
            if (answer.status < 420) return answer;
            throw new SinkError('BACKEND_ERROR', `The store says ${answer.body.toString().slice(0, 300)}`);
          },
        },
      }),
  },
  {
    what: 'quotes the login that the store did not like',
    fails: 'nothing of an answer is passed on: it may quote the request, the secret in it and the content of items',
    subject: () =>
      httpSubject({
        http: {
          around: (send) => async (call) => {
            const answer = await send(call);
            if (answer.status !== 400) return answer;
            throw new SinkError('BACKEND_ERROR', 'The store does not like it.', { cause: answer.body.toString() });
          },
        },
      }),
  },
  {
    what: 'goes on after it has thrown',
    fails: 'an export that was aborted sends no further request',
    subject: () =>
      httpSubject({
        wrap: (sink) => ({
          ...sink,
          export: async (snapshot, options) => {
            const running = sink.export(snapshot, { ...options, signal: new AbortController().signal });
            running.catch(() => undefined);
            const aborted = once(options.signal, 'abort').then(() => {
              const { code, message } = abortError(options.signal);
              throw new SinkError(code, message);
            });
            return Promise.race([running, aborted]);
          },
        }),
      }),
  },
  {
    what: 'goes wherever it is sent',
    fails: 'a redirection is not followed to another server',
    subject: () =>
      httpSubject({
        http: {
          around:
            (send, { egress }) =>
            async (call) => {
              const answer = await send(call);
              const { location } = answer.headers;
              if (answer.status !== 307 || location === undefined) return answer;
              const { hostname, port } = new URL(location);
              (await egress.dial({ host: hostname, port: Number(port) })).end('PUT / HTTP/1.1\r\n\r\n');
              return answer;
            },
        },
      }),
  },
];
