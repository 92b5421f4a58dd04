import { describe, expect, test } from '@jest/globals';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import { contentsOf, item, items, limit, sinkOver, snapshot, tableContents } from './sink.ts';
import { useStore } from './store.ts';

const store = useStore();

const exportsRow = async (): Promise<Record<string, unknown> | undefined> =>
  (
    await store.database.query(
      'SELECT exported_at, generation::int, checksum, item_count::int, removed FROM inventory_exports',
    )
  )[0];

describe('the table equals the last snapshot', () => {
  test('an empty scope is filled, an equal snapshot changes nothing, another changes what differs', async () => {
    const sink = store.open();
    const first = await snapshot(0, items(50));
    await expect(sink.export(first, limit())).resolves.toMatchObject({
      outcome: 'applied',
      counts: { inserted: 50, updated: 0, deleted: 0, unchanged: 0 },
    });
    expect(await tableContents(store.database)).toEqual(contentsOf(first));

    const again = await snapshot(1, items(50));
    await expect(sink.export(again, limit())).resolves.toEqual({
      outcome: 'unchanged',
      counts: { inserted: 0, updated: 0, deleted: 0, unchanged: 50 },
      messages: 0,
      bytes: 0,
    });
    expect(await exportsRow()).toMatchObject({
      exported_at: new Date(again.exportedAt),
      checksum: first.checksum,
      item_count: 50,
    });

    const changed = await snapshot(2, [...items(40), item('web-0', { index: 'other' }), item('new')].slice(1), {
      generation: 2,
    });
    await expect(sink.export(changed, limit())).resolves.toMatchObject({
      outcome: 'applied',
      counts: { inserted: 1, updated: 1, deleted: 10, unchanged: 39 },
    });
    expect(await tableContents(store.database)).toEqual(contentsOf(changed));
    expect(await exportsRow()).toMatchObject({
      generation: 2,
      checksum: changed.checksum,
      item_count: 41,
      removed: false,
    });
  });

  test.each([0, 3])(
    'an equal snapshot costs one small statement, however many items it has (partitions: %i)',
    async (partitions) => {
      const proxy = await startFaultProxy({ target: store.database.credentials });
      const sink = sinkOver(
        { ...store.database, credentials: { ...store.database.credentials, host: proxy.host, port: proxy.port } },
        { spec: { partitions } },
      );
      await sink.export(await snapshot(0, items(2_000)), limit());
      const before = proxy.forwarded.toServer;
      await expect(sink.export(await snapshot(1, items(2_000)), limit())).resolves.toMatchObject({
        outcome: 'unchanged',
        counts: { unchanged: 2_000 },
      });
      // 16 bytes of digest for each item would be 32 000.
      expect(proxy.forwarded.toServer - before).toBeLessThan(2_500);
      await sink.close();
      await proxy.close();
    },
  );

  test('rows that did not change keep the generation and time of the export that last changed them', async () => {
    const sink = store.open();
    await sink.export(await snapshot(0, items(2)), limit());
    await sink.export(
      await snapshot(1, [item('web-0', { index: 0 }), item('web-1', { index: 'new' })], { generation: 7 }),
      limit(),
    );
    const rows = await store.database.query(
      `SELECT source_uid, generation::int, exported_at FROM inventory ORDER BY 1`,
    );
    expect(rows).toEqual([
      { source_uid: 'uid-web-0', generation: 1, exported_at: new Date('2026-01-31T12:00:00Z') },
      { source_uid: 'uid-web-1', generation: 7, exported_at: new Date('2026-01-31T12:01:00Z') },
    ]);
    const [current] = await store.database.query('SELECT * FROM inventory_current LIMIT 1');
    expect(current).toMatchObject({ snapshot_generation: '7', snapshot_exported_at: new Date('2026-01-31T12:01:00Z') });
  });

  test('more changes than one batch holds, in both directions', async () => {
    const sink = store.open();
    const many = await snapshot(0, items(2_500));
    const other = await snapshot(
      1,
      items(2_500, (index) => ({ index, round: 2 })),
    );
    const fewer = await snapshot(2, items(3));
    for (const one of [many, other, fewer]) {
      await sink.export(one, limit());
      expect(await tableContents(store.database)).toEqual(contentsOf(one));
    }
    await sink.export(await snapshot(3, []), limit());
    expect((await tableContents(store.database)).size).toBe(0);
  });

  test('an item of 20 MiB passes, by COPY and by update', async () => {
    const sink = store.open();
    for (const at of [0, 1]) {
      const large = await snapshot(at, [item('small'), item('large', { text: String(at).repeat(20 * 1024 * 1024) })]);
      await sink.export(large, limit());
      expect(await tableContents(store.database)).toEqual(contentsOf(large));
    }
  });

  test('gvk names the API of the core group and of others', async () => {
    await store
      .open()
      .export(await snapshot(0, [item('a'), { ...item('b'), group: '', kind: 'Pod', targetName: 'pods' }]), limit());
    expect(await store.database.query('SELECT gvk FROM inventory ORDER BY 1')).toEqual([
      { gvk: 'apps/v1/Deployment' },
      { gvk: 'v1/Pod' },
    ]);
  });
});

describe('the fence', () => {
  test('an older snapshot is superseded and writes nothing, through any sink', async () => {
    const newest = await snapshot(5, items(3));
    await store.open().export(newest, limit());
    const older = await snapshot(4, [item('old')], { generation: 99 });
    for (const sink of [store.open(), store.open()]) {
      await expect(sink.export(older, limit())).resolves.toMatchObject({ outcome: 'superseded', messages: 0 });
    }
    expect(await tableContents(store.database)).toEqual(contentsOf(newest));
    expect(await exportsRow()).toMatchObject({ exported_at: new Date(newest.exportedAt), generation: 1 });
  });

  test('a removed inventory stays removed against older snapshots and returns with a newer one', async () => {
    const sink = store.open();
    await sink.export(await snapshot(0, items(3)), limit());
    const other = await snapshot(0, [item('other')], { inventoryName: 'web-2' });
    await sink.export(other, limit());
    const { cluster, inventoryNamespace, inventoryName } = await snapshot(0, []);
    const scope = { ...(cluster !== undefined && { cluster }), inventoryNamespace, inventoryName };
    await expect(
      sink.removeInventory?.(scope, { ...limit(), removedAt: '2026-01-31T12:10:00.000Z' }),
    ).resolves.toMatchObject({
      outcome: 'applied',
      counts: { deleted: 3 },
    });
    await expect(sink.export(await snapshot(9, items(3)), limit())).resolves.toMatchObject({ outcome: 'superseded' });
    expect(await tableContents(store.database)).toEqual(contentsOf(other));
    const back = await snapshot(11, items(2));
    await expect(sink.export(back, limit())).resolves.toMatchObject({ outcome: 'applied' });
    expect(await tableContents(store.database)).toEqual(contentsOf(back, other));
  });

  test('a snapshot from the future of the server is refused, and so is a removal', async () => {
    const future = new Date(Date.now() + 3_600_000).toISOString();
    const sink = store.open();
    await expect(sink.export(await snapshot(0, items(1), { exportedAt: future }), limit())).rejects.toMatchObject({
      code: 'SNAPSHOT_INVALID',
      message: expect.stringContaining(future),
    });
    await expect(
      sink.removeInventory?.({ inventoryNamespace: 'a', inventoryName: 'b' }, { ...limit(), removedAt: future }),
    ).rejects.toMatchObject({
      code: 'SNAPSHOT_INVALID',
    });
    expect(await store.database.query('SELECT FROM inventory_exports')).toHaveLength(0);
  });
});

describe('the checksum shortcut never hides a difference', () => {
  const drifts = [
    ['truncated', 'TRUNCATE inventory'],
    ['dropped', 'DROP TABLE inventory CASCADE'],
    ['dropped with its exports', 'DROP TABLE inventory, inventory_exports CASCADE'],
    ['its checksum removed and rows deleted', `UPDATE inventory_exports SET checksum = NULL; DELETE FROM inventory`],
    [
      'its digests removed',
      `UPDATE inventory_exports SET checksum = NULL; UPDATE inventory SET row_digest = NULL, payload = '{}'`,
    ],
  ] as const;
  test.each(drifts)(
    'a table that was %s is made true again by the next export, the sink running on',
    async (_, drift) => {
      const sink = store.open();
      const before = await snapshot(0, items(20));
      await sink.export(before, limit());
      await store.database.query(drift);
      await sink.export(await snapshot(1, items(20)), limit());
      expect(await tableContents(store.database)).toEqual(contentsOf(before));
    },
  );

  test('a hash-partitioned table that was truncated is noticed too', async () => {
    const sink = store.open({ partitions: 4 });
    const before = await snapshot(0, items(20));
    await sink.export(before, limit());
    await store.database.query('TRUNCATE inventory');
    await sink.export(await snapshot(1, items(20)), limit());
    expect(await tableContents(store.database)).toEqual(contentsOf(before));
  });

  test('after an incomplete snapshot a complete one deletes, though its checksum is the same', async () => {
    const sink = store.open();
    const pods = [item('p', {}, { targetName: 'pods', kind: 'Pod' })];
    await sink.export(await snapshot(0, [...items(3), ...pods]), limit());
    const partial = await snapshot(1, items(2), { incompleteTargets: ['pods'] });
    await expect(sink.export(partial, limit())).resolves.toMatchObject({ counts: { deleted: 1, unchanged: 2 } });
    expect(await tableContents(store.database)).toEqual(contentsOf(await snapshot(1, [...items(2), ...pods])));
    const complete = await snapshot(2, items(2));
    expect(complete.checksum).toBe(partial.checksum);
    await expect(sink.export(complete, limit())).resolves.toMatchObject({ counts: { deleted: 1, unchanged: 2 } });
    expect(await tableContents(store.database)).toEqual(contentsOf(complete));
  });

  test('resync heals rows that a hand changed behind their digests', async () => {
    const sink = store.open({ resyncInterval: '1ms' });
    const truth = await snapshot(0, items(10));
    await sink.export(truth, limit());
    await store.database.query(`UPDATE inventory SET payload = '{"hacked": true}' WHERE source_uid = 'uid-web-3'`);
    await store.database.query(`UPDATE inventory SET source_uid = 'moved' WHERE source_uid = 'uid-web-4'`);
    await expect(sink.export(await snapshot(1, items(10)), limit())).resolves.toMatchObject({
      outcome: 'applied',
      counts: { inserted: 1, updated: 1, deleted: 1, unchanged: 8 },
    });
    expect(await tableContents(store.database)).toEqual(contentsOf(truth));
  });
});

describe('whose row is it', () => {
  test('another cluster under the same keys is a CONFLICT that names both, and nothing is taken over', async () => {
    const ours = await snapshot(0, items(3));
    await store.open().export(ours, limit());
    const theirs = await snapshot(1, items(2), { cluster: 'staging' });
    await expect(store.open().export(theirs, limit())).rejects.toMatchObject({
      code: 'CONFLICT',
      retryable: false,
      message: expect.stringMatching(/cluster "prod".*cluster "staging".*clusterInKey: true/s),
    });
    expect(await tableContents(store.database)).toEqual(contentsOf(ours));
  });

  test('also in a scope that holds rows already, where the write is an upsert', async () => {
    await store.open().export(await snapshot(0, items(3)), limit());
    const sink = store.open();
    const own = await snapshot(0, [item('own')], { cluster: 'staging' });
    await sink.export(own, limit());
    await expect(
      sink.export(await snapshot(1, [item('own'), ...items(1)], { cluster: 'staging' }), limit()),
    ).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await tableContents(store.database, `cluster = 'staging'`)).toEqual(contentsOf(own));
  });

  test('clusterInKey lets both hold the same keys', async () => {
    const sink = store.open({ clusterInKey: true });
    const [prod, staging] = [
      await snapshot(0, items(3)),
      await snapshot(
        1,
        items(3, () => ({})),
        { cluster: 'staging' },
      ),
    ];
    await sink.export(prod, limit());
    await sink.export(staging, limit());
    expect(await tableContents(store.database)).toEqual(contentsOf(prod, staging));
    await sink.export(await snapshot(2, [], { cluster: 'staging' }), limit());
    expect(await tableContents(store.database)).toEqual(contentsOf(prod));
  });
});

describe('deletes: soft', () => {
  test('marks rows and revives them, the current view hiding what is marked', async () => {
    const sink = store.open({ deletes: 'soft' });
    await sink.export(await snapshot(0, items(3)), limit());
    await expect(sink.export(await snapshot(1, items(2)), limit())).resolves.toMatchObject({ counts: { deleted: 1 } });
    expect(
      await store.database.query('SELECT source_uid, deleted_at FROM inventory WHERE deleted_at IS NOT NULL'),
    ).toEqual([{ source_uid: 'uid-web-2', deleted_at: new Date('2026-01-31T12:01:00Z') }]);
    expect(await store.database.query('SELECT FROM inventory_current')).toHaveLength(2);
    await expect(sink.export(await snapshot(2, items(3)), limit())).resolves.toMatchObject({
      counts: { inserted: 1, deleted: 0, unchanged: 2 },
    });
    expect(await store.database.query('SELECT FROM inventory WHERE deleted_at IS NULL')).toHaveLength(3);
  });

  test('a scope whose rows are all marked is revived without a conflict', async () => {
    const sink = store.open({ deletes: 'soft' });
    await sink.export(await snapshot(0, items(3)), limit());
    await sink.export(await snapshot(1, []), limit());
    await sink.export(await snapshot(2, items(3)), limit());
    expect(await tableContents(store.database, 'deleted_at IS NULL')).toEqual(contentsOf(await snapshot(2, items(3))));
  });
});

describe('maxDeletes', () => {
  test.each([
    ['a number', { maxDeletes: 4 }, 'maxDeletes allows 4 rows'],
    ['a percentage', { maxDeletes: '40%' }, 'maxDeletes allows 40 % of 10 rows'],
  ] as const)('as %s refuses what would delete more, and allowDeletes overrules it once', async (_, spec, words) => {
    const sink = store.open(spec);
    const full = await snapshot(0, items(10));
    await sink.export(full, limit());
    const small = await snapshot(1, items(5));
    await expect(sink.export(small, limit())).rejects.toMatchObject({
      code: 'DELETE_LIMIT',
      message: expect.stringContaining(`delete 5 of 10 rows, and ${words}`),
    });
    expect(await tableContents(store.database)).toEqual(contentsOf(full));
    await expect(sink.export(await snapshot(2, items(6)), limit())).resolves.toMatchObject({ counts: { deleted: 4 } });
    await expect(sink.export(await snapshot(3, []), { ...limit(), allowDeletes: true })).resolves.toMatchObject({
      counts: { deleted: 6 },
    });
  });
});

describe('from many rows to none', () => {
  const emptied = /would delete (\d+) of \1 rows.*Nothing was written.*allowDeletes: true.*maxDeletes: '100%'/;

  test('ten rows and more are kept without allowDeletes or a maxDeletes that says so: an informer may not have synced', async () => {
    for (const spec of [{}, { deletes: 'soft', table: 'soft' }] as const) {
      const sink = store.open({ ...spec, resyncInterval: '1ms' });
      await sink.export(await snapshot(0, items(10)), limit());
      for (const read of [sink, store.open(spec)]) {
        await expect(read.plan?.(await snapshot(1, []), limit())).rejects.toMatchObject({ code: 'DELETE_LIMIT' });
        await expect(read.export(await snapshot(1, []), limit())).rejects.toMatchObject({
          code: 'DELETE_LIMIT',
          retryable: false,
          message: expect.stringMatching(emptied),
        });
      }
      await expect(sink.export(await snapshot(2, []), { ...limit(), allowDeletes: true })).resolves.toMatchObject({
        outcome: 'applied',
        counts: { deleted: 10, unchanged: 0 },
      });
    }
  });

  test('nine may go, others may take the place of all, and a removal is no accident', async () => {
    const sink = store.open();
    await sink.export(await snapshot(0, items(9)), limit());
    await expect(sink.export(await snapshot(1, []), limit())).resolves.toMatchObject({ counts: { deleted: 9 } });
    await sink.export(await snapshot(2, items(30)), limit());
    const others = items(1).map((one) => ({ ...one, uid: 'other' }));
    await expect(sink.export(await snapshot(3, others), limit())).resolves.toMatchObject({ counts: { deleted: 30 } });
    const many = await snapshot(4, items(30));
    await sink.export(many, limit());
    const removal = { ...limit(), removedAt: '2026-01-31T13:00:00.000Z' };
    await expect(sink.removeInventory?.(many, removal)).resolves.toMatchObject({ counts: { deleted: 30 } });
  });

  test.each(['100%', 30] as const)('maxDeletes: %j allows it, as it says', async (maxDeletes) => {
    const sink = store.open({ maxDeletes });
    await sink.export(await snapshot(0, items(30)), limit());
    await expect(sink.export(await snapshot(1, []), limit())).resolves.toMatchObject({ counts: { deleted: 30 } });
  });

  test('rows that incomplete targets keep are not none', async () => {
    const sink = store.open();
    const pods = items(3).map((one) => ({ ...one, targetName: 'pods' }));
    await sink.export(await snapshot(0, [...items(20), ...pods]), limit());
    await expect(sink.export(await snapshot(1, [], { incompleteTargets: ['pods'] }), limit())).resolves.toMatchObject({
      counts: { deleted: 20 },
    });
    expect(await tableContents(store.database)).toEqual(contentsOf(await snapshot(0, pods)));
  });
});

test('of two targets of one name the incomplete one keeps its rows, named by its namespace', async () => {
  const sink = store.open();
  const of = (targetNamespace: string, count: number) =>
    items(count).map((one) => ({ ...one, targetNamespace, uid: `${targetNamespace}-${one.uid}` }));
  await sink.export(await snapshot(0, [...of('a', 3), ...of('b', 3)]), limit());
  const partial = await snapshot(1, of('b', 1), { incompleteTargets: ['a/deployments'] });
  await expect(sink.export(partial, limit())).resolves.toMatchObject({ counts: { deleted: 2, unchanged: 1 } });
  expect(await tableContents(store.database)).toEqual(contentsOf(await snapshot(1, [...of('a', 3), ...of('b', 1)])));
});

describe('plan', () => {
  test('tells what the export then does, and writes nothing', async () => {
    const sink = store.open();
    await sink.export(await snapshot(0, items(30)), limit());
    const before = await exportsRow();
    const content = [...items(20, (index) => ({ index: index < 5 ? 'new' : index })), item('x'), item('y')];
    const next = await snapshot(1, content);
    const plan = await sink.plan?.(next, limit());
    expect(plan).toMatchObject({ outcome: 'applied', counts: { inserted: 2, updated: 5, deleted: 10, unchanged: 15 } });
    expect(plan?.samples.inserted).toEqual([
      { targetName: 'deployments', uid: 'uid-x' },
      { targetName: 'deployments', uid: 'uid-y' },
    ]);
    expect(plan?.samples.deleted).toHaveLength(10);
    expect(await exportsRow()).toEqual(before);
    expect((await sink.export(next, limit())).counts).toEqual(plan?.counts);
    await expect(sink.plan?.(await snapshot(2, content), limit())).resolves.toMatchObject({ outcome: 'unchanged' });
    await expect(sink.plan?.(await snapshot(0, []), limit())).resolves.toMatchObject({ outcome: 'superseded' });
  });
});
