import assert from 'node:assert/strict';
import type { Check } from '../../check.ts';
import { evolve } from '../../generators/evolve.ts';
import { turns } from '../../patience.ts';

/** A sink frees what it took, whenever it is told to. */
export const lifecycleChecks: readonly Check[] = [
  {
    name: 'a sink can be closed twice, also at once',
    run: async (context) => {
      const sink = await context.openSink();
      await context.export(sink, await context.snapshot(context.scope(), { items: context.items(2) }));
      const twice = await context.settled('Two closes at once', Promise.all([sink.close(), sink.close()]));
      const third = await context.settled('The third close', sink.close());
      assert.deepEqual([twice.status, third.status], ['fulfilled', 'fulfilled']);
    },
  },
  {
    name: 'a sink that was never opened can be closed',
    run: async (context) => {
      const sink = await context.createSink();
      const end = await context.settled('Closing a sink that was never opened', sink.close());
      assert.equal(end.status, 'fulfilled');
    },
  },
  {
    name: 'close settles a running export and itself',
    run: async (context) => {
      const scope = context.scope();
      const items = context.items(2000);
      for (const pause of [0, 1, 5]) {
        const sink = await context.openSink();
        const snapshot = await context.snapshot(scope, { at: pause, items });
        const exporting = sink.export(snapshot, { signal: new AbortController().signal });
        const running = context.settled('The export during which its sink is closed', exporting);
        await turns(pause);
        const closed = await context.settled('Closing a sink that exports', sink.close());
        assert.equal(closed.status, 'fulfilled');
        await running;
      }
      // Another content: a sink that says unchanged need not write the time of what it held already.
      const last = await context.snapshot(scope, { at: 9, items: evolve(items, { changed: 1 }) });
      await context.export(await context.openSink(), last);
      await context.store.expectSnapshot(last);
    },
  },
  {
    name: 'once close has resolved, an export that ran writes nothing more',
    run: async (context) => {
      const items = context.items(30);
      for (const pause of [0, 1, 2, 5, 12]) {
        const scope = context.scope();
        const sink = await context.openSink();
        await context.export(sink, await context.snapshot(scope, { items }));
        const next = await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 10 }) });
        const ending = context.settled('The export', sink.export(next, { signal: new AbortController().signal }));
        await turns(pause);
        await sink.close();
        const before = await context.store.fingerprint(scope);
        await ending;
        assert.equal(await context.store.fingerprint(scope), before, 'The sink wrote after it was closed.');
      }
    },
  },
  {
    name: 'an export after close throws ABORTED and writes nothing',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const before = await context.store.fingerprint(scope);
      await sink.close();
      const snapshot = await context.snapshot(scope, { items: context.items(2) });
      const exporting = sink.export(snapshot, { signal: new AbortController().signal });
      const { code } = await context.failure('The export after close', exporting);
      assert.equal(code, 'ABORTED', 'Whoever closed the sink ended what comes after.');
      assert.equal(await context.store.fingerprint(scope), before, 'A closed sink wrote to the store.');
    },
  },
  {
    name: 'open, plan, removeInventory and testConnection after close end with a SinkError or a report, and write nothing',
    run: async (context) => {
      const { signal } = new AbortController();
      const scope = context.scope();
      const items = context.items(3);
      const sink = await context.openSink();
      await context.export(sink, await context.snapshot(scope, { items }));
      await sink.close();
      const next = await context.snapshot(scope, { at: 1, items: [] });
      const late = [
        ['open', () => sink.open?.({ signal })],
        ['plan', () => sink.plan?.(next, { signal })],
        ['removeInventory', () => sink.removeInventory?.(scope, { signal, removedAt: context.time(2) })],
        ['testConnection', () => sink.testConnection({ signal })],
      ] as const;
      for (const [name, start] of late) {
        const promise = start();
        if (promise === undefined) continue;
        const end = await context.settled<unknown>(`${name} after close`, promise);
        if (name === 'plan' || name === 'removeInventory')
          assert.equal(end.status, 'rejected', `${name} worked on a sink that is closed.`);
      }
      await context.store.expectItems(scope, items);
    },
  },
  {
    name: 'one sink goes on when another of the same store is closed',
    run: async (context) => {
      const [first, second] = [await context.openSink(), await context.openSink()];
      await context.export(first, await context.snapshot(context.scope(), { items: context.items(2) }));
      await context.export(second, await context.snapshot(context.scope(), { items: context.items(2) }));
      await first.close();
      const snapshot = await context.snapshot(context.scope(), { items: context.items(2) });
      await context.export(second, snapshot);
      await context.store.expectSnapshot(snapshot);
    },
  },
];
