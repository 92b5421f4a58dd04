import { describe, expect, test } from '@jest/globals';
import { joinParts, parseDocument, snapshotFromDocument, wholeDocument } from '@kollect/core';
import { item, items, limit, snapshot } from './sink.ts';
import { useStore } from './store.ts';

const store = useStore({ mode: 'append' });

const rows = (): Promise<Record<string, unknown>[]> =>
  store.database.query(
    'SELECT cluster, inventory_namespace, inventory_name, generation::int, checksum, item_count::int, part_index, part_total, exported_at, document FROM inventory ORDER BY id',
  );

describe('mode: append', () => {
  test('one row per snapshot, holding the whole document', async () => {
    const first = await snapshot(
      0,
      items(3, () => ({ text: 'zażółć 日本 🚀' })),
      { incompleteTargets: ['pods'] },
    );
    await expect(store.open().export(first, limit())).resolves.toMatchObject({
      outcome: 'applied',
      counts: { inserted: 1 },
      bytes: wholeDocument(first).byteLength,
    });
    const [row] = await rows();
    expect(row).toEqual({
      cluster: 'prod',
      inventory_namespace: 'team-a',
      inventory_name: 'web',
      generation: 1,
      checksum: first.checksum,
      item_count: 3,
      part_index: 0,
      part_total: 1,
      exported_at: new Date(first.exportedAt),
      document: JSON.parse(Buffer.from(wholeDocument(first).bytes()).toString()),
    });
    const read = await snapshotFromDocument(parseDocument(JSON.stringify(row?.['document'])));
    expect(read.checksum).toBe(first.checksum);
  });

  test('a retry of the same snapshot adds nothing, through any sink; a later one with equal items does', async () => {
    const first = await snapshot(0, items(3));
    const sink = store.open();
    await sink.export(first, limit());
    for (const again of [sink, store.open()])
      await expect(again.export(first, limit())).resolves.toMatchObject({ outcome: 'unchanged' });
    expect(await rows()).toHaveLength(1);
    await expect(sink.export(await snapshot(1, items(3)), limit())).resolves.toMatchObject({ outcome: 'applied' });
    await expect(sink.export(first, limit())).resolves.toMatchObject({ outcome: 'superseded' });
    expect(await rows()).toHaveLength(2);
  });

  test('a retry after the scope row was lost adds nothing either', async () => {
    const first = await snapshot(0, items(3));
    const sink = store.open();
    await sink.export(first, limit());
    await store.database.query('DELETE FROM inventory_exports');
    await expect(sink.export(first, limit())).resolves.toMatchObject({ outcome: 'unchanged' });
    expect(await rows()).toHaveLength(1);
  });

  test('a document above 64 MiB takes parts in one transaction, and they join again', async () => {
    const large = await snapshot(
      0,
      Array.from({ length: 9 }, (_, index) => item(`large-${index}`, { text: String(index).repeat(8 * 1024 * 1024) })),
    );
    await expect(store.open().export(large, limit(60_000))).resolves.toMatchObject({
      outcome: 'applied',
      counts: { inserted: 2 },
    });
    const parts = await rows();
    expect(parts.map((row) => [row['part_index'], row['part_total'], row['checksum']])).toEqual([
      [0, 2, large.checksum],
      [1, 2, large.checksum],
    ]);
    const joined = joinParts(parts.map((row) => parseDocument(JSON.stringify(row['document']))));
    expect(joined.checksum).toBe(large.checksum);
    expect(joined.items).toHaveLength(9);
  }, 90_000);

  test('removing the inventory keeps its history and fences it', async () => {
    const sink = store.open();
    const first = await snapshot(0, items(3));
    await sink.export(first, limit());
    const scope = { cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'web' };
    await sink.removeInventory?.(scope, { ...limit(), removedAt: '2026-01-31T12:10:00.000Z' });
    await expect(sink.export(await snapshot(5, []), limit())).resolves.toMatchObject({ outcome: 'superseded' });
    expect(await rows()).toHaveLength(1);
  });
});
