import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KollectSink } from '@kollect/core';
import { contentsOf, item, items, limit, sinkOver, snapshot, tableContents, type SinkBlock } from './sink.ts';
import { useStore } from './store.ts';

const role = `writer_${randomBytes(4).toString('hex')}`;
// Before the store's own, which drops the database.
afterAll(() => store.database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
const store = useStore();
beforeAll(async () => {
  await store.database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
});

/** A trigger that keeps out every row whose uid begins with `lost`, before these events on `table`. */
const skipping = (events: string, table = 'inventory') => `
  CREATE OR REPLACE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE kept record;
  BEGIN
    IF TG_OP = 'INSERT' THEN kept := NEW; ELSE kept := OLD; END IF;
    IF kept.${table === 'inventory' ? 'source_uid' : 'inventory_name'} LIKE 'lost%' THEN RETURN NULL; END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER "drops rows" BEFORE ${events} ON ${table} FOR EACH ROW EXECUTE FUNCTION skip()`;

const lost = (count: number, attributes = {}) =>
  items(count, () => attributes).map((one) => ({ ...one, uid: `lost-${one.uid}` }));

const fences = () => store.database.query('SELECT exported_at, checksum, item_count FROM inventory_exports');

describe('rows that a trigger keeps out or changes are counted, and nothing is written', () => {
  const refusal = (asked: number, verb: string, took: number, table = 'inventory') => ({
    code: 'SCHEMA_MISMATCH',
    retryable: false,
    message: expect.stringContaining(
      `Of ${asked} rows that were to be ${verb}, "public"."${table}" took ${took}: trigger "drops rows" keeps out or changes the others. Nothing was written.`,
    ),
  });

  test.each<readonly [string, SinkBlock]>([
    ['a table', {}],
    ['partitions', { partitions: 2 }],
    ['soft deletes', { deletes: 'soft' }],
  ])('by COPY and by upsert, into %s', async (_, spec) => {
    const sink = store.open(spec);
    const first = await snapshot(0, items(3));
    await sink.export(first, limit());
    await store.database.query(skipping('INSERT'));
    const before = await fences();
    const mixed = await snapshot(1, [...items(3, () => ({ changed: true })), ...lost(5)]);
    await expect(sink.export(mixed, limit())).rejects.toMatchObject(refusal(8, 'written', 3));
    const other = await snapshot(1, lost(5), { inventoryName: 'other' });
    for (const again of [sink, store.open(spec)])
      await expect(again.export(other, limit())).rejects.toMatchObject(refusal(5, 'written', 0));
    expect(await tableContents(store.database)).toEqual(contentsOf(first));
    expect(await fences()).toEqual(expect.arrayContaining(before));
    expect(await fences()).toHaveLength(1);
    await store.database.query('DROP TRIGGER "drops rows" ON inventory');
    await sink.export(other, limit());
    expect(await tableContents(store.database, `inventory_name = 'other'`)).toEqual(contentsOf(other));
  });

  test.each<readonly [string, SinkBlock, string]>([
    ['hard', {}, 'DELETE'],
    ['soft', { deletes: 'soft' }, 'UPDATE'],
  ])('by a delete: %s', async (_, spec, event) => {
    const sink = store.open(spec);
    const first = await snapshot(0, [...items(3), ...lost(2)]);
    await sink.export(first, limit());
    await store.database.query(skipping(event));
    await expect(sink.export(await snapshot(1, items(2)), limit())).rejects.toMatchObject(refusal(3, 'deleted', 1));
    await expect(
      sink.removeInventory?.(first, { ...limit(), removedAt: '2026-01-31T13:00:00.000Z' }),
    ).rejects.toMatchObject(refusal(5, 'deleted', 3));
    expect(await tableContents(store.database)).toEqual(contentsOf(first));
  });

  test('by an update, and when everything is compared by content', async () => {
    const sink = store.open({ resyncInterval: '1ms' });
    const first = await snapshot(0, [...items(3), ...lost(2)]);
    await sink.export(first, limit());
    await store.database.query(skipping('UPDATE'));
    const next = await snapshot(1, [...items(3, () => ({ changed: true })), ...lost(2, { changed: true })]);
    await expect(sink.export(next, limit())).rejects.toMatchObject(refusal(2, 'written', 0));
    await expect(store.open({ resyncInterval: '0s' }).export(next, limit())).rejects.toMatchObject(
      refusal(5, 'written', 3),
    );
    expect(await tableContents(store.database)).toEqual(contentsOf(first));
  });

  test.each(['INSERT', 'UPDATE'])('from the table of exports, by %s', async (event) => {
    const sink = store.open();
    await sink.export(await snapshot(0, items(1)), limit());
    if (event === 'UPDATE') await sink.export(await snapshot(0, items(1), { inventoryName: 'lost' }), limit());
    await store.database.query(skipping(event, 'inventory_exports'));
    const next = await snapshot(1, items(2), { inventoryName: 'lost' });
    await expect(sink.export(next, limit())).rejects.toMatchObject(refusal(1, 'written', 0, 'inventory_exports'));
  });

  test.each<readonly [string, SinkBlock, string]>([
    ['the payload', {}, `NEW.payload := NEW.payload || '{"changed": true}'`],
    ['a digest', { deletes: 'soft' }, 'NEW.row_digest := NULL'],
    ['a row back to what it was', {}, `IF TG_OP = 'UPDATE' THEN NEW := OLD; END IF`],
  ])('where a trigger changes %s', async (_, spec, change) => {
    const sink = store.open(spec);
    const first = await snapshot(0, items(3));
    await sink.export(first, limit());
    await store.database.query(`
      CREATE FUNCTION alter_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${change}; RETURN NEW; END $$;
      CREATE TRIGGER "drops rows" BEFORE INSERT OR UPDATE ON inventory FOR EACH ROW EXECUTE FUNCTION alter_row()`);
    const next = await snapshot(
      1,
      items(3, () => ({ other: true })),
    );
    await expect(sink.export(next, limit())).rejects.toMatchObject(refusal(3, 'written', 0));
    if (!change.startsWith('IF')) {
      const other = await snapshot(1, items(2), { inventoryName: 'other' });
      await expect(sink.export(other, limit())).rejects.toMatchObject(refusal(2, 'written', 0));
    }
    expect(await tableContents(store.database)).toEqual(contentsOf(first));
  });

  test('in append mode', async () => {
    const sink = store.open({ mode: 'append' });
    await sink.export(await snapshot(0, items(1)), limit());
    await store.database.query(`
      CREATE OR REPLACE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER "drops rows" BEFORE INSERT ON inventory FOR EACH ROW EXECUTE FUNCTION skip()`);
    await expect(sink.export(await snapshot(1, items(2)), limit())).rejects.toMatchObject(refusal(1, 'written', 0));
    expect(await store.database.query('SELECT FROM inventory')).toHaveLength(1);
  });

  test('a trigger that lets rows pass is welcome', async () => {
    const sink = store.open();
    await sink.export(await snapshot(0, items(3)), limit());
    await store.database.query(skipping('INSERT OR UPDATE'));
    const next = await snapshot(1, [...items(2, () => ({ changed: true })), item('new')]);
    await expect(sink.export(next, limit())).resolves.toMatchObject({
      counts: { inserted: 1, updated: 2, deleted: 1 },
    });
  });
});

describe('a table that does not keep what is written is refused: by a new sink, by one that runs, and by testConnection', () => {
  const changes: readonly (readonly [string, string, SinkBlock, RegExp])[] = [
    [
      'UNLOGGED',
      'ALTER TABLE inventory SET UNLOGGED',
      {},
      /is UNLOGGED, and a crash of the server empties it; run ALTER TABLE public\.inventory SET LOGGED/,
    ],
    [
      'an UNLOGGED table of exports',
      'ALTER TABLE inventory_exports SET UNLOGGED',
      {},
      /"inventory_exports" is UNLOGGED/,
    ],
    [
      'an UNLOGGED partition',
      'ALTER TABLE inventory_p1 SET UNLOGGED',
      { partitions: 2 },
      /is UNLOGGED.*ALTER TABLE public\.inventory_p1 SET LOGGED/,
    ],
    [
      'row security',
      `ALTER TABLE inventory ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON inventory USING (source_uid <> 'uid-web-0')`,
      {},
      /"inventory" hides rows from the user of the sink by row security/,
    ],
    [
      'row security of the table of exports',
      `ALTER TABLE inventory_exports ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON inventory_exports USING (true)`,
      {},
      /"inventory_exports" hides rows/,
    ],
    [
      'a rule',
      'CREATE RULE "keep" AS ON DELETE TO inventory DO INSTEAD NOTHING',
      {},
      /rewrites what is written by rule "keep"; drop it/,
    ],
    ['a table that inherits', 'CREATE TABLE child () INHERITS (inventory)', {}, /has 1 tables that inherit from it/],
    ['an UNLOGGED table of events', 'ALTER TABLE inventory SET UNLOGGED', { mode: 'append' }, /is UNLOGGED/],
  ];

  describe.each<SinkBlock>([{ provisioning: 'create' }, { provisioning: 'existing' }])('%j', (provisioning) => {
    test.each(changes)('%s', async (_, change, spec, words) => {
      const owner = store.open(spec);
      await owner.export(await snapshot(0, items(3)), limit());
      await store.database.query(
        `GRANT USAGE ON SCHEMA public TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON inventory, inventory_exports TO ${role}`,
      );
      const { host, port } = store.database.credentials;
      const credentials = { username: role, password: 'secret', host, port: String(port) };
      const open = (): KollectSink => sinkOver(store.database, { spec: { ...spec, ...provisioning }, credentials });
      const running = open();
      const fresh = open();
      try {
        await running.export(await snapshot(1, items(3)), limit());
        await store.database.query(change);
        const refusal = { code: 'SCHEMA_MISMATCH', message: expect.stringMatching(words) };
        for (const sink of [running, fresh]) {
          // The same once more, for which one statement would do, and another.
          for (const content of [items(3), items(2)])
            await expect(sink.export(await snapshot(2, content), limit())).rejects.toMatchObject(refusal);
          await expect(sink.plan?.(await snapshot(2, items(2)), limit())).rejects.toMatchObject(refusal);
          const removal = { ...limit(), removedAt: '2026-01-31T13:00:00.000Z' };
          await expect(sink.removeInventory?.(await snapshot(0, []), removal)).rejects.toMatchObject(refusal);
          const { ok, steps } = await sink.testConnection(limit());
          expect(ok).toBe(false);
          expect(steps.filter(({ status }) => status === 'failed')).toMatchObject([
            { name: 'table', code: 'SCHEMA_MISMATCH', found: expect.stringMatching(words) },
          ]);
        }
      } finally {
        await running.close();
        await fresh.close();
      }
    });
  });

  test('row security does not matter to a user whom it does not apply to', async () => {
    const sink = store.open();
    await sink.export(await snapshot(0, items(3)), limit());
    await store.database.query('ALTER TABLE inventory ENABLE ROW LEVEL SECURITY');
    await expect(sink.export(await snapshot(1, items(3)), limit())).resolves.toMatchObject({ outcome: 'unchanged' });
    await expect(sink.export(await snapshot(2, items(2)), limit())).resolves.toMatchObject({ outcome: 'applied' });
  });
});

test('a view that was dropped alone is made again, by a sink that runs and by a new one', async () => {
  const running = store.open();
  await running.export(await snapshot(0, items(3)), limit());
  for (const sink of [running, store.open()]) {
    await store.database.query('DROP VIEW inventory_current');
    await expect(sink.export(await snapshot(1, items(3)), limit())).resolves.toMatchObject({ outcome: 'unchanged' });
    expect(await store.database.query('SELECT FROM inventory_current')).toHaveLength(3);
  }
});
