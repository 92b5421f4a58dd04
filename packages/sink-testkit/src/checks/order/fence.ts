import assert from 'node:assert/strict';
import { isFenced, type Check } from '../../check.ts';
import { evolve } from '../../generators/evolve.ts';
import { makeSnapshot } from '../../generators/make-snapshot.ts';

/** Retries do no harm, and no older snapshot overwrites a newer one. */
export const fenceChecks: readonly Check[] = [
  {
    name: 'the same snapshot twice leaves the store as once',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const snapshot = await context.snapshot(scope, { items: context.items(15) });
      await context.export(sink, snapshot);
      const { outcome } = await context.export(sink, snapshot);
      assert.notEqual(outcome, 'superseded', 'A retry is no older than what it repeats.');
      await context.export(await context.openSink(), snapshot);
      await context.store.expectSnapshot(snapshot);
      const checksums = (await context.store.documents(scope)).map((document) => document.checksum);
      assert.ok(
        checksums.every((checksum) => checksum === snapshot.checksum),
        'A retry stored a document with another checksum.',
      );
    },
  },
  {
    name: 'the second export of a snapshot is unchanged and writes nothing',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const snapshot = await context.snapshot(scope, { items: context.items(15) });
      await context.export(await context.openSink(), snapshot);
      const before = await context.store.fingerprint(scope);
      for (const sink of [await context.openSink(), await context.openSink()]) {
        const { outcome } = await context.export(sink, snapshot);
        assert.equal(outcome, 'unchanged');
      }
      assert.equal(await context.store.fingerprint(scope), before, 'An unchanged export wrote something.');
    },
  },
  {
    name: 'an older snapshot is superseded and changes nothing',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(15);
      await context.export(sink, await context.snapshot(scope, { at: 9, items }));
      const before = await context.store.fingerprint(scope);
      const older = await context.snapshot(scope, {
        at: 8,
        items: evolve(items, { changed: 3, removed: 3, added: 3 }),
      });
      const { outcome } = await context.export(sink, older);
      assert.equal(outcome, 'superseded');
      assert.equal(await context.store.fingerprint(scope), before, 'A superseded export wrote something.');
    },
  },
  {
    name: 'the fence stands in the store: another sink supersedes an older snapshot, too',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const items = context.items(15);
      const newer = await context.openSink();
      await context.export(newer, await context.snapshot(scope, { at: 9, items }));
      await newer.close();
      const before = await context.store.fingerprint(scope);
      const older = await context.snapshot(scope, { at: 8, items: evolve(items, { changed: 3 }) });
      const { outcome } = await context.export(await context.openSink(), older);
      assert.equal(outcome, 'superseded');
      assert.equal(await context.store.fingerprint(scope), before, 'A superseded export wrote something.');
    },
  },
  {
    name: 'an export that changes nothing moves the fence forward',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(15);
      await context.export(sink, await context.snapshot(scope, { at: 1, items }));
      await context.export(sink, await context.snapshot(scope, { at: 9, items, generation: 2 }));
      const { outcome } = await context.export(
        sink,
        await context.snapshot(scope, { at: 5, items: evolve(items, { changed: 3 }) }),
      );
      assert.equal(outcome, 'superseded', 'The snapshot is older than the last one that was exported.');
      await context.store.expectItems(scope, items);
    },
  },
  {
    name: 'of two snapshots with one exportedAt and different content the one that comes last is held',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(15);
      for (const changed of [0, 3, 5]) {
        const snapshot = await context.snapshot(scope, { items: evolve(items, { changed, seed: changed + 1 }) });
        const { outcome } = await context.export(sink, snapshot);
        assert.equal(outcome, 'applied', 'A snapshot as old as the held one, with other content, is not older.');
        await context.store.expectSnapshot(snapshot);
      }
    },
  },
  {
    name: 'a newer snapshot is applied after an older one was superseded',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(15);
      await context.export(sink, await context.snapshot(scope, { at: 5, items }));
      await context.export(sink, await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 1 }) }));
      const newest = await context.snapshot(scope, { at: 9, items: evolve(items, { changed: 2 }) });
      const { outcome } = await context.export(sink, newest);
      assert.equal(outcome, 'applied');
      await context.store.expectSnapshot(newest);
    },
  },
  {
    name: 'the fence of one scope leaves other scopes alone',
    applies: isFenced,
    run: async (context) => {
      const sink = await context.openSink();
      await context.export(sink, await context.snapshot(context.scope(), { at: 9, items: context.items(3) }));
      const older = await context.snapshot(context.scope(), { at: 1, items: context.items(3) });
      const { outcome } = await context.export(sink, older);
      assert.equal(outcome, 'applied');
      await context.store.expectSnapshot(older);
    },
  },
  {
    name: 'an exportedAt more than ten minutes ahead is refused, naming both times, and nothing is written',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(5);
      const exportedAt = new Date(Date.now() + 20 * 60_000).toISOString();
      const early = await makeSnapshot({ ...scope, items, exportedAt });
      const error = await context.failure(
        'The export from the future',
        sink.export(early, { signal: new AbortController().signal }),
      );
      assert.equal(error.code, 'SNAPSHOT_INVALID');
      const times: readonly string[] = error.message.match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g) ?? [];
      assert.ok(times.includes(exportedAt), 'The message names the exportedAt.');
      assert.ok(
        times.some((time) => time !== exportedAt),
        "The message names the store's time.",
      );
      const now = await context.snapshot(scope, { at: 1, items });
      assert.equal((await context.export(sink, now)).outcome, 'applied', 'The refused export left its fence behind.');
      await context.store.expectSnapshot(now);
    },
  },
  {
    name: 'an exportedAt five minutes ahead is accepted: clocks differ',
    applies: isFenced,
    run: async (context) => {
      const exportedAt = new Date(Date.now() + 5 * 60_000).toISOString();
      const snapshot = await makeSnapshot({ ...context.scope(), items: context.items(5), exportedAt });
      const { outcome } = await context.export(await context.openSink(), snapshot);
      assert.equal(outcome, 'applied');
      await context.store.expectSnapshot(snapshot);
    },
  },
];
