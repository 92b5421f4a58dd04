import { expect, test } from '@jest/globals';
import { createInventory, type Inventory, type InventorySnapshot } from '@kollect/core';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { contentsOf, item, items, limit, sinkOver, tableContents, type SinkBlock } from './sink.ts';
import { useStore } from './store.ts';

const store = useStore();
const deployments = { namespace: 'platform', name: 'deployments' };
const many = 2_000;

const seal = (inventory: Inventory, minute: number): Promise<InventorySnapshot> =>
  inventory.seal({ generation: 1, exportedAt: new Date(Date.UTC(2026, 0, 31, 12, minute)) });

async function filled(): Promise<Inventory> {
  const inventory = createInventory({ cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'web' });
  await inventory.replaceTarget(deployments, items(many));
  return inventory;
}

/** Twenty items changed, ten new and ten gone. */
function change(inventory: Inventory, round: number): void {
  for (let index = 0; index < 20; index++) inventory.set(item(`web-${index}`, { round }));
  for (let index = 0; index < 10; index++) {
    inventory.set(item(`new-${round}-${index}`));
    inventory.delete({ target: deployments, uid: `uid-web-${100 * round + index}` });
  }
}

const changedCounts = { inserted: 10, updated: 20, deleted: 10, unchanged: many - 30 };

/** Runs with a proxy in front of the server; `sent` tells how many bytes went there since it was asked last. */
async function counting(
  run: (open: () => ReturnType<typeof sinkOver>, sent: () => number) => Promise<void>,
  spec: SinkBlock = {},
): Promise<void> {
  const proxy = await startFaultProxy({ target: store.database.credentials });
  const sinks: ReturnType<typeof sinkOver>[] = [];
  let before = 0;
  try {
    await run(
      () => {
        const credentials = { ...store.database.credentials, host: proxy.host, port: proxy.port };
        const sink = sinkOver({ ...store.database, credentials }, { spec });
        sinks.push(sink);
        return sink;
      },
      () => {
        const since = proxy.forwarded.toServer - before;
        before = proxy.forwarded.toServer;
        return since;
      },
    );
  } finally {
    for (const sink of sinks) await sink.close();
    await proxy.close();
  }
}

// A digest of each item alone would be 40 000 bytes.
const ofChanges = 20_000;

test.each([{}, { deletes: 'soft' as const }, { partitions: 3 }])(
  'of an inventory that is kept only what changed goes over the wire (%j)',
  async (spec) => {
    await counting(async (open, sent) => {
      const inventory = await filled();
      const sink = open();
      await sink.export(await seal(inventory, 0), limit());
      for (const round of [1, 2]) {
        change(inventory, round);
        const next = await seal(inventory, round);
        sent();
        await expect(sink.plan?.(next, limit())).resolves.toMatchObject({ counts: changedCounts });
        await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied', counts: changedCounts });
        expect(sent()).toBeLessThan(ofChanges);
        const alive = spec.deletes === 'soft' ? 'deleted_at IS NULL' : 'true';
        expect(await tableContents(store.database, alive)).toEqual(contentsOf(next));
      }
    }, spec);
  },
);

test('after a restart, a partial snapshot and the export of another, everything is compared', async () => {
  await counting(async (open, sent) => {
    const inventory = await filled();
    const [first, other] = [open(), open()];
    await first.export(await seal(inventory, 0), limit());
    change(inventory, 1);
    sent();
    await other.export(await seal(inventory, 1), limit());
    expect(sent()).toBeGreaterThan(ofChanges);
    change(inventory, 2);
    await first.export(await seal(inventory, 2), limit());
    expect(sent()).toBeGreaterThan(ofChanges);
    // Now the first one knows again what there is.
    change(inventory, 3);
    await first.export(await seal(inventory, 3), limit());
    expect(sent()).toBeLessThan(ofChanges);
    inventory.markIncomplete(deployments);
    inventory.delete({ target: deployments, uid: 'uid-web-900' });
    await expect(first.export(await seal(inventory, 4), limit())).resolves.toMatchObject({ counts: { deleted: 0 } });
    sent();
    inventory.markComplete(deployments);
    const whole = await seal(inventory, 5);
    await expect(first.export(whole, limit())).resolves.toMatchObject({ counts: { deleted: 1 } });
    expect(sent()).toBeGreaterThan(ofChanges);
    expect(await tableContents(store.database)).toEqual(contentsOf(whole));
  });
});

test('an equal snapshot in between moves the fence on, and the next change is still all that is sent', async () => {
  await counting(async (open, sent) => {
    const inventory = await filled();
    const sink = open();
    await sink.export(await seal(inventory, 0), limit());
    await expect(sink.export(await seal(inventory, 1), limit())).resolves.toMatchObject({ outcome: 'unchanged' });
    change(inventory, 1);
    sent();
    await expect(sink.export(await seal(inventory, 0), limit())).resolves.toMatchObject({ outcome: 'superseded' });
    await sink.export(await seal(inventory, 2), limit());
    expect(sent()).toBeLessThan(ofChanges);
  });
});

test.each([
  ['a row that should go', `DELETE FROM inventory WHERE source_uid = 'uid-web-100'`, { deleted: 9, inserted: 10 }],
  ['all rows', 'TRUNCATE inventory', { deleted: 0, inserted: many }],
])('where somebody took away %s, the table equals the snapshot all the same', async (_, edit, counts) => {
  const inventory = await filled();
  const sink = store.open();
  await sink.export(await seal(inventory, 0), limit());
  await store.database.query(edit);
  change(inventory, 1);
  const next = await seal(inventory, 1);
  await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied', counts });
  expect(await tableContents(store.database)).toEqual(contentsOf(next));
});

test('the limit of deletes holds for what changed alone, and a refused export does not count as applied', async () => {
  const inventory = await filled();
  const sink = store.open({ maxDeletes: 5 });
  await sink.export(await seal(inventory, 0), limit());
  change(inventory, 1);
  const next = await seal(inventory, 1);
  await expect(sink.export(next, limit())).rejects.toMatchObject({
    code: 'DELETE_LIMIT',
    message: expect.stringContaining(`would delete 10 of ${many} rows`),
  });
  await expect(sink.plan?.(next, limit())).rejects.toMatchObject({ code: 'DELETE_LIMIT' });
  await expect(sink.export(next, { ...limit(), allowDeletes: true })).resolves.toMatchObject({ counts: changedCounts });
  expect(await tableContents(store.database)).toEqual(contentsOf(next));
});
