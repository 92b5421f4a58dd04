import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { InventorySnapshot, KollectSink, SinkError } from '@kollect/core';
import type { Check, Subject } from '../../check.ts';
import { rowCanary, type CheckContext } from '../../check-context.ts';
import type { HttpAnswer, HttpFaultProxy } from '../../faults/http-fault-proxy.ts';
import { startTrap } from '../../faults/listener.ts';
import { exportPersistently } from '../../persistence.ts';
import { eventually } from '../../patience.ts';

/** How long the proxy keeps each request in the check of aborts, in milliseconds. */
const slowMs = 60;

const speaksHttp = ({ harness }: Subject): boolean => {
  const server = harness.hooks?.server;
  return server === undefined || server === false || server.protocol === 'http';
};

interface Session {
  readonly proxy: HttpFaultProxy;
  readonly sink: KollectSink;
  readonly snapshot: InventorySnapshot;
}

async function openSession(context: CheckContext): Promise<Session> {
  const proxy = await context.httpProxy();
  const sink = await context.openSink({ server: proxy });
  const snapshot = await context.snapshot(context.scope(), { items: context.items(4) });
  return { proxy, sink, snapshot };
}

/** The export that meets the answer at its first request. */
async function exportAgainst(context: CheckContext, session: Session, answer: HttpAnswer): Promise<SinkError> {
  session.proxy.answerWith(() => answer);
  const exporting = session.sink.export(session.snapshot, { signal: new AbortController().signal });
  return context.failure(`The export that is answered ${answer.status}`, exporting);
}

async function expectRecovery(context: CheckContext, { proxy, sink, snapshot }: Session): Promise<void> {
  proxy.pass();
  await exportPersistently(context, sink, snapshot);
  await context.store.expectSnapshot(snapshot);
}

const verdicts: readonly { readonly status: number; readonly codes: readonly string[]; readonly retryable: boolean }[] =
  [
    { status: 401, codes: ['AUTHENTICATION_FAILED'], retryable: false },
    { status: 403, codes: ['PERMISSION_DENIED'], retryable: false },
    { status: 413, codes: ['PAYLOAD_TOO_LARGE'], retryable: false },
    { status: 429, codes: ['OVERLOADED'], retryable: true },
    { status: 500, codes: ['BACKEND_ERROR', 'UNAVAILABLE'], retryable: true },
    { status: 502, codes: ['UNAVAILABLE', 'BACKEND_ERROR'], retryable: true },
    { status: 503, codes: ['UNAVAILABLE', 'OVERLOADED'], retryable: true },
    { status: 504, codes: ['TIMEOUT', 'UNAVAILABLE'], retryable: true },
  ];

/** What a store that speaks HTTP may answer. */
export const httpChecks: readonly Check[] = [
  {
    name: 'the statuses of HTTP become the codes that they mean, retryable where trying again may help',
    applies: speaksHttp,
    needs: ['hooks.server'],
    run: async (context) => {
      const session = await openSession(context);
      for (const { status, codes, retryable } of verdicts) {
        const error = await exportAgainst(context, session, { status, body: '{}' });
        assert.ok(codes.includes(error.code), `${status} became ${error.code}; expected ${codes.join(' or ')}.`);
        assert.equal(error.retryable, retryable, `${status} became ${error.code}, retryable: ${error.retryable}.`);
      }
      await expectRecovery(context, session);
    },
  },
  {
    name: 'Retry-After of a store becomes retryAfterMs',
    applies: speaksHttp,
    needs: ['hooks.server'],
    run: async (context) => {
      const session = await openSession(context);
      for (const status of [429, 503]) {
        const error = await exportAgainst(context, session, { status, headers: { 'retry-after': '7' } });
        assert.equal(error.retryAfterMs, 7000, `${status} with Retry-After: 7 has another retryAfterMs.`);
      }
      await expectRecovery(context, session);
    },
  },
  {
    name: 'each request that fails fails the export: none is tried again inside',
    applies: speaksHttp,
    needs: ['hooks.server'],
    run: async (context) => {
      const usual = await openSession(context);
      const before = usual.proxy.requests.length;
      await context.export(usual.sink, usual.snapshot);
      const count = usual.proxy.requests.length - before;
      assert.ok(
        count > 0,
        'No request came through the proxy: createSink of the harness has to dial `options.server`.',
      );
      for (let index = 0; index < count; index += 1) {
        const session = await openSession(context);
        let seen = 0;
        session.proxy.answerWith(() => ((seen += 1) === index + 1 ? { status: 503 } : undefined));
        const exporting = session.sink.export(session.snapshot, { signal: new AbortController().signal });
        const error = await context.failure(`The export whose request ${index + 1} of ${count} failed once`, exporting);
        assert.equal(error.retryable, true);
        await expectRecovery(context, session);
      }
    },
  },
  {
    name: 'nothing of an answer is passed on: it may quote the request, the secret in it and the content of items',
    applies: speaksHttp,
    needs: ['hooks.server'],
    run: async (context) => {
      const session = await openSession(context);
      for (const status of [400, 409, 422, 500, 503]) {
        session.proxy.answerWith(({ method, path, headers, body }) => {
          if (body.length === 0 && status !== 400) return undefined;
          const quoted = `failing row contains ${rowCanary}, of ${headers.authorization ?? 'nobody'}`;
          return { status, reason: quoted, body: `${quoted}: ${method} ${path} ${body.toString()}` };
        });
        const exporting = session.sink.export(session.snapshot, { signal: new AbortController().signal });
        await context.settled(`The export that is answered ${status} with a quotation`, exporting);
      }
      await expectRecovery(context, session);
    },
  },
  {
    name: 'an export that was aborted sends no further request',
    applies: speaksHttp,
    needs: ['hooks.server'],
    run: async (context) => {
      const session = await openSession(context);
      const { proxy, sink, snapshot } = session;
      // Slow enough for the abort to come before the answer of each request.
      proxy.answerWith(async () => {
        await delay(slowMs);
        return undefined;
      });
      for (let request = 0; request < 3; request += 1) {
        const controller = new AbortController();
        const before = proxy.requests.length;
        const exporting = sink.export(snapshot, { signal: controller.signal });
        const ending = context.settled('The export that is aborted', exporting);
        const begun = (): boolean => proxy.requests.length > before + request;
        let running = true;
        void ending.finally(() => (running = false)).catch(() => undefined);
        await eventually(() => begun() || !running, context.patienceMs);
        controller.abort();
        const end = await ending;
        if (end.status === 'fulfilled') break;
        assert.equal((end.reason as { code?: unknown }).code, 'ABORTED');
        await delay(slowMs / 2);
        const sent = proxy.requests.length;
        await delay(slowMs * 2);
        assert.equal(proxy.requests.length, sent, 'A request followed after the export had thrown ABORTED.');
      }
      await expectRecovery(context, session);
    },
  },
  {
    name: 'a redirection is not followed to another server',
    applies: speaksHttp,
    needs: ['hooks.server'],
    run: async (context) => {
      const session = await openSession(context);
      const trap = await startTrap();
      context.atEnd(() => trap.close());
      for (const status of [301, 302, 307, 308]) {
        const location = `http://127.0.0.1:${trap.port}/elsewhere`;
        await exportAgainst(context, session, { status, headers: { location } });
      }
      assert.equal(
        trap.accepted,
        0,
        'The sink followed a redirection, with its credentials and items, to whoever it named.',
      );
      await expectRecovery(context, session);
    },
  },
];
