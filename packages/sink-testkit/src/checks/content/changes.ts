import assert from 'node:assert/strict';
import type { Item } from '@kollect/core';
import { both, dropsItems, holdsItems, type Check } from '../../check.ts';
import { evolve } from '../../generators/evolve.ts';

type Attributes = Item['attributes'];

const lookalikes: readonly (readonly [Attributes, Attributes])[] = [
  [{ value: 1 }, { value: '1' }],
  [{ value: true }, { value: 'true' }],
  [{ value: null }, { value: 'null' }],
  [{ value: null }, {}],
  [{ value: '' }, { value: null }],
  [{ value: [] }, { value: {} }],
  [{ value: [] }, { value: [[]] }],
  [{ value: [1, 2] }, { value: [2, 1] }],
  [{ value: 'a' }, { value: 'A' }],
  [{ value: 'a' }, { value: 'a ' }],
  [{ value: '\u00e9' }, { value: 'e\u0301' }],
  [{ value: { a: { b: 1 } } }, { value: { a: { b: 2 } } }],
  [{ value: 0.1 }, { value: 0.100_000_000_000_000_02 }],
];

/** The store follows the snapshots. */
export const changeChecks: readonly Check[] = [
  {
    name: 'changed attributes are written, also where old and new look alike',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      // One item for each pair, so that one difference that is seen cannot hide one that is not.
      const items = context.items(lookalikes.length);
      for (const [at, side] of ([0, 1, 0] as const).entries()) {
        const changed = items.map((item, index) => ({ ...item, attributes: lookalikes[index]?.[side] ?? {} }));
        const snapshot = await context.snapshot(scope, { at, items: changed });
        const { outcome, counts } = await context.export(sink, snapshot);
        assert.equal(outcome, 'applied');
        if (context.harness.holds === 'items')
          assert.equal(counts.inserted + counts.updated, lookalikes.length, 'The counts miss a change.');
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
      const changes = [
        {},
        { name: 'renamed' },
        { namespace: 'moved' },
        { version: 'v2' },
        { kind: 'Other' },
        { group: 'other.example.com' },
        { targetNamespace: 'elsewhere' },
      ];
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
      const second = await context.export(
        sink,
        await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 3, removed: 2, added: 4 }) }),
      );
      assert.deepEqual({ ...second.counts }, { inserted: 4, updated: 3, deleted: 2, unchanged: 15 });
    },
  },
];
