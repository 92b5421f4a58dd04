import assert from 'node:assert/strict';
import type { ExportPlan, InventorySnapshot, KollectSink } from '@kollect/core';
import { assertPlan } from '../../assertions.ts';
import { both, dropsItems, holdsItems, isFenced, type Check, type Subject } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';
import { evolve } from '../../generators/evolve.ts';

const plans = ({ definition }: Subject): boolean => definition.capabilities.plan;

async function planExport(context: CheckContext, sink: KollectSink, snapshot: InventorySnapshot): Promise<ExportPlan> {
  const plan = await sink.plan?.(snapshot, {
    signal: new AbortController().signal,
    allowDeletes: snapshot.items.length === 0,
  });
  assert.ok(plan, 'capabilities.plan is true, and the sink has no plan().');
  assertPlan(context.observe(plan), context.harness.holds);
  return plan;
}

/** A plan is what an export would do, and does none of it. */
export const planChecks: readonly Check[] = [
  {
    name: 'a plan writes nothing, not even the fence',
    applies: plans,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(10);
      await context.export(sink, await context.snapshot(scope, { items }));
      const before = await context.store.fingerprint(scope);
      const newest = await context.snapshot(scope, {
        at: 9,
        items: evolve(items, { changed: 3, removed: 2, added: 1 }),
      });
      assert.equal((await planExport(context, sink, newest)).outcome, 'applied');
      assert.equal(await context.store.fingerprint(scope), before, 'The plan wrote something.');
      const next = await context.snapshot(scope, { at: 5, items: evolve(items, { changed: 1 }) });
      assert.equal((await context.export(sink, next)).outcome, 'applied', 'The plan moved the fence.');
      await context.store.expectItems(scope, next.items);
    },
  },
  {
    name: 'a plan says what the export then does',
    applies: plans,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(30);
      const changes = [
        items,
        evolve(items, { changed: 3, added: 4 }),
        evolve(items, { changed: 12, removed: 11, added: 13 }),
        [],
        items,
      ];
      for (const [at, next] of changes.entries()) {
        const snapshot = await context.snapshot(scope, { at, items: next });
        const plan = await planExport(context, sink, snapshot);
        const result = await context.export(sink, snapshot);
        assert.deepEqual(
          { outcome: plan.outcome, counts: { ...plan.counts } },
          { outcome: result.outcome, counts: { ...result.counts } },
        );
      }
    },
  },
  {
    name: 'a plan of a snapshot more than ten minutes ahead is refused as its export is',
    applies: both(plans, isFenced),
    run: async (context) => {
      const sink = await context.openSink();
      const at = (Date.now() + 20 * 60_000 - Date.parse(context.time(0))) / 1000;
      const ahead = await context.snapshot(context.scope(), { at, items: context.items(2) });
      const planning = sink.plan?.(ahead, { signal: new AbortController().signal }) ?? Promise.resolve();
      const error = await context.failure('The plan from the future', planning);
      assert.equal(error.code, 'SNAPSHOT_INVALID');
    },
  },
  {
    name: "a plan's samples are keys of items that the export inserts, updates and deletes",
    applies: both(plans, holdsItems, dropsItems),
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(30);
      await context.export(sink, await context.snapshot(scope, { items }));
      const next = await context.snapshot(scope, {
        at: 1,
        items: evolve(items, { changed: 12, removed: 3, added: 4 }),
      });
      const { samples } = await planExport(context, sink, next);
      const before = new Set(items.map(keyOf));
      const after = new Set(next.items.map(keyOf));
      assert.ok(
        samples.inserted.every((key) => !before.has(keyOf(key)) && after.has(keyOf(key))),
        'samples.inserted holds another key.',
      );
      assert.ok(
        samples.updated.every((key) => before.has(keyOf(key)) && after.has(keyOf(key))),
        'samples.updated holds another key.',
      );
      assert.ok(
        samples.deleted.every((key) => before.has(keyOf(key)) && !after.has(keyOf(key))),
        'samples.deleted holds another key.',
      );
    },
  },
  {
    name: 'the plan of an older snapshot is superseded, that of the held one unchanged',
    applies: both(plans, isFenced),
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(10);
      const held = await context.snapshot(scope, { at: 5, items });
      await context.export(sink, held);
      assert.equal((await planExport(context, sink, held)).outcome, 'unchanged');
      assert.equal(
        (await planExport(context, sink, await context.snapshot(scope, { at: 1, items: [] }))).outcome,
        'superseded',
      );
    },
  },
];

function keyOf({ targetName, uid }: { readonly targetName: string; readonly uid: string }): string {
  return `${targetName}/${uid}`;
}
