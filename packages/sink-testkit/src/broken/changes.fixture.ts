import type { InventorySnapshot, Item } from '@kollect/core';
import { documentDefinition, documentHarness } from './document-sink.fixture.ts';
import { none, scopeKey, type Table } from './table-sink.fixture.ts';
import type { BrokenSink } from './broken-sink.fixture.ts';

/** The newest time of each scope, by its name in lower case. */
const foldedTimes = new WeakMap<Table, Map<string, string>>();

export const brokenChanges: readonly BrokenSink[] = [
  {
    what: 'compares rows by a collation that ignores case',
    fails: 'changed attributes are written, also where old and new look alike',
    rules: () => ({
      differs: (held, next) => JSON.stringify(held).toLowerCase() !== JSON.stringify(next).toLowerCase(),
    }),
  },
  {
    what: 'compares attributes alone',
    fails: 'a changed name, version, kind or namespace of an item is written',
    rules: () => ({ differs: (held, next) => JSON.stringify(held.attributes) !== JSON.stringify(next.attributes) }),
  },
  {
    what: 'updates and never inserts',
    fails: 'added items arrive beside those that were there',
    rules: () => ({
      takes: (item, held) => held === undefined || [...held.rows.values()].some(({ uid }) => uid === item.uid),
    }),
  },
  {
    what: 'forgets deletes',
    fails: 'what a newer snapshot no longer holds is gone from the store',
    rules: () => ({ keeps: () => true }),
  },
  {
    what: 'deletes what it has just written',
    fails: 'added items arrive beside those that were there',
    rules: () => ({ takes: (_item, held) => held === undefined }),
  },
  {
    what: 'does nothing for an empty snapshot',
    fails: 'an empty snapshot empties its scope',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) =>
        snapshot.items.length === 0
          ? { outcome: 'unchanged', counts: none, messages: 0, bytes: 0 }
          : sink.export(snapshot, options),
    }),
  },
  {
    what: 'tells on two lines where it wrote',
    fails: 'an item that was removed and comes back is held again',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => ({ ...(await sink.export(snapshot, options)), reference: 'a\nb' }),
    }),
  },
  {
    what: 'never revives what it deleted',
    fails: 'an item that was removed and comes back is held again',
    rules: () => {
      const graveyard = new Set<string>();
      return {
        keeps: (row: Item) => {
          graveyard.add(row.uid);
          return false;
        },
        takes: (item) => !graveyard.has(item.uid),
      };
    },
  },
  {
    what: 'counts updates as inserts',
    fails: 'the counts say what was inserted, updated, deleted and left',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) => {
        const { counts, ...result } = await sink.export(...given);
        return { ...result, counts: { ...counts, inserted: counts.inserted + counts.updated, updated: 0 } };
      },
    }),
  },
  {
    what: 'deletes rows of an incomplete target',
    fails: 'items that an incomplete target lacks are kept, and those that it holds are written',
    rules: () => ({ keeps: () => false }),
  },
  {
    what: 'skips incomplete targets altogether',
    fails: 'items that an incomplete target lacks are kept, and those that it holds are written',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) =>
        sink.export(
          {
            ...snapshot,
            items: snapshot.items.filter(({ targetName }) => !snapshot.incompleteTargets.includes(targetName)),
          },
          options,
        ),
    }),
  },
  {
    what: 'keeps rows of those incomplete targets alone that sent something',
    fails: 'a target that came back empty and incomplete keeps all its items',
    rules: () => ({
      keeps: (row, { incompleteTargets, items }) =>
        incompleteTargets.includes(row.targetName) && items.some(({ targetName }) => targetName === row.targetName),
    }),
  },
  ...[
    (name: string) => name.toLowerCase(),
    (name: string) => name.trim(),
    (name: string) => name.normalize(),
    (name: string) => name.slice(0, 3).padEnd(3, 't'),
  ].map((fold) => ({
    what: `compares the names of incomplete targets after ${fold.toString()}`,
    fails: 'a target keeps its items where it is named exactly: names that almost match keep nothing',
    rules: () => ({
      keeps: (row: Item, { incompleteTargets }: InventorySnapshot) =>
        incompleteTargets.map(fold).includes(fold(row.targetName)),
    }),
  })),
  {
    what: 'knows incomplete targets by their bare name alone',
    fails: 'an incomplete target named namespace/name is that one, and a bare name those of every namespace',
    rules: () => ({ keeps: (row, { incompleteTargets }) => incompleteTargets.includes(row.targetName) }),
  },
  {
    what: 'leaves the namespace of an incomplete target aside',
    fails: 'an incomplete target named namespace/name is that one, and a bare name those of every namespace',
    rules: () => ({
      keeps: (row, { incompleteTargets }) =>
        incompleteTargets.some((name) => name.slice(name.indexOf('/') + 1) === row.targetName),
    }),
  },
  {
    what: 'does not say in its documents what was incomplete',
    fails:
      'a document names its incomplete targets, and holds beside the items of its snapshot at most those that it kept for them',
    subject: () => ({
      definition: documentDefinition,
      harness: documentHarness((message) =>
        Buffer.from(Buffer.from(message).toString().replace('"incompleteTargets":["', '"incompleteTarget":["')),
      ),
    }),
  },
  {
    what: 'has one fence for all scopes whose names differ in case',
    fails: 'each scope has a fence of its own, also beside names that almost match',
    wrap: (sink, table) => {
      const newest = foldedTimes.get(table) ?? new Map<string, string>();
      foldedTimes.set(table, newest);
      return {
        ...sink,
        export: async (snapshot, options) => {
          const key = scopeKey(snapshot).toLowerCase();
          if (snapshot.exportedAt < (newest.get(key) ?? ''))
            return { outcome: 'superseded', counts: none, messages: 0, bytes: 0 };
          newest.set(key, snapshot.exportedAt);
          return sink.export(snapshot, options);
        },
      };
    },
  },
  {
    what: 'remembers the checksum of an incomplete snapshot',
    fails: 'a complete snapshot removes what an incomplete one kept, though both have one checksum',
    rules: () => ({ checksum: ({ checksum }) => checksum }),
  },
  {
    what: 'leaves the checksum of the last complete snapshot when an incomplete one comes',
    fails: 'a complete snapshot is written in full, though its checksum is that of one before an incomplete export',
    rules: () => ({
      checksum: (snapshot, held) => (snapshot.incompleteTargets.length === 0 ? snapshot.checksum : held?.checksum),
    }),
  },
  {
    what: 'has no column for the cluster',
    fails: 'an export touches its own scope alone, also beside names that almost match',
    rules: () => ({ scopeKey: ({ cluster: _cluster, ...scope }) => scopeKey(scope) }),
  },
  {
    what: 'compares names by a collation that ignores case',
    fails: 'an export touches its own scope alone, also beside names that almost match',
    rules: () => ({ scopeKey: (scope) => scopeKey(scope).toLowerCase() }),
  },
  {
    what: 'deletes with LIKE',
    fails: 'deletes stay within the scope, also beside names that almost match',
    wrap: (sink, table) => ({
      ...sink,
      export: async (snapshot, options) => {
        const result = await sink.export(snapshot, options);
        const own = scopeKey(snapshot);
        for (const [key, held] of table.scopes) {
          if (result.counts.deleted > 0 && key !== own && key.startsWith(own.slice(0, -2)))
            table.scopes.set(key, { ...held, rows: new Map() });
        }
        return result;
      },
    }),
  },
  {
    what: 'takes over the rows of another cluster',
    fails: 'the items of another cluster under the same keys are held apart or refused with CONFLICT, never taken over',
    wrap: (sink, table) => ({
      ...sink,
      export: async (snapshot, options) => {
        for (const [key, held] of table.scopes) {
          const [cluster, ...inventory] = JSON.parse(key) as string[];
          const same =
            JSON.stringify(inventory) === JSON.stringify([snapshot.inventoryNamespace, snapshot.inventoryName]);
          if (same && cluster !== snapshot.cluster) table.scopes.set(key, { ...held, rows: new Map() });
        }
        return sink.export(snapshot, options);
      },
    }),
  },
  {
    what: 'keys its rows by UID across inventories',
    fails: 'an object that two inventories hold is held by each',
    wrap: (sink, table) => ({
      ...sink,
      export: async (snapshot, options) => {
        const uids = new Set(snapshot.items.map(({ uid }) => uid));
        for (const [key, held] of table.scopes) {
          if (key !== scopeKey(snapshot))
            table.scopes.set(key, { ...held, rows: new Map([...held.rows].filter(([, row]) => !uids.has(row.uid))) });
        }
        return sink.export(snapshot, options);
      },
    }),
  },
];
