import assert from 'node:assert/strict';
import type { Item } from '@kollect/core';
import { both, dropsItems, holdsItems, type Check } from '../check.ts';

const applies = both(holdsItems, dropsItems);

function split(items: readonly Item[]): { readonly cut: Item[]; readonly whole: Item[] } {
  return {
    cut: items.filter((item) => item.targetName === 'cut'),
    whole: items.filter((item) => item.targetName === 'whole'),
  };
}

/** A listing that was cut short proves nothing about what it lacks. */
export const incompleteChecks: readonly Check[] = [
  {
    name: 'items that an incomplete target lacks are kept, and those that it holds are written',
    applies,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const { cut, whole } = split(context.items(20, { targets: ['cut', 'whole'] }));
      await context.export(sink, await context.snapshot(scope, { items: [...cut, ...whole] }));
      const changed = cut.slice(0, 3).map((item) => ({ ...item, attributes: { seen: 'again' } }));
      const partial = await context.snapshot(scope, {
        at: 1,
        items: [...changed, ...whole.slice(0, 4)],
        incompleteTargets: ['cut'],
      });
      const { counts } = await context.export(sink, partial);
      await context.store.expectItems(scope, [...changed, ...cut.slice(3), ...whole.slice(0, 4)]);
      assert.equal(
        counts.deleted,
        whole.length - 4,
        'counts.deleted is the number of items that the complete target lost.',
      );
      await context.export(sink, partial);
      await context.store.expectItems(scope, [...changed, ...cut.slice(3), ...whole.slice(0, 4)]);
    },
  },
  {
    name: 'a target that came back empty and incomplete keeps all its items',
    applies,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const { cut, whole } = split(context.items(12, { targets: ['cut', 'whole'] }));
      await context.export(sink, await context.snapshot(scope, { items: [...cut, ...whole] }));
      await context.export(sink, await context.snapshot(scope, { at: 1, items: whole, incompleteTargets: ['cut'] }));
      await context.store.expectItems(scope, [...cut, ...whole]);
      await context.export(
        sink,
        await context.snapshot(scope, { at: 2, items: [], incompleteTargets: ['cut', 'whole'] }),
      );
      await context.store.expectItems(scope, [...cut, ...whole]);
    },
  },
  {
    name: 'a complete snapshot removes what an incomplete one kept, though both have one checksum',
    applies,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const { cut, whole } = split(context.items(12, { targets: ['cut', 'whole'] }));
      await context.export(sink, await context.snapshot(scope, { items: [...cut, ...whole] }));
      await context.export(sink, await context.snapshot(scope, { at: 1, items: whole, incompleteTargets: ['cut'] }));
      const complete = await context.snapshot(scope, { at: 2, items: whole });
      await context.export(sink, complete);
      await context.store.expectSnapshot(complete);
    },
  },
  {
    name: 'a complete snapshot is written in full, though its checksum is that of one before an incomplete export',
    applies,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(12, { targets: ['cut', 'whole'] });
      await context.export(sink, await context.snapshot(scope, { items }));
      const changed = items.map((item) => ({ ...item, attributes: { changed: true } }));
      await context.export(sink, await context.snapshot(scope, { at: 1, items: changed, incompleteTargets: ['cut'] }));
      const again = await context.snapshot(scope, { at: 2, items });
      await context.export(sink, again);
      await context.store.expectSnapshot(again);
    },
  },
];
