import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { KollectSink } from '@kollect/core';
import { startPgBouncer, type PgBouncer } from '../servers/pgbouncer.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { contentsOf, item, items, limit, sinkOver, snapshot, tableContents, type SinkBlock } from './sink.ts';
import { openTestDatabase, testServer } from '../support/postgres.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('behind PgBouncer in transaction mode', () => {
  let database: DatabaseAccess;
  let bouncer: PgBouncer;
  let sinks: KollectSink[] = [];
  beforeAll(async () => {
    database = await openTestDatabase();
    bouncer = await startPgBouncer({ postgres: testServer(), poolMode: 'transaction', poolSize: 3 });
  }, 120_000);
  beforeEach(async () => {
    await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  });
  afterEach(async () => {
    await Promise.all(sinks.map((sink) => sink.close()));
    sinks = [];
  });
  afterAll(async () => {
    await bouncer.stop();
    await database.drop();
  });

  const open = (spec: SinkBlock = {}): KollectSink => {
    const sink = sinkOver(
      { ...database, credentials: { ...database.credentials, host: bouncer.host, port: bouncer.port } },
      { spec },
    );
    sinks.push(sink);
    return sink;
  };

  test.each<[string, SinkBlock]>([
    ['upsert', {}],
    ['soft deletes', { deletes: 'soft' }],
  ])('every write path works: %s', async (_, spec) => {
    const sink = open(spec);
    for (const [at, content] of [items(1_500), items(1_500, () => ({ other: true })), items(3), items(3)].entries()) {
      const next = await snapshot(at, content);
      await sink.export(next, limit());
      expect(await tableContents(database, spec.deletes === 'soft' ? 'deleted_at IS NULL' : 'true')).toEqual(
        contentsOf(next),
      );
    }
    await expect(sink.testConnection(limit())).resolves.toMatchObject({ ok: true });
  });

  test('more exporters than server connections, and no session state is left on them', async () => {
    const exporters = Array.from({ length: 8 }, () => open({ poolSize: 2 }));
    await exporters[0]?.export(await snapshot(0, [], { inventoryName: 'warm' }), limit());
    const snapshots = await Promise.all(
      exporters.map((_, lane) => snapshot(0, items(100), { inventoryName: `lane-${lane}` })),
    );
    await Promise.all(
      exporters.map((sink, lane) => sink.export(snapshots[lane] as (typeof snapshots)[number], limit())),
    );
    expect(await tableContents(database)).toEqual(contentsOf(...snapshots));
    const through = await database.client({ host: bouncer.host, port: bouncer.port });
    const { rows } = await through.query(
      `SELECT current_setting('statement_timeout') AS statement_timeout, (SELECT count(*)::int FROM pg_prepared_statements) AS prepared,
              (SELECT count(*)::int FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE l.locktype = 'advisory' AND d.datname = current_database()) AS locks`,
    );
    await through.end();
    expect(rows).toEqual([{ statement_timeout: '0', prepared: 0, locks: 0 }]);
  });

  test('an abort inside COPY and one while waiting for a lock free the server', async () => {
    const sink = open();
    await sink.export(await snapshot(0, items(2), { inventoryName: 'other' }), limit());
    const busy = (): Promise<unknown[]> =>
      database.query(
        `SELECT pid FROM pg_stat_activity WHERE application_name = 'kollect' AND datname = current_database() AND state <> 'idle'`,
      );
    const big = await snapshot(
      0,
      Array.from({ length: 48 }, (_, index) => item(`big-${index}`, { text: 'x'.repeat(1024 * 1024) })),
    );
    const copying = new AbortController();
    const first = sink.export(big, { signal: copying.signal });
    first.catch(() => undefined);
    await waitUntil(
      async () =>
        (await database.query(`SELECT FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database()`))
          .length > 0,
      {
        what: 'COPY runs',
      },
    );
    copying.abort();
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' });
    await waitUntil(async () => (await busy()).length === 0, { what: 'no backend of ours is busy' });

    const blocker = await database.client();
    await blocker.query('BEGIN; LOCK TABLE inventory IN ACCESS EXCLUSIVE MODE');
    const waiting = new AbortController();
    const second = sink.export(await snapshot(1, items(9), { inventoryName: 'other' }), { signal: waiting.signal });
    second.catch(() => undefined);
    await waitUntil(
      async () =>
        (
          await database.query(
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
          )
        ).length > 0,
      {
        what: 'the export waits',
      },
    );
    waiting.abort();
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    await waitUntil(async () => (await busy()).length === 0, { what: 'no backend of ours is busy' });
    await blocker.query('ROLLBACK');
    await blocker.end();
    await expect(sink.export(await snapshot(2, items(9), { inventoryName: 'other' }), limit())).resolves.toMatchObject({
      outcome: 'applied',
    });
  });
});

test('PgBouncer in statement mode, which has no transactions, is a fault of the spec and not of the login', async () => {
  const database = await openTestDatabase();
  const bouncer = await startPgBouncer({ postgres: testServer(), poolMode: 'statement' });
  const { host, port } = bouncer;
  const sink = sinkOver({ ...database, credentials: { ...database.credentials, host, port } });
  try {
    await expect(sink.export(await snapshot(0, items(1)), limit())).rejects.toMatchObject({
      code: 'SPEC_INVALID',
      retryable: false,
      message: expect.stringContaining('Use transaction or session mode'),
    });
  } finally {
    await sink.close();
    await bouncer.stop();
    await database.drop();
  }
});
