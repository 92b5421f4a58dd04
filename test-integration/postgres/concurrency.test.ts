import { describe, expect, test } from '@jest/globals';
import type { InventorySnapshot } from '@kollect/core';
import { contentsOf, items, limit, snapshot, tableContents } from './sink.ts';
import { useStore } from './store.ts';

const store = useStore();

describe('many at once', () => {
  test('four exporters of one scope, thirty rounds: no error, and the newest snapshot stands', async () => {
    const exporters = [store.open(), store.open(), store.open(), store.open()];
    let newest: InventorySnapshot | undefined;
    for (let round = 0; round < 30; round += 1) {
      const snapshots = await Promise.all(
        exporters.map((_, lane) =>
          snapshot(
            round,
            items(60, (index) => ({ round, lane: (index + lane) % 4 })),
            { exportedAt: moment(round, lane) },
          ),
        ),
      );
      newest = snapshots.at(-1);
      const results = await Promise.all(exporters.map((sink, lane) => sink.export(at(snapshots, lane), limit())));
      expect(results.filter(({ outcome }) => outcome === 'applied').length).toBeGreaterThan(0);
      if (newest !== undefined) expect(await tableContents(store.database)).toEqual(contentsOf(newest));
    }
  }, 60_000);

  test('twenty scopes through one sink of two connections all arrive', async () => {
    const sink = store.open({ poolSize: 2 });
    const snapshots = await Promise.all(
      Array.from({ length: 20 }, (_, index) => snapshot(0, items(30), { inventoryName: `web-${index}` })),
    );
    await Promise.all(snapshots.map((one) => sink.export(one, limit())));
    expect(await tableContents(store.database)).toEqual(contentsOf(...snapshots));
    const [connections] = await store.database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'kollect' AND datname = current_database()`,
    );
    expect(connections?.n).toBeLessThanOrEqual(2);
  });

  test('a reader sees the old snapshot or the new one, never a mix', async () => {
    const sink = store.open();
    await sink.export(
      await snapshot(
        0,
        items(300, () => ({ round: 0 })),
      ),
      limit(),
    );
    const reader = await store.database.client();
    let exporting = true;
    const seen = new Set<string>();
    const reading = (async () => {
      while (exporting) {
        const { rows } = await reader.query<{ rounds: string; n: number; exported: number }>(
          `SELECT string_agg(DISTINCT payload->'attributes'->>'round', ',') AS rounds, count(*)::int AS n FROM inventory`,
        );
        seen.add(`${rows[0]?.rounds}: ${rows[0]?.n}`);
      }
    })();
    for (let round = 1; round <= 15; round += 1)
      await sink.export(
        await snapshot(
          round,
          items(300 + round, () => ({ round })),
        ),
        limit(),
      );
    exporting = false;
    await reading;
    await reader.end();
    for (const view of seen) {
      const [round, count] = view.split(': ').map(Number);
      expect(count).toBe(300 + Number(round));
    }
    expect(seen.size).toBeGreaterThan(1);
  }, 60_000);
});

function moment(round: number, lane: number): Date {
  return new Date(Date.UTC(2026, 0, 31, 12, round, lane));
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
}
