import type { ExportResult, InventorySnapshot } from '@kollect/core';
import type { BrokenSink } from './broken-sink.fixture.ts';

const adds = 'messages and bytes are those of what was written, and counts add up to the snapshot';

function telling(
  what: string,
  fails: string,
  change: (result: ExportResult, snapshot: InventorySnapshot) => ExportResult,
): BrokenSink {
  return {
    what,
    fails,
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => change(await sink.export(snapshot, options), snapshot),
    }),
  };
}

export const brokenResults: readonly BrokenSink[] = [
  telling('never counts bytes', adds, (result) => ({ ...result, bytes: 0 })),
  telling('never counts messages', adds, (result) => ({ ...result, messages: 0 })),
  telling('counts bits', adds, (result) => ({ ...result, bytes: result.bytes * 1000 })),
  telling('counts each byte as a message', adds, (result) => ({ ...result, messages: result.bytes })),
  telling('counts items for bytes', adds, (result) => ({ ...result, bytes: Math.min(result.bytes, 1) })),
  telling('forgets what was unchanged', adds, (result) => ({ ...result, counts: { ...result.counts, unchanged: 0 } })),
  telling('counts what it inserted twice', adds, (result) => ({
    ...result,
    counts: { ...result.counts, inserted: result.counts.inserted * 2 },
  })),
  telling(
    'counts what it would have written',
    'an export that wrote nothing has no messages and no bytes',
    (result, { itemsByteLength }) => ({ ...result, messages: 1, bytes: itemsByteLength }),
  ),
  telling(
    'forgets what it held where nothing changed',
    'an export that wrote nothing has no messages and no bytes',
    (result) => (result.outcome === 'unchanged' ? { ...result, counts: { ...result.counts, unchanged: 0 } } : result),
  ),
  telling(
    'counts what a newer snapshot holds',
    'an export that wrote nothing has no messages and no bytes',
    (result, { items }) =>
      result.outcome === 'superseded' ? { ...result, counts: { ...result.counts, unchanged: items.length } } : result,
  ),
  {
    what: 'has a fence and does not say so',
    fails: 'a sink type claims what its sinks do: a fence, and deletes',
    definition: { capabilities: { fenced: false, deletes: true, plan: true, removeInventory: true } },
  },
  {
    what: 'deletes and does not say so',
    fails: 'a sink type claims what its sinks do: a fence, and deletes',
    definition: { capabilities: { fenced: true, deletes: false, plan: true, removeInventory: true } },
  },
];
