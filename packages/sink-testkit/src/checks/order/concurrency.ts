import assert from 'node:assert/strict';
import { holdsItems, isFenced, type Check } from '../../check.ts';
import { evolve } from '../../generators/evolve.ts';
import { turns } from '../../patience.ts';

/** Several exports at once, and readers beside them. */
export const concurrencyChecks: readonly Check[] = [
  {
    name: 'two exports at once through one sink end with the newest',
    applies: isFenced,
    run: async (context) => {
      const sink = await context.openSink();
      const items = context.items(60);
      for (const newestFirst of [true, false]) {
        const scope = context.scope();
        const older = await context.snapshot(scope, { at: 1, items });
        const newest = await context.snapshot(scope, { at: 2, items: evolve(items, { changed: 20, added: 5 }) });
        const order = newestFirst ? [newest, older] : [older, newest];
        await Promise.all(order.map(async (snapshot) => context.export(sink, snapshot)));
        await context.store.expectItems(scope, newest.items);
      }
    },
  },
  {
    name: 'ten rounds of two sinks on one scope end each with the newest, without an error',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const sinks = [await context.openSink(), await context.openSink()];
      let items = context.items(40);
      for (let round = 0; round < 10; round += 1) {
        const older = await context.snapshot(scope, {
          at: round * 2 + 1,
          items: evolve(items, { changed: 5, seed: round }),
        });
        items = evolve(items, { changed: 10, added: 2, seed: round + 100 });
        const newest = await context.snapshot(scope, { at: round * 2 + 2, items });
        const order = round % 2 === 0 ? [older, newest] : [newest, older];
        const results = await Promise.all(
          order.map(async (snapshot, index) => context.export(sinks[index] ?? assert.fail(), snapshot)),
        );
        assert.equal(results[order.indexOf(newest)]?.outcome, 'applied', 'The newest snapshot was not applied.');
        await context.store.expectItems(scope, items);
      }
    },
  },
  {
    name: 'exports of different scopes at once all arrive',
    run: async (context) => {
      const sink = await context.openSink();
      const snapshots = await Promise.all(
        Array.from({ length: 8 }, async () => context.snapshot(context.scope(), { items: context.items(20) })),
      );
      await Promise.all(snapshots.map(async (snapshot) => context.export(sink, snapshot)));
      for (const snapshot of snapshots) await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: 'a reader sees the old snapshot or the new one, never a mix',
    applies: holdsItems,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      let held = context.items(200);
      await context.export(sink, await context.snapshot(scope, { items: held }));
      for (let round = 1; round <= 3; round += 1) {
        const next = evolve(held, { changed: 80, added: 40, seed: round });
        const snapshot = await context.snapshot(scope, { at: round, items: next });
        let running = true;
        const done = context.export(sink, snapshot).finally(() => {
          running = false;
        });
        const reading = (async () => {
          while (running) {
            const seen = await context.store.items(scope);
            assertOneOf(seen.length, [held.length, next.length]);
            if (!(await context.store.holds(scope, held))) await context.store.expectItems(scope, next);
            await turns(1);
          }
        })();
        await Promise.all([done, reading]);
        held = next;
      }
      await context.store.expectItems(scope, held);
    },
  },
];

function assertOneOf(count: number, counts: readonly number[]): void {
  assert.ok(
    counts.includes(count),
    `A reader saw ${count} items while an export ran; expected ${counts.join(' or ')}.`,
  );
}
