import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { InventorySnapshot, Item, KollectSink } from '@kollect/core';
import type { Check } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';
import { evolve } from '../../generators/evolve.ts';
import { everyOperation } from '../../operations.ts';
import { eventually, turns } from '../../patience.ts';

/** The caller's signal ends an operation, cleanly, and stays the caller's. */
export const abortChecks: readonly Check[] = [
  {
    name: 'an export whose signal is aborted already throws ABORTED and writes nothing',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const before = await context.store.fingerprint(scope);
      const snapshot = await context.snapshot(scope, { items: context.items(5) });
      const error = await context.failure('The aborted export', sink.export(snapshot, { signal: AbortSignal.abort() }));
      assert.equal(error.code, 'ABORTED');
      assert.equal(error.retryable, false, 'What the caller ended is not to be retried.');
      assert.equal(
        await context.store.fingerprint(scope),
        before,
        'An export that was aborted before it began wrote something.',
      );
    },
  },
  {
    name: 'an export whose signal aborts with a TimeoutError throws TIMEOUT, which is retryable',
    run: async (context) => {
      const sink = await context.openSink();
      const snapshot = await context.snapshot(context.scope(), { items: context.items(5) });
      const signal = AbortSignal.abort(new DOMException('The attempt took too long.', 'TimeoutError'));
      const error = await context.failure('The export past its time limit', sink.export(snapshot, { signal }));
      assert.equal(error.code, 'TIMEOUT');
      assert.equal(error.retryable, true);
    },
  },
  {
    name: 'open, plan, removeInventory and testConnection throw ABORTED where the signal is aborted already',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const snapshot = await context.snapshot(scope, { items: context.items(5) });
      await context.export(sink, snapshot);
      const before = await context.store.fingerprint(scope);
      const signal = AbortSignal.abort();
      const unopened = await context.createSink();
      const next = await context.snapshot(scope, { at: 1, items: [] });
      const operations = [
        ['open', () => unopened.open?.({ signal })],
        ['plan', () => sink.plan?.(next, { signal })],
        ['removeInventory', () => sink.removeInventory?.(scope, { signal, removedAt: context.time(2) })],
        ['testConnection', () => sink.testConnection({ signal })],
      ] as const;
      for (const [name, start] of operations) {
        const promise = start();
        if (promise !== undefined)
          assert.equal((await context.failure(name, promise)).code, 'ABORTED', `${name} threw another code.`);
      }
      assert.equal(
        await context.store.fingerprint(scope),
        before,
        'An operation that was aborted before it began wrote something.',
      );
    },
  },
  {
    name: 'an export that is aborted midway leaves the old snapshot or the new one, and the next export works',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      let held = context.items(200);
      const first = await context.snapshot(scope, { items: held });
      const started = Date.now();
      await context.export(sink, first);
      const tookMs = Date.now() - started;
      const moments = [
        ...[0, 1, 2, 5, 12, 30].map((count) => async () => turns(count)),
        ...[0.2, 0.4, 0.6, 0.8].map((part) => async () => delay(tookMs * part)),
      ];
      for (const [index, moment] of moments.entries()) {
        const next = evolve(held, { changed: 80, added: 10, seed: index });
        const snapshot = await context.snapshot(scope, { at: index + 1, items: next });
        if (await abortMidway({ context, sink, held, snapshot, moment })) held = next;
      }
      const last = await context.snapshot(scope, { at: 100, items: evolve(held, { changed: 10 }) });
      assert.equal((await context.export(sink, last)).outcome, 'applied');
      await context.store.expectSnapshot(last);
    },
  },
  {
    name: 'open, plan and testConnection that are aborted midway end, as ABORTED or well, and the sink goes on',
    run: async (context) => {
      const { prepare, operations } = await everyOperation(context);
      const scope = context.scope();
      for (const pause of [0, 1, 3, 8]) {
        const sink = await context.createSink();
        for (const { name, start } of operations.filter(
          ({ name }) => name !== 'export' && name !== 'removeInventory',
        )) {
          const controller = new AbortController();
          const promise = start(sink, { signal: controller.signal });
          if (promise === undefined) continue;
          const ending = context.settled(`${name} that is aborted midway`, promise);
          await turns(pause);
          controller.abort();
          const end = await ending;
          if (end.status === 'rejected') assert.equal((end.reason as { code?: unknown }).code, 'ABORTED', name);
          if (name === 'open') await sink.open?.({ signal: new AbortController().signal });
        }
        await prepare(sink);
        await context.export(sink, await context.snapshot(scope, { at: pause, items: context.items(2) }), {
          allowDeletes: true,
        });
      }
    },
  },
  {
    name: "no listener stays on the caller's signal",
    run: async (context) => {
      const scope = context.scope();
      const controller = new AbortController();
      const { signal } = controller;
      const sink = await context.createSink();
      const items = context.items(5);
      await sink.open?.({ signal });
      const exported = await context.snapshot(scope, { items });
      await context.export(sink, exported, { signal });
      await context.export(sink, exported, { signal });
      await sink.plan?.(await context.snapshot(scope, { at: 1, items }), { signal });
      await sink.testConnection({ signal });
      await sink.removeInventory?.(scope, { signal, removedAt: context.time(2) });
      await sink.close();
      await context.settled('The export after close', sink.export(exported, { signal }));
      const left = (): number => getEventListeners(signal, 'abort').length;
      const none = await eventually(() => left() === 0, Math.min(1000, context.patienceMs));
      assert.ok(none, `${left()} abort listeners stayed on the signal.`);
    },
  },
];

interface AbortMidwayOptions {
  readonly context: CheckContext;
  readonly sink: KollectSink;
  /** What the store holds before. */
  readonly held: readonly Item[];
  readonly snapshot: InventorySnapshot;
  /** Resolves when the export is to be aborted. */
  readonly moment: () => Promise<void>;
}

/** A request of HTTP that is on its way cannot be called back; that no other follows it is a check of its own. */
function inFlightMs({ harness }: CheckContext): number {
  const server = harness.hooks?.server;
  return server !== undefined && server !== false && server.protocol === 'http' ? 50 : 0;
}

/** True where the snapshot was written, false where the store is as before; fails where it is neither. */
async function abortMidway({ context, sink, held, snapshot, moment }: AbortMidwayOptions): Promise<boolean> {
  const controller = new AbortController();
  const ending = context.settled(
    'The export that is aborted midway',
    sink.export(snapshot, { signal: controller.signal }),
  );
  await moment();
  controller.abort();
  const end = await ending;
  if (end.status === 'rejected') {
    assert.equal((end.reason as { code?: unknown }).code, 'ABORTED');
    await delay(inFlightMs(context));
    const before = await context.store.fingerprint(snapshot);
    await delay(20);
    assert.equal(
      await context.store.fingerprint(snapshot),
      before,
      'An export wrote to the store after it had thrown ABORTED.',
    );
    if (await context.store.holds(snapshot, held)) return false;
  }
  await context.store.expectItems(snapshot, snapshot.items);
  return true;
}
