import { SinkError } from '@kollect/core';
import { goodRules, none, scopeKey } from './table-sink.fixture.ts';
import type { BrokenSink } from './broken-sink.fixture.ts';

export const brokenPlanAndRemoval: readonly BrokenSink[] = [
  {
    what: 'exports in plan',
    fails: 'a plan writes nothing, not even the fence',
    wrap: (sink) => ({
      ...sink,
      plan: async (snapshot, options) => {
        const plan = await sink.plan(snapshot, options);
        await sink.export(snapshot, options);
        return plan;
      },
    }),
  },
  {
    what: 'moves the fence in plan',
    fails: 'a plan writes nothing, not even the fence',
    wrap: (sink, table) => ({
      ...sink,
      plan: async (snapshot, options) => {
        const plan = await sink.plan(snapshot, options);
        const held = table.scopes.get(scopeKey(snapshot));
        if (held !== undefined) table.scopes.set(scopeKey(snapshot), { ...held, appliedAt: snapshot.exportedAt });
        return plan;
      },
    }),
  },
  {
    what: 'plans without deletes',
    fails: 'a plan says what the export then does',
    wrap: (sink) => ({
      ...sink,
      plan: async (snapshot, options) => {
        const { counts, samples, ...plan } = await sink.plan(snapshot, options);
        return { ...plan, counts: { ...counts, deleted: 0 }, samples: { ...samples, deleted: [] } };
      },
    }),
  },
  {
    what: 'believes any clock when it plans',
    fails: 'a plan of a snapshot more than ten minutes ahead is refused as its export is',
    wrap: (sink) => ({
      ...sink,
      plan: async (snapshot, options) => sink.plan({ ...snapshot, exportedAt: new Date().toISOString() }, options),
    }),
  },
  {
    what: 'names each inserted item twice',
    fails: "a plan's samples are keys of items that the export inserts, updates and deletes",
    wrap: (sink) => ({
      ...sink,
      plan: async (snapshot, options) => {
        const { samples, ...plan } = await sink.plan(snapshot, options);
        const inserted = samples.inserted.slice(0, 5);
        return { ...plan, samples: { ...samples, inserted: [...inserted, ...inserted] } };
      },
    }),
  },
  {
    what: 'names deleted items under inserted',
    fails: "a plan's samples are keys of items that the export inserts, updates and deletes",
    wrap: (sink) => ({
      ...sink,
      plan: async (snapshot, options) => {
        const { samples, ...plan } = await sink.plan(snapshot, options);
        return { ...plan, samples: { ...samples, inserted: samples.deleted, deleted: samples.inserted } };
      },
    }),
  },
  {
    what: 'names every item in a sample',
    fails: 'a plan says what the export then does',
    wrap: (sink) => ({
      ...sink,
      plan: async (snapshot, options) => {
        const { samples, ...plan } = await sink.plan(snapshot, options);
        return {
          ...plan,
          samples: { ...samples, inserted: snapshot.items.map(({ targetName, uid }) => ({ targetName, uid })) },
        };
      },
    }),
  },
  {
    what: 'plans without a look at the fence',
    fails: 'the plan of an older snapshot is superseded, that of the held one unchanged',
    wrap: (sink) => ({
      ...sink,
      plan: async (snapshot, options) => ({ ...(await sink.plan(snapshot, options)), outcome: 'applied' }),
    }),
  },
  {
    what: 'removes by the name of the inventory alone',
    fails: 'a removed inventory is gone, and the others stay',
    wrap: (sink, table) => ({
      ...sink,
      removeInventory: async (scope, options) => {
        const result = await sink.removeInventory(scope, options);
        for (const key of table.scopes.keys())
          if ((JSON.parse(key) as string[])[2] === scope.inventoryName) table.scopes.delete(key);
        return result;
      },
    }),
  },
  {
    what: 'removes nothing',
    fails: 'a removed inventory is gone, and the others stay',
    wrap: (sink) => ({
      ...sink,
      removeInventory: async () => ({ outcome: 'applied', counts: { ...none, deleted: 6 }, messages: 0, bytes: 0 }),
    }),
  },
  {
    what: 'removes whatever is held, however new',
    fails: 'a removal that is older than the held snapshot is superseded',
    rules: () => ({ isOlder: () => false }),
  },
  {
    what: 'keeps what is removed at the moment of its snapshot',
    fails: 'a removal at the very moment of the held snapshot removes it',
    wrap: (sink, table) => ({
      ...sink,
      removeInventory: async (scope, options) =>
        table.scopes.get(scopeKey(scope))?.appliedAt === options.removedAt
          ? { outcome: 'superseded', counts: none, messages: 0, bytes: 0 }
          : sink.removeInventory(scope, options),
    }),
  },
  {
    what: 'applies the removal of nothing',
    fails: 'removing an inventory twice, or one that was never exported, is no error',
    wrap: (sink) => ({
      ...sink,
      removeInventory: async (...given) => ({ ...(await sink.removeInventory(...given)), outcome: 'applied' }),
    }),
  },
  {
    what: 'forgets the fence with the inventory',
    fails: 'a snapshot older than the removal does not bring the inventory back',
    rules: () => ({ afterRemoval: () => undefined }),
  },
  {
    what: 'keeps the checksum of what it removed',
    fails: 'an inventory that is made anew after its removal is written in full, also with the same content',
    rules: () => ({
      afterRemoval: (removedAt, held) => ({ rows: new Map(), appliedAt: removedAt, checksum: held?.checksum }),
    }),
  },
  {
    what: 'takes what is gone already for something newer',
    fails: 'an older removal of an inventory that is gone already is unchanged, and the fence stays',
    rules: () => ({ olderRemoval: 'superseded' }),
  },
  {
    what: 'takes an absent inventory for an error',
    fails: 'removing an inventory twice, or one that was never exported, is no error',
    says: /not here/,
    wrap: (sink, table) => ({
      ...sink,
      removeInventory: async (scope, options) => {
        if (!table.scopes.has(scopeKey(scope))) throw new SinkError('NOT_FOUND', 'The inventory is not here.');
        return sink.removeInventory(scope, options);
      },
    }),
  },
  {
    what: 'believes any clock when it removes',
    fails: 'a removedAt more than ten minutes ahead is refused and removes nothing',
    rules: () => ({
      refuseFuture: (field, time) => (field === 'removedAt' ? undefined : goodRules.refuseFuture(field, time)),
    }),
  },
  ...[
    (name: string) => name.toLowerCase(),
    (name: string) => name.trim(),
    (name: string) => name.replaceAll('_', '-'),
    (name: string) => name.slice(0, 11),
  ].map((fold): BrokenSink => ({
    what: `removes every scope whose names are equal after ${fold.toString()}`,
    fails: 'a removal takes its own scope alone, also beside names that almost match',
    wrap: (sink, table) => ({
      ...sink,
      removeInventory: async (scope, options) => {
        const result = await sink.removeInventory(scope, options);
        const folded = (key: string): string => JSON.stringify((JSON.parse(key) as string[]).map(fold));
        for (const key of table.scopes.keys())
          if (key !== scopeKey(scope) && folded(key) === folded(scopeKey(scope))) table.scopes.delete(key);
        return result;
      },
    }),
  })),
  {
    what: 'removes the rows one by one',
    fails: 'a removal that is aborted midway removes all or nothing, and can be done again',
    wrap: (sink, table) => ({
      ...sink,
      removeInventory: async (scope, options) => {
        const held = table.scopes.get(scopeKey(scope));
        if (held !== undefined) table.scopes.set(scopeKey(scope), { ...held, rows: new Map([...held.rows].slice(1)) });
        return sink.removeInventory(scope, options);
      },
    }),
  },
  {
    what: 'removes without a lock',
    fails: 'a removal and an older export at once end with nothing',
    rules: () => ({ locked: false }),
  },
  {
    what: 'compares times as texts',
    fails: 'a removedAt with an offset is the moment that it names',
    rules: () => ({ isOlder: (time, held) => held !== undefined && time < held.appliedAt }),
  },
];
