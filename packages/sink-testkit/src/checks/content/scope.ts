import assert from 'node:assert/strict';
import type { InventorySnapshot, Scope } from '@kollect/core';
import { dropsItems, isFenced, type Check } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';

/** Scopes that a careless comparison would take for the given one. */
export function neighbours(scope: Scope): Scope[] {
  const { cluster = '', inventoryNamespace, inventoryName } = scope;
  const { cluster: _cluster, ...withoutCluster } = scope;
  return [
    withoutCluster,
    { ...withoutCluster, cluster: '_' },
    { ...scope, cluster: `${cluster}-2` },
    { ...scope, cluster: cluster.toUpperCase() },
    { ...scope, cluster: `${cluster}%` },
    { ...scope, inventoryNamespace: `${inventoryNamespace}-2` },
    { ...scope, inventoryNamespace: inventoryNamespace.toUpperCase() },
    { ...scope, inventoryNamespace: inventoryNamespace.slice(0, -1) },
    { ...scope, inventoryNamespace: '%' },
    { ...scope, inventoryName: `${inventoryName}0` },
    { ...scope, inventoryName: inventoryName.toUpperCase() },
    { ...scope, inventoryName: inventoryName.slice(0, -1) },
    { ...scope, inventoryName: inventoryName.replace('-', '_') },
    { ...scope, inventoryName: `${inventoryName} ` },
    { ...scope, inventoryName: '%' },
    { ...scope, inventoryName: `${inventoryName}${'n'.repeat(200)}0` },
    { ...scope, inventoryName: `${inventoryName}${'n'.repeat(200)}1` },
    { ...scope, inventoryName: `${inventoryName}'--` },
    { ...scope, inventoryNamespace: inventoryName, inventoryName: inventoryNamespace },
    {
      ...scope,
      inventoryNamespace: `${inventoryNamespace}-${inventoryName.slice(0, 5)}`,
      inventoryName: inventoryName.slice(5),
    },
  ];
}

/** Puts two items into each scope that almost has the given name. */
export async function exportNeighbours(context: CheckContext, scope: Scope): Promise<InventorySnapshot[]> {
  const sink = await context.openSink();
  const snapshots: InventorySnapshot[] = [];
  for (const neighbour of neighbours(scope)) {
    const snapshot = await context.snapshot(neighbour, { items: context.items(2) });
    await context.export(sink, snapshot);
    snapshots.push(snapshot);
  }
  return snapshots;
}

/** A snapshot owns its scope, and nothing outside of it. */
export const scopeChecks: readonly Check[] = [
  {
    name: 'an export touches its own scope alone, also beside names that almost match',
    run: async (context) => {
      const scope = context.scope();
      const others = await exportNeighbours(context, scope);
      const snapshot = await context.snapshot(scope, { at: 5, items: context.items(3) });
      await context.export(await context.openSink(), snapshot);
      await context.store.expectSnapshot(snapshot);
      for (const other of others) await context.store.expectSnapshot(other);
    },
  },
  {
    name: 'deletes stay within the scope, also beside names that almost match',
    applies: dropsItems,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      await context.export(sink, await context.snapshot(scope, { items: context.items(3) }));
      const others = await exportNeighbours(context, scope);
      const empty = await context.snapshot(scope, { at: 5, items: [] });
      await context.export(sink, empty);
      await context.store.expectSnapshot(empty);
      for (const other of others) await context.store.expectSnapshot(other);
    },
  },
  {
    name: 'each scope has a fence of its own, also beside names that almost match',
    applies: isFenced,
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      await context.export(sink, await context.snapshot(scope, { at: 9, items: context.items(2) }));
      const others = await exportNeighbours(context, scope);
      for (const other of others) await context.store.expectSnapshot(other);
    },
  },
  {
    name: 'the items of another cluster under the same keys are held apart or refused with CONFLICT, never taken over',
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(4);
      const first = await context.snapshot(scope, { items });
      await context.export(sink, first);
      const cloned = items.map((item) => ({ ...item, attributes: { cluster: 'another' } }));
      const second = await context.snapshot(
        { ...scope, cluster: `${scope.cluster ?? ''}-clone` },
        { at: 1, items: cloned },
      );
      const end = await context.settled(
        'The export of a cloned cluster',
        sink.export(second, { signal: new AbortController().signal }),
      );
      await context.store.expectSnapshot(first);
      if (end.status === 'fulfilled') return context.store.expectSnapshot(second);
      assert.equal((end.reason as { code?: unknown }).code, 'CONFLICT');
      await context.store.expectItems(second, []);
    },
  },
  {
    name: 'an object that two inventories hold is held by each',
    run: async (context) => {
      const sink = await context.openSink();
      const items = context.items(4);
      const first = await context.snapshot(context.scope(), { items });
      const second = await context.snapshot(context.scope(), {
        items: items.map((item) => ({ ...item, attributes: { view: 'second' } })),
      });
      await context.export(sink, first);
      await context.export(sink, second);
      await context.store.expectSnapshot(first);
      await context.store.expectSnapshot(second);
    },
  },
];
