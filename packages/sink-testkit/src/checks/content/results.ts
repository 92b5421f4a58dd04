import assert from 'node:assert/strict';
import type { ExportResult, InventorySnapshot } from '@kollect/core';
import { dropsItems, isFenced, type Check } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';
import { evolve } from '../../generators/evolve.ts';

/** What a store may add to the items: keys, envelopes, encodings, an index. */
const mostTimes = 10;
const mostExtra = 64 * 1024;

function assertWritten(
  { harness: { holds } }: CheckContext,
  result: ExportResult,
  { items, itemsByteLength }: InventorySnapshot,
): void {
  const { counts, messages, bytes } = result;
  const counted = counts.inserted + counts.updated + counts.unchanged;
  // Where a record is a whole document, the documents may be what is counted.
  assert.ok(
    counted === items.length || (holds === 'documents' && counted === messages),
    `inserted, updated and unchanged together are ${counted}, and the snapshot has ${items.length} items.`,
  );
  assert.ok(messages >= 1, `messages is ${messages}, though items were written.`);
  assert.ok(messages <= items.length * 2 + 10, `messages is ${messages} for ${items.length} items.`);
  assert.ok(bytes > 0, 'bytes is 0, though items were written.');
  assert.ok(
    bytes <= itemsByteLength * mostTimes + mostExtra,
    `bytes is ${bytes} for items of ${itemsByteLength} bytes.`,
  );
}

/** Numbers that a metric adds up. */
export const resultChecks: readonly Check[] = [
  {
    name: 'messages and bytes are those of what was written, and counts add up to the snapshot',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(200, { bytes: 500 });
      const many = await context.snapshot(scope, { items });
      const written = await context.export(sink, many);
      assertWritten(context, written, many);
      const few = await context.snapshot(context.scope(), { items: items.slice(0, 1) });
      const little = await context.export(sink, few);
      assertWritten(context, little, few);
      assert.ok(
        written.bytes > little.bytes * 2,
        `bytes is ${written.bytes} for 200 items of 500 bytes and ${little.bytes} for one of them.`,
      );
      const changed = await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 50 }) });
      assertWritten(context, await context.export(sink, changed), changed);
    },
  },
  {
    name: 'an export that wrote nothing has no messages and no bytes',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(20);
      const held = await context.snapshot(scope, { at: 5, items });
      await context.export(sink, held);
      const older = await context.snapshot(scope, { at: 1, items: context.items(3) });
      for (const snapshot of [held, older]) {
        const { outcome, counts, messages, bytes } = await context.export(sink, snapshot);
        if (outcome === 'unchanged' && context.harness.holds === 'items')
          assert.equal(
            counts.unchanged,
            snapshot.items.length,
            'counts.unchanged is the number of items that are held.',
          );
        assert.deepEqual(
          { messages, bytes },
          { messages: 0, bytes: 0 },
          `An export that is ${outcome} wrote something.`,
        );
      }
    },
  },
  {
    name: 'a sink type claims what its sinks do: a fence, and deletes',
    run: async (context) => {
      const { definition, store } = context;
      const scope = context.scope();
      const items = context.items(4);
      const newer = await context.openSink();
      await context.export(newer, await context.snapshot(scope, { at: 9, items }));
      await newer.close();
      const other = await context.openSink();
      const { outcome } = await context.export(
        other,
        await context.snapshot(scope, { at: 8, items: evolve(items, { changed: 1 }) }),
      );
      assert.equal(
        outcome === 'superseded',
        definition.capabilities.fenced,
        `An older snapshot of another sink is ${outcome}, and capabilities.fenced is ${String(definition.capabilities.fenced)}.`,
      );
      if (dropsItems(context)) return;
      await context.export(other, await context.snapshot(scope, { at: 10, items: items.slice(1) }));
      assert.ok(
        (await store.items(scope)).some(({ uid }) => uid === items[0]?.uid),
        'The store dropped what a newer snapshot lacks, and capabilities.deletes is false.',
      );
    },
  },
];
