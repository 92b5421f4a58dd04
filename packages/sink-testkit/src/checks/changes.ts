import assert from 'node:assert/strict';
import { both, dropsItems, holdsItems, type Check } from '../check.ts';
import { evolve } from '../generators/evolve.ts';

/** The store follows the snapshots. */
export const changeChecks: readonly Check[] = [
  {
    name: 'changed attributes are written, also where old and new look alike',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(4);
      const values = [
        { number: 1, none: null, list: [], flag: true, text: 'a', order: [1, 2], nested: { a: { b: 1 } } },
        { number: '1', list: {}, flag: 'true', text: 'A', order: [2, 1], nested: { a: { b: 2 } } },
        { number: 1.5, none: '', list: [[]], flag: false, text: 'a ', order: [1, 2, 2], nested: { a: { c: 2 } } },
        { number: 1, none: null, list: [], flag: true, text: 'a', order: [1, 2], nested: { a: { b: 1 } } },
      ];
      for (const [at, attributes] of values.entries()) {
        const snapshot = await context.snapshot(scope, { at, items: items.map((item, index) => (index === 0 ? { ...item, attributes } : item)) });
        const { outcome } = await context.export(sink, snapshot);
        assert.equal(outcome, 'applied');
        await context.store.expectSnapshot(snapshot);
      }
    },
  },
  {
    name: 'a changed name, version, kind or namespace of an item is written',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const [item] = context.items(1);
      assert.ok(item);
      const changes = [{}, { name: 'renamed' }, { namespace: 'moved' }, { version: 'v2' }, { kind: 'Other' }, { group: 'other.example.com' }, { targetNamespace: 'elsewhere' }];
      for (const [at, change] of changes.entries()) {
        const snapshot = await context.snapshot(scope, { at, items: [{ ...item, ...change }] });
        await context.export(sink, snapshot);
        await context.store.expectSnapshot(snapshot);
      }
    },
  },
  {
    name: 'added items arrive beside those that were there',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(10);
      await context.export(sink, await context.snapshot(scope, { items }));
      const next = await context.snapshot(scope, { at: 1, items: evolve(items, { added: 5 }) });
      await context.export(sink, next);
      await context.store.expectSnapshot(next);
    },
  },
  {
    name: 'what a newer snapshot no longer holds is gone from the store',
    applies: dropsItems,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(20);
      await context.export(sink, await context.snapshot(scope, { items }));
      const next = await context.snapshot(scope, { at: 1, items: evolve(items, { removed: 7, changed: 2, added: 3 }) });
      await context.export(sink, next);
      await context.store.expectSnapshot(next);
    },
  },
  {
    name: 'an empty snapshot empties its scope',
    applies: dropsItems,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      await context.export(sink, await context.snapshot(scope, { items: context.items(10) }));
      const empty = await context.snapshot(scope, { at: 1, items: [] });
      await context.export(sink, empty);
      await context.store.expectSnapshot(empty);
    },
  },
  {
    name: 'an item that was removed and comes back is held again',
    applies: dropsItems,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(6);
      for (const [at, count] of [6, 4, 6, 0, 6].entries()) {
        const snapshot = await context.snapshot(scope, { at, items: items.slice(0, count) });
        await context.export(sink, snapshot);
        await context.store.expectSnapshot(snapshot);
      }
    },
  },
  {
    name: 'the counts say what was inserted, updated, deleted and left',
    applies: both(holdsItems, dropsItems),
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(20);
      const first = await context.export(sink, await context.snapshot(scope, { items }));
      assert.deepEqual({ ...first.counts }, { inserted: 20, updated: 0, deleted: 0, unchanged: 0 });
      const second = await context.export(sink, await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 3, removed: 2, added: 4 }) }));
      assert.deepEqual({ ...second.counts }, { inserted: 4, updated: 3, deleted: 2, unchanged: 15 });
    },
  },
];
