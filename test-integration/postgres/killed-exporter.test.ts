import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { contentsOf, items, limit, sinkOver, snapshot, tableContents } from './sink.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { waitUntil } from '../support/wait-until.ts';

let database: DatabaseAccess;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.drop());

const exporter = fileURLToPath(new URL('killed-exporter.fixture.ts', import.meta.url));

/** Bytes after which the network stops: from the login to the commit, with COPY into an empty scope and with an upsert. */
const phases = [
  ['at the login', 0, 20],
  ['while it takes the fence', 0, 1_500],
  ['inside COPY', 0, 60_000],
  ['while it compares', 3, 2_500],
  ['inside the upsert', 3, 60_000],
] as const;

test.each(phases)(
  'an exporter that is killed %s leaves the old snapshot, and the next export is right',
  async (_, present, after) => {
    await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const sink = sinkOver(database);
    const before = await snapshot(0, items(present));
    await sink.export(before, limit());
    const proxy = await startFaultProxy({ target: database.credentials });
    const stopped = proxy.onBytes({ direction: 'toServer', after, fault: 'blackhole' });
    const order = {
      database: {
        database: database.database,
        credentials: { ...database.credentials, host: proxy.host, port: proxy.port },
      },
      count: 800,
    };
    const child = fork(exporter, [JSON.stringify(order)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const exited = once(child, 'exit');
    await Promise.race([
      stopped,
      exited.then(() => Promise.reject(new Error('the exporter ended before it was stopped'))),
    ]);
    child.kill('SIGKILL');
    await exited;
    // What the kernel of the killed process sends: its sockets are closed.
    await proxy.close();
    expect(await tableContents(database)).toEqual(contentsOf(before));
    const next = await snapshot(2, items(5));
    await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied' });
    expect(await tableContents(database)).toEqual(contentsOf(next));
    await sink.close();
    await waitUntil(
      async () =>
        (
          await database.query(
            `SELECT FROM pg_stat_activity WHERE application_name = 'kollect' AND datname = current_database()`,
          )
        ).length === 0,
      { what: 'no backend of the killed exporter is left' },
    );
  },
  60_000,
);
