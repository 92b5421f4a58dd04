import assert from 'node:assert/strict';
import type { Item } from '@kollect/core';
import { both, dropsItems, holdsItems, type Check } from '../../check.ts';

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
  {
    name: 'a target keeps its items where it is named exactly: names that almost match keep nothing',
    applies,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const [cut, ...others] = ['cut', 'CUT', 'cut ', ' cut', 'cu', 'cuts', 'cu_', 'c%', 'e\u0301', '\u00e9'].map(
        (name) => context.items(2, { targets: [name] }),
      );
      const [keeper] = context.items(1, { targets: ['whole'] });
      assert.ok(cut !== undefined && keeper !== undefined);
      await context.export(sink, await context.snapshot(scope, { items: [...cut, ...others.flat(), keeper] }));
      const partial = await context.snapshot(scope, { at: 1, items: [keeper], incompleteTargets: ['cut', 'e\u0301'] });
      await context.export(sink, partial, { allowDeletes: true });
      await context.store.expectItems(scope, [
        ...cut,
        ...others.flat().filter(({ targetName }) => targetName === 'e\u0301'),
        keeper,
      ]);
    },
  },
  {
    name: 'an incomplete target named namespace/name is that one, and a bare name those of every namespace',
    applies,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(8, { targets: ['cut', 'whole'] }).map((item, index) => ({
        ...item,
        targetNamespace: index < 4 ? 'team-a' : 'team-b',
      }));
      const of = (namespace: string, name: string): Item[] =>
        items.filter((item) => item.targetNamespace === namespace && item.targetName === name);
      await context.export(sink, await context.snapshot(scope, { items }));
      const bare = await context.snapshot(scope, {
        at: 1,
        items: [...of('team-a', 'whole')],
        incompleteTargets: ['cut'],
      });
      await context.export(sink, bare, { allowDeletes: true });
      const kept = [...of('team-a', 'cut'), ...of('team-b', 'cut'), ...of('team-a', 'whole')];
      await context.store.expectItems(scope, kept);
      const qualified = await context.snapshot(scope, {
        at: 2,
        items: of('team-a', 'whole'),
        incompleteTargets: ['team-b/cut'],
      });
      await context.export(sink, qualified, { allowDeletes: true });
      await context.store.expectItems(scope, [...of('team-b', 'cut'), ...of('team-a', 'whole')]);
    },
  },
  {
    name: 'a document names its incomplete targets, and holds beside the items of its snapshot at most those that it kept for them',
    applies: ({ harness }) => harness.holds === 'documents',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const { cut, whole } = split(context.items(20, { targets: ['cut', 'whole'] }));
      await context.export(sink, await context.snapshot(scope, { items: [...cut, ...whole] }));
      const changed = cut.slice(0, 3).map((item) => ({ ...item, attributes: { seen: 'again' } }));
      for (const [at, name] of ['cut', 'kollect-system/cut'].entries()) {
        const partial = await context.snapshot(scope, {
          at: at + 1,
          items: [...changed, ...whole.slice(0, 4)],
          incompleteTargets: [name],
        });
        await context.export(sink, partial, { allowDeletes: true });
        const [document] = (await context.store.documents(scope)).slice(-1);
        assert.deepEqual(
          [...(document?.incompleteTargets ?? [])],
          [name],
          'The newest document does not name the incomplete targets of its snapshot: its readers delete what it lacks.',
        );
        const carried = [...partial.items, ...cut.slice(3)];
        if (!(await context.store.holds(scope, carried))) await context.store.expectItems(scope, partial.items);
      }
      const complete = await context.snapshot(scope, { at: 9, items: whole });
      await context.export(sink, complete, { allowDeletes: true });
      await context.store.expectSnapshot(complete);
      const [last] = (await context.store.documents(scope)).slice(-1);
      assert.deepEqual([...(last?.incompleteTargets ?? [])], [], 'A complete snapshot has no incomplete targets.');
    },
  },
];
