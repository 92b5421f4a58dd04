import assert from 'node:assert/strict';
import { createInventory, type Inventory, type Item, type KollectSink, type Scope } from '@kollect/core';
import type { CheckContext } from '../../check-context.ts';
import type { Check } from '../../check.ts';
import { evolve } from '../../generators/evolve.ts';
import { createRandom } from '../../generators/random.ts';

const targets = ['cut', 'whole'] as const;
const targetOf = ({ targetNamespace, targetName }: Item) => ({ namespace: targetNamespace, name: targetName });

/** The store follows an inventory that is kept: a sink may send what changed alone, and nobody may see that in the store. */
export const keptInventoryChecks: readonly Check[] = [
  {
    name: 'the next snapshot of an inventory that is kept leaves in the store what a whole one leaves, complete or not',
    run: async (context) => {
      const twins = await startTwins(context);
      await twins.change({ added: 30 });
      await twins.expectEqual();
      for (const incomplete of [false, true, false, true, true, false]) {
        await twins.change({ changed: 5, removed: 4, added: 3 });
        await twins.expectEqual(incomplete);
      }
      await twins.expectEqual();
      await twins.change({ removed: twins.size() });
      await twins.expectEqual();
      await twins.change({ added: 5 });
      await twins.expectEqual();
    },
  },
  {
    name: 'the next snapshot of an inventory that is kept leaves what a whole one leaves, whatever another sink wrote since the last',
    run: async (context) => {
      const twins = await startTwins(context);
      await twins.change({ added: 30 });
      await twins.expectEqual();
      for (const change of [{ changed: 2 }, {}, { changed: 1, removed: 3, added: 2 }]) {
        await twins.change(change);
        await twins.writeOther();
        await twins.expectEqual();
        await twins.change({ changed: 1 });
        await twins.expectEqual();
      }
    },
  },
];

/** Two scopes with equal items: one sink gets snapshots of a kept inventory for the first, another whole ones for the second. */
async function startTwins(context: CheckContext) {
  const random = createRandom(7);
  const [kept, whole] = [context.scope(), context.scope()];
  const [following, full, other] = [await context.openSink(), await context.openSink(), await context.openSink()];
  const inventory = createInventory(kept);
  let items: readonly Item[] = [];
  let at = 0;

  const exportWhole = async (sink: KollectSink, scope: Scope, held: readonly Item[], incompleteTargets: string[]) =>
    context.export(sink, await context.snapshot(scope, { at, items: held, incompleteTargets }), { allowDeletes: true });

  return {
    size: () => items.length,
    async change({ added = 0, ...change }: { changed?: number; removed?: number; added?: number }): Promise<void> {
      const evolved = evolve(items, { ...change, seed: random.below(0xffff_ffff) });
      const next = [...evolved, ...context.items(added, { targets })];
      await feed(inventory, items, next, random.below(2) === 0);
      items = next;
    },
    /** Both scopes get what neither of their sinks knows of. */
    async writeOther(): Promise<void> {
      at += 1;
      const others = [...evolve(items, { changed: 4, removed: 4 }), ...context.items(4, { targets })];
      for (const scope of [kept, whole]) await exportWhole(other, scope, others, []);
    },
    /** Exports both, and looks whether store and results are equal. */
    async expectEqual(incomplete = false): Promise<void> {
      at += 1;
      const [cut] = items.filter(({ targetName }) => targetName === 'cut').map(targetOf);
      const names = incomplete && cut !== undefined ? [`${cut.namespace}/${cut.name}`] : [];
      if (names.length > 0 && cut !== undefined) inventory.markIncomplete(cut);
      const snapshot = await inventory.seal({ generation: 1, exportedAt: context.time(at) });
      if (cut !== undefined) inventory.markComplete(cut);
      const result = await context.export(following, snapshot, { allowDeletes: true });
      const expected = await exportWhole(full, whole, items, names);
      await context.store.expectItems(kept, await context.store.items(whole));
      if (names.length === 0) await context.store.expectItems(kept, items);
      if (context.harness.holds === 'documents') return;
      const { outcome, counts } = expected;
      assert.deepEqual(
        { outcome: result.outcome, counts: result.counts },
        { outcome, counts },
        'The result of an inventory that is kept is not that of a whole snapshot.',
      );
    },
  };
}

/** Tells the inventory what its items are now: by each change, or by a list of each target. */
async function feed(
  inventory: Inventory,
  before: readonly Item[],
  next: readonly Item[],
  byList: boolean,
): Promise<void> {
  const all = [...before, ...next];
  if (byList) {
    for (const name of targets) {
      const known = all.find(({ targetName }) => targetName === name);
      if (known === undefined) continue;
      const held = next.filter(({ targetName }) => targetName === name);
      await inventory.replaceTarget(targetOf(known), held);
    }
    return;
  }
  const stays = new Set(next.map(({ targetName, uid }) => JSON.stringify([targetName, uid])));
  for (const item of before)
    if (!stays.has(JSON.stringify([item.targetName, item.uid])))
      inventory.delete({ target: targetOf(item), uid: item.uid });
  for (const item of next) inventory.set(item);
}
