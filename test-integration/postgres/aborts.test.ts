import { describe, expect, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { contentsOf, item, items, limit, snapshot, tableContents } from './sink.ts';
import { useStore } from './store.ts';
import { waitUntil } from '../support/wait-until.ts';

const store = useStore();

const ours = `application_name = 'kollect' AND datname = current_database()`;
const backendsIn = (state: string): Promise<unknown[]> =>
  store.database.query(`SELECT pid FROM pg_stat_activity WHERE ${ours} AND ${state}`);
const locksHeld = (): Promise<unknown[]> =>
  store.database.query(
    `SELECT pid FROM pg_stat_activity WHERE ${ours} AND (state <> 'idle' OR backend_xid IS NOT NULL)`,
  );

/** A lock that stops every export in the phase that needs it. */
async function blocker(statement: string): Promise<() => Promise<void>> {
  const client = await store.database.client();
  await client.query('BEGIN');
  await client.query(statement);
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}

const phases = [
  ['while it waits for the lock of the scope', 'SELECT FROM inventory_exports FOR UPDATE', 2],
  ['inside COPY', 'LOCK TABLE inventory IN SHARE MODE', 0],
  ['inside the upsert', 'LOCK TABLE inventory IN SHARE ROW EXCLUSIVE MODE', 2],
  ['while it compares', 'LOCK TABLE inventory IN ACCESS EXCLUSIVE MODE', 2],
] as const;

describe.each(['ABORTED', 'TIMEOUT'] as const)('an export that ends with %s', (code) => {
  test.each(phases)(
    '%s frees the server, leaves the old snapshot, and the next one works',
    async (_, lock, present) => {
      const sink = store.open();
      const before = await snapshot(0, items(present));
      await sink.export(before, limit());
      const release = await blocker(lock);
      const controller = new AbortController();
      const next = await snapshot(1, items(400));
      const exporting = sink.export(next, { signal: controller.signal });
      exporting.catch(() => undefined);
      await waitUntil(async () => (await backendsIn(`wait_event_type = 'Lock'`)).length > 0, {
        what: 'the export waits for the lock',
      });
      controller.abort(code === 'TIMEOUT' ? new DOMException('late', 'TimeoutError') : undefined);
      await expect(exporting).rejects.toMatchObject({
        name: 'SinkError',
        code,
        sinkType: 'postgres',
        operation: 'export',
      });
      // The lock that stopped the export is still held: what frees our backend is the abort alone.
      await waitUntil(async () => (await locksHeld()).length === 0, {
        what: 'no backend of ours holds anything',
        timeoutMs: 5_000,
      });
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
      await release();
      expect(await tableContents(store.database)).toEqual(contentsOf(before));
      await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied' });
      expect(await tableContents(store.database)).toEqual(contentsOf(next));
    },
  );
});

test('an abort while COPY sends megabytes ends it, though the server listens to nothing then', async () => {
  const sink = store.open();
  await sink.export(await snapshot(0, [], { inventoryName: 'other' }), limit());
  const controller = new AbortController();
  const big = await snapshot(
    0,
    Array.from({ length: 64 }, (_, index) => item(`big-${index}`, { text: 'x'.repeat(1024 * 1024) })),
  );
  const exporting = sink.export(big, { signal: controller.signal });
  exporting.catch(() => undefined);
  await waitUntil(async () => (await backendsIn(`query LIKE 'COPY%'`)).length > 0, { what: 'COPY runs' });
  controller.abort();
  await expect(exporting).rejects.toMatchObject({ code: 'ABORTED' });
  await waitUntil(async () => (await locksHeld()).length === 0, {
    what: 'no backend of ours holds anything',
    timeoutMs: 5_000,
  });
  expect((await tableContents(store.database)).size).toBe(0);
  await expect(sink.export(big, limit())).resolves.toMatchObject({ counts: { inserted: 64 } });
});

test('an export that waits for a connection of the pool gives up its turn', async () => {
  const sink = store.open({ poolSize: 1 });
  await sink.export(await snapshot(0, items(1)), limit());
  const release = await blocker('LOCK TABLE inventory IN ACCESS EXCLUSIVE MODE');
  const first = sink.export(await snapshot(1, items(2)), limit());
  const controller = new AbortController();
  const second = sink.export(await snapshot(0, items(2), { inventoryName: 'other' }), { signal: controller.signal });
  controller.abort();
  await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
  await release();
  await expect(first).resolves.toMatchObject({ outcome: 'applied' });
});

test('statementTimeout ends a statement at the server, as TIMEOUT', async () => {
  const sink = store.open({ statementTimeout: '300ms' });
  await sink.export(await snapshot(0, items(1)), limit());
  const release = await blocker('LOCK TABLE inventory IN ACCESS EXCLUSIVE MODE');
  await expect(sink.export(await snapshot(1, items(2)), limit())).rejects.toMatchObject({
    code: 'TIMEOUT',
    retryable: true,
  });
  await release();
  await expect(sink.export(await snapshot(1, items(2)), limit())).resolves.toMatchObject({ outcome: 'applied' });
});

test('close() while an export runs ends the export, and leaves no backend', async () => {
  const sink = store.open();
  await sink.export(await snapshot(0, items(1)), limit());
  const release = await blocker('LOCK TABLE inventory IN ACCESS EXCLUSIVE MODE');
  const exporting = sink.export(await snapshot(1, items(2)), limit());
  exporting.catch(() => undefined);
  await waitUntil(async () => (await backendsIn(`wait_event_type = 'Lock'`)).length > 0, {
    what: 'the export waits for the lock',
  });
  await sink.close();
  await expect(exporting).rejects.toMatchObject({ name: 'SinkError' });
  await waitUntil(async () => (await backendsIn('true')).length === 0, {
    what: 'our backends are gone',
    timeoutMs: 5_000,
  });
  await release();
  await expect(sink.export(await snapshot(2, items(2)), limit())).rejects.toMatchObject({ code: 'ABORTED' });
});
