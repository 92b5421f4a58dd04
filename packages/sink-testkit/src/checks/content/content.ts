import assert from 'node:assert/strict';
import type { SealedItem } from '@kollect/core';
import type { Check } from '../../check.ts';
import { canonical } from '../../canonical.ts';

/** What arrives in the store is what the snapshot holds. */
export const contentChecks: readonly Check[] = [
  {
    name: 'the store equals the snapshot, in every field of every item',
    run: async (context) => {
      const snapshot = await context.snapshot(context.scope(), { items: context.items(40) });
      const { outcome } = await context.export(await context.openSink(), snapshot);
      assert.equal(outcome, 'applied');
      await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: 'an empty snapshot is an export like any other',
    run: async (context) => {
      const snapshot = await context.snapshot(context.scope(), { items: [] });
      await context.export(await context.openSink(), snapshot);
      await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: 'one object that two targets collected is held once for each',
    run: async (context) => {
      const items = context
        .items(5, { targets: ['workloads'] })
        .flatMap((item) => [item, { ...item, targetName: 'audit' }]);
      const snapshot = await context.snapshot(context.scope(), { items });
      await context.export(await context.openSink(), snapshot);
      await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: 'items whose UIDs differ in case, in Unicode form or in a trailing space alone are different items',
    run: async (context) => {
      const [item] = context.items(1);
      assert.ok(item);
      const uids = ['uid-a', 'UID-A', 'uid-a ', 'uid-\u00e9', 'uid-e\u0301', 'uid-%', 'uid-_'];
      const snapshot = await context.snapshot(context.scope(), { items: uids.map((uid) => ({ ...item, uid })) });
      await context.export(await context.openSink(), snapshot);
      await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: 'cluster-scoped objects, the core group and empty attributes are held as they are',
    run: async (context) => {
      const [item] = context.items(1);
      assert.ok(item);
      const { targetNamespace, targetName, name, uid } = item;
      const node = {
        targetNamespace,
        targetName,
        name,
        uid,
        namespace: '',
        version: 'v1',
        kind: 'Node',
        attributes: {},
      };
      const snapshot = await context.snapshot(context.scope(), { items: [node] });
      await context.export(await context.openSink(), snapshot);
      await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: '2 000 items arrive',
    run: async (context) => {
      const snapshot = await context.snapshot(context.scope(), { items: context.items(2000) });
      await context.export(await context.openSink(), snapshot);
      await context.store.expectSnapshot(snapshot);
    },
  },
  {
    name: 'an item of 1 MiB arrives whole, or is refused with PAYLOAD_TOO_LARGE and nothing is written',
    run: async (context) => {
      const scope = context.scope();
      const before = await context.store.fingerprint(scope);
      const snapshot = await context.snapshot(scope, {
        items: [...context.items(3), ...context.items(1, { bytes: 1024 * 1024 })],
      });
      const sink = await context.openSink();
      const end = await context.settled(
        'The export of an item of 1 MiB',
        sink.export(snapshot, { signal: new AbortController().signal }),
      );
      if (end.status === 'fulfilled') return context.store.expectSnapshot(snapshot);
      assert.equal((end.reason as { code?: unknown }).code, 'PAYLOAD_TOO_LARGE');
      assert.equal(await context.store.fingerprint(scope), before, 'A refused export wrote something.');
    },
  },
  {
    name: 'a sink leaves the snapshot as it was',
    run: async (context) => {
      const snapshot = await context.snapshot(context.scope(), { items: context.items(20) });
      const pictureOf = (item: SealedItem) => [Buffer.from(item.json).toString(), item.attributes, item.name, item.uid];
      const picture = (): string => canonical({ ...snapshot, items: snapshot.items.map(pictureOf) });
      const before = picture();
      await context.export(await context.openSink(), snapshot);
      assert.equal(picture(), before, 'The export changed the snapshot that other sinks share.');
    },
  },
];
