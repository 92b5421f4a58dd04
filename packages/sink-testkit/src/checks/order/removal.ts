import assert from 'node:assert/strict';
import type { ExportResult, KollectSink, Scope } from '@kollect/core';
import { assertResult } from '../../assertions.ts';
import { both, isFenced, type Check, type Subject } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';
import { turns } from '../../patience.ts';
import { exportNeighbours } from '../content/scope.ts';

const removes = ({ definition }: Subject): boolean => definition.capabilities.removeInventory;

async function remove(
  context: CheckContext,
  sink: KollectSink,
  scope: Scope,
  removedAt: string,
  signal = new AbortController().signal,
): Promise<ExportResult> {
  const result = await sink.removeInventory?.(scope, { signal, removedAt });
  assert.ok(result, 'capabilities.removeInventory is true, and the sink has no removeInventory().');
  assertResult(context.observe(result));
  return result;
}

/** An inventory that the operator deleted leaves the store, and stays away. */
export const removalChecks: readonly Check[] = [
  {
    name: 'a removed inventory is gone, and the others stay',
    applies: removes,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const others = [
        context.scope(),
        { ...scope, inventoryName: `${scope.inventoryName}0` },
        { ...scope, cluster: `${scope.cluster ?? ''}-2` },
      ];
      const kept = await Promise.all(others.map(async (other) => context.snapshot(other, { items: context.items(3) })));
      for (const snapshot of kept) await context.export(sink, snapshot);
      await context.export(sink, await context.snapshot(scope, { items: context.items(6) }));
      const { outcome, counts } = await remove(context, sink, scope, context.time(1));
      assert.equal(outcome, 'applied');
      if (context.harness.holds === 'items')
        assert.equal(counts.deleted, 6, 'counts.deleted is the number of items that were held.');
      await context.store.expectItems(scope, []);
      for (const snapshot of kept) await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: 'a removal takes its own scope alone, also beside names that almost match',
    applies: removes,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const others = await exportNeighbours(context, scope);
      await context.export(sink, await context.snapshot(scope, { items: context.items(3) }));
      await remove(context, sink, scope, context.time(5));
      await context.store.expectItems(scope, []);
      for (const other of others) await context.store.expectSnapshot(other);
    },
  },
  {
    name: 'a removal that is aborted midway removes all or nothing, and can be done again',
    applies: removes,
    run: async (context) => {
      const sink = await context.openSink();
      for (const pause of [0, 1, 2, 5, 12]) {
        const scope = context.scope();
        const items = context.items(20);
        await context.export(sink, await context.snapshot(scope, { items }));
        const controller = new AbortController();
        const ending = context.settled(
          'The removal that is aborted midway',
          remove(context, sink, scope, context.time(5), controller.signal),
        );
        await turns(pause);
        controller.abort();
        const end = await ending;
        if (end.status === 'rejected') assert.equal((end.reason as { code?: unknown }).code, 'ABORTED');
        if (!(await context.store.holds(scope, items))) await context.store.expectItems(scope, []);
        await remove(context, sink, scope, context.time(5));
        await context.store.expectItems(scope, []);
      }
    },
  },
  {
    name: 'a removal and an older export at once end with nothing',
    applies: both(removes, isFenced),
    run: async (context) => {
      const sink = await context.openSink();
      for (const removalFirst of [true, false]) {
        const scope = context.scope();
        const items = context.items(10);
        await context.export(sink, await context.snapshot(scope, { items }));
        const older = await context.snapshot(scope, { at: 2, items: items.slice(0, 6) });
        const both = [() => remove(context, sink, scope, context.time(5)), () => context.export(sink, older)];
        await Promise.all((removalFirst ? both : both.toReversed()).map(async (start) => start()));
        await context.store.expectItems(scope, []);
      }
    },
  },
  {
    name: 'a removedAt with an offset is the moment that it names',
    applies: both(removes, isFenced),
    run: async (context) => {
      const sink = await context.openSink();
      const snapshot = await context.snapshot(context.scope(), { at: 9, items: context.items(3) });
      await context.export(sink, snapshot);
      const shifted = (at: number, hours: number): string => {
        const local = new Date(Date.parse(context.time(at)) + hours * 3_600_000).toISOString();
        return local.replace('Z', `${hours < 0 ? '-' : '+'}0${Math.abs(hours)}:00`);
      };
      assert.equal((await remove(context, sink, snapshot, shifted(5, 5))).outcome, 'superseded', 'It is older.');
      await context.store.expectSnapshot(snapshot);
      assert.equal((await remove(context, sink, snapshot, shifted(12, -5))).outcome, 'applied', 'It is newer.');
      await context.store.expectItems(snapshot, []);
    },
  },
  {
    name: 'a removal at the very moment of the held snapshot removes it',
    applies: both(removes, isFenced),
    run: async (context) => {
      const sink = await context.openSink();
      const snapshot = await context.snapshot(context.scope(), { at: 5, items: context.items(3) });
      await context.export(sink, snapshot);
      assert.equal((await remove(context, sink, snapshot, context.time(5))).outcome, 'applied');
      await context.store.expectItems(snapshot, []);
    },
  },
  {
    name: 'a removal that is older than the held snapshot is superseded',
    applies: both(removes, isFenced),
    run: async (context) => {
      const sink = await context.openSink();
      const snapshot = await context.snapshot(context.scope(), { at: 9, items: context.items(4) });
      await context.export(sink, snapshot);
      const { outcome } = await remove(context, sink, snapshot, context.time(5));
      assert.equal(outcome, 'superseded');
      await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: 'a snapshot older than the removal does not bring the inventory back',
    applies: both(removes, isFenced),
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(4);
      await context.export(sink, await context.snapshot(scope, { at: 1, items }));
      await remove(context, sink, scope, context.time(5));
      const { outcome } = await context.export(
        await context.openSink(),
        await context.snapshot(scope, { at: 3, items }),
      );
      assert.equal(outcome, 'superseded');
      await context.store.expectItems(scope, []);
    },
  },
  {
    name: 'an inventory that is made anew after its removal is written in full, also with the same content',
    applies: removes,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(4);
      await context.export(sink, await context.snapshot(scope, { at: 1, items }));
      await remove(context, sink, scope, context.time(5));
      const anew = await context.snapshot(scope, { at: 9, items });
      const { outcome } = await context.export(sink, anew);
      assert.equal(outcome, 'applied');
      await context.store.expectSnapshot(anew);
    },
  },
  {
    name: 'removing an inventory twice, or one that was never exported, is no error',
    applies: removes,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const absent = await remove(context, sink, context.scope(), context.time(1));
      assert.equal(absent.counts.deleted, 0);
      if (context.harness.holds === 'items')
        assert.equal(absent.outcome, 'unchanged', 'Where nothing was held, nothing was applied.');
      await context.export(sink, await context.snapshot(scope, { items: context.items(2) }));
      await remove(context, sink, scope, context.time(1));
      const { counts } = await remove(context, sink, scope, context.time(1));
      assert.equal(counts.deleted, 0, 'The second removal found something to delete.');
      await context.store.expectItems(scope, []);
    },
  },
  {
    name: 'an older removal of an inventory that is gone already is unchanged, and the fence stays',
    applies: both(removes, isFenced),
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(2);
      await context.export(sink, await context.snapshot(scope, { at: 1, items }));
      await remove(context, sink, scope, context.time(9));
      const { outcome } = await remove(context, sink, scope, context.time(5));
      assert.equal(outcome, 'unchanged', 'Whoever removes an inventory twice has to be told that it is gone.');
      const late = await context.export(sink, await context.snapshot(scope, { at: 7, items }));
      assert.equal(late.outcome, 'superseded', 'The older removal took the place of the newer one.');
      await context.store.expectItems(scope, []);
    },
  },
  {
    name: 'a removedAt more than ten minutes ahead is refused and removes nothing',
    applies: both(removes, isFenced),
    run: async (context) => {
      const sink = await context.openSink();
      const snapshot = await context.snapshot(context.scope(), { items: context.items(2) });
      await context.export(sink, snapshot);
      const removedAt = new Date(Date.now() + 20 * 60_000).toISOString();
      const error = await context.failure('The removal from the future', remove(context, sink, snapshot, removedAt));
      assert.equal(error.code, 'SNAPSHOT_INVALID');
      assert.ok(error.message.includes(removedAt), 'The message names the removedAt.');
      await context.store.expectSnapshot(snapshot);
    },
  },
];
