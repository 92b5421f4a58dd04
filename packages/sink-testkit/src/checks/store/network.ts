import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Check } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';
import { startUntrustedServer } from '../../faults/listener.ts';
import { evolve } from '../../generators/evolve.ts';
import { everyOperation } from '../../operations.ts';
import { exportPersistently } from '../../persistence.ts';

/** Long enough for an operation to be under way, in milliseconds. */
const silenceMs = 150;

/** Bytes that a sink sends from its making to the end of its first export of so many items. */
async function usualBytes(context: CheckContext, count: number): Promise<number> {
  const proxy = await context.proxy();
  const sink = await context.openSink({ server: proxy });
  await context.export(sink, await context.snapshot(context.scope(), { items: context.items(count) }));
  const { toServer } = proxy.forwarded;
  assert.ok(toServer > 0, 'Nothing came through the proxy: createSink of the harness has to dial `options.server`.');
  return toServer;
}

/** The network between sink and store, through a proxy of the suite. */
export const networkChecks: readonly Check[] = [
  {
    name: 'a store that refuses connections is UNAVAILABLE, and the same sink works once it is back',
    needs: ['hooks.server'],
    run: async (context) => {
      const { signal } = new AbortController();
      const proxy = await context.proxy();
      const [fresh, used] = [await context.createSink({ server: proxy }), await context.openSink({ server: proxy })];
      const scope = context.scope();
      const items = context.items(5);
      await context.export(used, await context.snapshot(scope, { items }));
      await proxy.refuse();
      proxy.reset();
      const next = await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 2 }) });
      for (const sink of [fresh, used]) {
        const attempt = async (): Promise<unknown> => {
          await sink.open?.({ signal });
          return sink.export(next, { signal });
        };
        // The first one may find a connection dead.
        await context.failure('The export to a store that refuses connections', attempt());
        const error = await context.failure('The export to a store that refuses connections', attempt());
        assert.equal(error.code, 'UNAVAILABLE');
        assert.equal(error.retryable, true);
      }
      await proxy.accept();
      for (const [index, sink] of [fresh, used].entries()) {
        await sink.open?.({ signal });
        const back = await context.snapshot(scope, { at: index + 2, items: evolve(items, { changed: index + 1 }) });
        await exportPersistently(context, sink, back);
        await context.store.expectSnapshot(back);
      }
    },
  },
  {
    name: 'a connection that is lost in the middle of an export fails it, retryable: nothing is tried again inside',
    needs: ['hooks.server'],
    run: async (context) => {
      const count = 200;
      const bytes = await usualBytes(context, count);
      for (const [index, part] of [0.1, 0.3, 0.5, 0.7].entries()) {
        const proxy = await context.proxy();
        const scope = context.scope();
        const sink = await context.createSink({ server: proxy });
        const snapshot = await context.snapshot(scope, { items: context.items(count) });
        const fault = index % 2 === 0 ? 'reset' : 'cut';
        const fired = proxy.onBytes({ direction: 'toServer', after: Math.ceil(bytes * part), fault });
        const exporting = (async () => {
          await sink.open?.({ signal: new AbortController().signal });
          return sink.export(snapshot, { signal: new AbortController().signal });
        })();
        const error = await context.failure('The export whose connection was lost', exporting);
        await Promise.race([fired, delay(1000, undefined, { ref: false })]);
        assert.equal(error.retryable, true, `A lost connection is ${error.code}, which is not retried.`);
        if (!(await context.store.holds(scope, []))) await context.store.expectItems(scope, snapshot.items);
        await sink.open?.({ signal: new AbortController().signal });
        await exportPersistently(context, sink, snapshot);
        await context.store.expectItems(scope, snapshot.items);
      }
    },
  },
  {
    name: 'connections that are lost while nothing runs end no process, and the next exports work',
    needs: ['hooks.server'],
    run: async (context) => {
      const proxy = await context.proxy();
      const sink = await context.openSink({ server: proxy });
      const scope = context.scope();
      const items = context.items(4);
      await context.export(sink, await context.snapshot(scope, { items }));
      for (const [index, fault] of (['reset', 'cut'] as const).entries()) {
        proxy[fault]();
        await delay(50);
        const next = await context.snapshot(scope, { at: index + 1, items: evolve(items, { changed: index + 1 }) });
        await exportPersistently(context, sink, next);
        await context.store.expectSnapshot(next);
      }
    },
  },
  {
    name: 'a store that falls silent holds nobody: each operation ends with its signal, and close ends',
    needs: ['hooks.server'],
    run: async (context) => {
      const proxy = await context.proxy();
      const { prepare, operations } = await everyOperation(context);
      const first = await context.openSink({ server: proxy });
      await prepare(first);
      for (const { name, start } of operations) {
        const sink =
          name === 'open' ? await context.createSink({ server: proxy }) : await context.openSink({ server: proxy });
        proxy.blackhole();
        const timedOut = start(sink, { signal: AbortSignal.timeout(silenceMs) });
        const controller = new AbortController();
        const aborted = timedOut === undefined ? undefined : start(sink, { signal: controller.signal });
        if (timedOut !== undefined && aborted !== undefined) {
          const timeout = context.settled(`${name} of a silent store, past its time limit`, timedOut);
          const abort = context.settled(`${name} of a silent store, aborted`, aborted);
          await delay(silenceMs / 2);
          controller.abort();
          for (const [code, end] of [
            ['TIMEOUT', await timeout],
            ['ABORTED', await abort],
          ] as const)
            assert.equal(
              end.status === 'rejected' ? (end.reason as { code?: unknown }).code : 'a result',
              code,
              `${name} of a silent store ended otherwise.`,
            );
        }
        const closed = await context.settled('Closing a sink whose store is silent', sink.close());
        assert.equal(closed.status, 'fulfilled');
        proxy.heal();
        proxy.reset();
      }
    },
  },
  {
    name: 'close ends an export that waits for a silent store',
    needs: ['hooks.server'],
    run: async (context) => {
      const proxy = await context.proxy();
      const sink = await context.openSink({ server: proxy });
      const snapshot = await context.snapshot(context.scope(), { items: context.items(5) });
      proxy.blackhole();
      const exporting = sink.export(snapshot, { signal: new AbortController().signal });
      const ending = context.settled('The export during which its sink is closed', exporting);
      await delay(silenceMs);
      const closed = await context.settled('Closing a sink whose store is silent', sink.close());
      assert.equal(closed.status, 'fulfilled');
      assert.equal((await ending).status, 'rejected', 'An export to a silent store succeeded.');
    },
  },
  {
    name: 'a certificate that nobody signed is TLS_FAILED, which is not retried, and testConnection says so',
    needs: ['hooks.untrustedSink'],
    run: async (context) => {
      const { signal } = new AbortController();
      const server = await startUntrustedServer();
      context.atEnd(() => server.close());
      const sink = await context.untrustedSink(server);
      const snapshot = await context.snapshot(context.scope(), { items: context.items(2) });
      const exporting = (async () => {
        await sink.open?.({ signal });
        return sink.export(snapshot, { signal });
      })();
      const error = await context.failure('The export to a server that nobody trusts', exporting);
      assert.equal(error.code, 'TLS_FAILED');
      assert.equal(error.retryable, false, 'A certificate does not change from one attempt to the next.');
      const { steps } = context.observe(await sink.testConnection({ signal }));
      assert.ok(
        steps.some(({ status, code }) => status === 'failed' && code === 'TLS_FAILED'),
        'No step of testConnection failed with TLS_FAILED.',
      );
    },
  },
];
