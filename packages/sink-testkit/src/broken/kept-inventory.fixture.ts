import { snapshotChanges, type InventorySnapshot, type KollectSink } from '@kollect/core';
import { snapshotOrigin } from '@kollect/core/authoring';
import type { BrokenSink } from './broken-sink.fixture.ts';
import { goodRules, scopeKey, type Table, type TableScope } from './table-sink.fixture.ts';

/** A sink that writes what changed since the last snapshot alone, where it believes that the table holds just that one. */
export const writingChanges =
  (believes: (last: InventorySnapshot, held: TableScope) => boolean) =>
  (sink: Required<KollectSink>, table: Table): KollectSink => {
    const known = new WeakMap<object, InventorySnapshot>();
    return {
      ...sink,
      export: async (snapshot, options) => {
        const origin = snapshotOrigin(snapshot) ?? {};
        const last = known.get(origin);
        const held = table.scopes.get(scopeKey(snapshot));
        known.delete(origin);
        const trusted = last !== undefined && held !== undefined && believes(last, held);
        const result = trusted ? await writeChanges(table, last, held, snapshot) : await sink.export(snapshot, options);
        known.set(origin, snapshot);
        return result;
      },
    };
  };

async function writeChanges(table: Table, last: InventorySnapshot, held: TableScope, snapshot: InventorySnapshot) {
  const { inserted, updated, deleted } = await snapshotChanges(last, snapshot);
  const rows = new Map(held.rows);
  for (const item of [...inserted, ...updated]) rows.set(goodRules.itemKey(item), goodRules.row(item));
  const gone = deleted.filter((item) => !goodRules.keeps(goodRules.row(item), snapshot));
  for (const item of gone) rows.delete(goodRules.itemKey(item));
  const checksum = goodRules.checksum(snapshot, held);
  table.scopes.set(scopeKey(snapshot), { rows, appliedAt: snapshot.exportedAt, checksum });
  const applied = last.checksum !== snapshot.checksum;
  const counts = {
    inserted: inserted.length,
    updated: updated.length,
    deleted: gone.length,
    unchanged: snapshot.items.length - inserted.length - updated.length,
  };
  return { outcome: applied ? 'applied' : 'unchanged', counts, messages: applied ? 1 : 0, bytes: 0 } as const;
}

export const isComplete = (last: InventorySnapshot): boolean => last.incompleteTargets.length === 0;
export const isHeld = (last: InventorySnapshot, held: TableScope): boolean => held.appliedAt === last.exportedAt;

export const brokenKeptInventories: readonly BrokenSink[] = [
  {
    what: 'trusts its memory of the last snapshot without a look at the store',
    fails:
      'the next snapshot of an inventory that is kept leaves what a whole one leaves, whatever another sink wrote since the last',
    wrap: writingChanges(isComplete),
  },
  {
    what: 'takes a table for its last snapshot, which was incomplete',
    fails:
      'the next snapshot of an inventory that is kept leaves in the store what a whole one leaves, complete or not',
    wrap: writingChanges(isHeld),
  },
];
