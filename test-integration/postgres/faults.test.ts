import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createEgressPolicy, type Egress, type KollectSink } from '@kollect/core';
import { startFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { startPostgres, type PostgresServer } from '../servers/postgres.ts';
import { contentsOf, items, limit, sinkOver, snapshot, tableContents, type SinkBlock } from './sink.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { waitUntil } from '../support/wait-until.ts';

let sinks: KollectSink[] = [];
afterEach(async () => {
  await Promise.all(sinks.map((sink) => sink.close()));
  sinks = [];
});

describe('a network that misbehaves', () => {
  let database: DatabaseAccess;
  let proxy: FaultProxy;
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  beforeEach(async () => {
    await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    proxy = await startFaultProxy({ target: database.credentials });
  });
  afterEach(() => proxy.close());
  afterAll(() => database.drop());

  const open = (spec: SinkBlock = {}, egress: Egress = createEgressPolicy()): KollectSink => {
    const sink = sinkOver(
      { ...database, credentials: { ...database.credentials, host: proxy.host, port: proxy.port } },
      { spec, egress },
    );
    sinks.push(sink);
    return sink;
  };

  test('idle connections that died cost the caller nothing', async () => {
    const sink = open();
    await sink.export(await snapshot(0, items(3)), limit());
    const kills = [async () => proxy.reset(), async () => proxy.cut(), killBackends];
    for (const [at, kill] of kills.entries()) {
      await kill();
      const next = await snapshot(at + 1, items(4 + at));
      await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied' });
      expect(await tableContents(database)).toEqual(contentsOf(next));
    }
  });

  async function killBackends(): Promise<void> {
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kollect' AND datname = current_database()`,
    );
  }

  test('a login whose way to the server is closed in the middle is UNAVAILABLE, though the server says that the password is wrong', async () => {
    const said: string[] = [];
    const halving = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ ...database.credentials, allowHalfOpen: true });
      let messages = 0;
      near.on('data', (bytes) => {
        messages += 1;
        // The first message names user and database, the second begins the login.
        if (messages === 1) far.write(bytes);
        if (messages === 2) far.end(bytes.subarray(0, 5));
      });
      far.on('data', (bytes) => {
        said.push(String(bytes));
        near.write(bytes);
      });
      far.once('end', () => near.end());
      near.once('close', () => far.destroy());
      for (const socket of [near, far]) socket.on('error', () => undefined);
    });
    await once(halving.listen(0, '127.0.0.1'), 'listening');
    const { port } = halving.address() as AddressInfo;
    const sink = sinkOver({ ...database, credentials: { ...database.credentials, host: '127.0.0.1', port } });
    sinks.push(sink);
    try {
      await expect(sink.export(await snapshot(1, items(1)), limit())).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        retryable: true,
        message: expect.stringContaining('The login was cut off on its way'),
      });
      expect(said.join('')).toContain('28P01');
    } finally {
      await sink.close();
      halving.close();
    }
  });

  test('a server that accepts and never answers is given up after connectTimeout, retryable', async () => {
    const sink = open({ connectTimeout: '300ms' });
    proxy.blackhole();
    await expect(sink.export(await snapshot(1, items(4)), limit())).rejects.toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
    });
    proxy.heal();
    await expect(sink.export(await snapshot(2, items(5)), limit())).resolves.toMatchObject({ outcome: 'applied' });
  });

  test('a network that goes silent while the table is prepared is given up within the limits of the sink', async () => {
    // After the login, and then one statement after another.
    const holes = await Promise.all(
      [300, 500, 1_500, 4_000].map(async (after) => {
        const own = await openTestDatabase();
        const silent = await startFaultProxy({ target: own.credentials });
        const hit = silent.onBytes({ direction: 'toServer', after, fault: 'blackhole' });
        const sink = sinkOver(
          { ...own, credentials: { ...own.credentials, host: silent.host, port: silent.port } },
          { spec: { connectTimeout: '500ms', statementTimeout: '500ms' } },
        );
        sinks.push(sink);
        return { own, silent, hit, failure: sink.open?.(limit()) };
      }),
    );
    for (const { own, silent, hit, failure } of holes) {
      await expect(failure).rejects.toMatchObject({
        code: 'TIMEOUT',
        retryable: true,
        // What waits for the network alone has the shorter limit, and its field is the one to raise.
        message: expect.stringMatching(
          /^Gave up .* after (500 ms .*spec\.postgres\.connectTimeout|5500 ms .*spec\.postgres\.statementTimeout)/u,
        ),
      });
      await hit;
      await silent.close();
      await own.drop();
    }
  });

  test('a black hole in the middle of an export ends at the deadline, retryable, and leaves no socket', async () => {
    const opened: Socket[] = [];
    const policy = createEgressPolicy();
    const egress: Egress = {
      dial: async (options) => remember(opened, await policy.dial(options)),
      socket: () => remember(opened, policy.socket()),
      lookup: policy.lookup,
      check: policy.check,
    };
    const sink = open({}, egress);
    await sink.export(await snapshot(0, items(3)), limit());
    const hit = proxy.onBytes({ direction: 'toServer', after: 2_000, fault: 'blackhole' });
    const exporting = sink.export(await snapshot(1, items(5_000)), { signal: AbortSignal.timeout(1_500) });
    await expect(exporting).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
    await hit;
    expect(opened.filter((socket) => !socket.destroyed)).toEqual([]);
    proxy.heal();
    const next = await snapshot(2, items(6));
    await expect(sink.export(next, limit())).resolves.toMatchObject({ outcome: 'applied' });
    expect(await tableContents(database)).toEqual(contentsOf(next));
  });

  test.each(['cut', 'reset'] as const)(
    'a connection %s at any byte of an export leaves old or new, and the next export is right',
    async (fault) => {
      const sink = open();
      await sink.export(
        await snapshot(
          0,
          items(20, () => ({ round: 0 })),
        ),
        limit(),
      );
      const before = proxy.forwarded.toServer;
      await sink.export(
        await snapshot(
          1,
          items(25, () => ({ round: 1 })),
        ),
        limit(),
      );
      const bytes = proxy.forwarded.toServer - before;
      for (let step = 0; step < 12; step += 1) {
        const round = 2 + step;
        const old = await tableContents(database);
        const next = await snapshot(
          round,
          items(20 + (round % 7), () => ({ round })),
        );
        void proxy.onBytes({ direction: 'toServer', after: 1 + Math.floor((bytes * step) / 12), fault });
        const outcome = await sink.export(next, limit()).then(
          () => 'applied',
          (error: { code: string; retryable: boolean }) => `${error.code} ${error.retryable}`,
        );
        expect(['applied', 'UNAVAILABLE true']).toContain(outcome);
        const now = await tableContents(database);
        if (outcome === 'applied') expect(now).toEqual(contentsOf(next));
        else expect([old, contentsOf(next)]).toContainEqual(now);
      }
      await proxy.close();
      proxy = await startFaultProxy({ target: database.credentials });
    },
  );

  test('a server that cannot be reached is UNAVAILABLE, names where, and hides the password', async () => {
    const sink = open();
    await proxy.close();
    await expect(sink.export(await snapshot(0, items(1)), limit())).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining(`${proxy.host}:${proxy.port}`),
    });
    proxy = await startFaultProxy({ target: database.credentials });
  });
});

function remember(opened: Socket[], socket: Socket): Socket {
  opened.push(socket);
  return socket;
}

describe('a server that misbehaves', () => {
  let server: PostgresServer;
  let database: DatabaseAccess;
  beforeAll(async () => {
    server = await startPostgres();
    database = await server.createDatabase();
  }, 120_000);
  afterAll(() => server.stop());

  test.each(['fast', 'immediate', 'kill'] as const)(
    'a restart (%s) under running exports loses nothing that was acknowledged',
    async (mode) => {
      const sink = sinkOver(database, { spec: { table: 'inventory' } });
      sinks.push(sink);
      await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      let acknowledged = await snapshot(
        0,
        items(50, () => ({ round: 0 })),
      );
      await sink.export(acknowledged, limit());
      let restarted = false;
      const restarting = server.restart(mode).then(() => (restarted = true));
      for (let round = 1; !restarted || round < 3; round += 1) {
        const next = await snapshot(
          0,
          items(50, () => ({ round })),
          { exportedAt: new Date(Date.UTC(2026, 0, 31, 12, 0, round)) },
        );
        const result = await sink.export(next, limit()).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toMatchObject({ name: 'SinkError', retryable: true });
        else acknowledged = next;
      }
      await restarting;
      const last = await snapshot(30, items(51));
      await waitUntil(
        () =>
          sink.export(last, limit()).then(
            () => true,
            () => false,
          ),
        { what: 'the export works again', timeoutMs: 20_000 },
      );
      expect(acknowledged.exportedAt < last.exportedAt).toBe(true);
      expect(await tableContents(database)).toEqual(contentsOf(last));
    },
    90_000,
  );

  test('a server that became read-only is UNAVAILABLE, and its connection is not used again', async () => {
    await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const sink = sinkOver(database);
    sinks.push(sink);
    await sink.export(await snapshot(31, items(2)), limit());
    // From another database, whose connections stay writable.
    const administrator = await server.createDatabase();
    await administrator.query(`ALTER DATABASE "${database.database}" SET default_transaction_read_only = on`);
    await administrator.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kollect'`,
    );
    await expect(sink.export(await snapshot(32, items(3)), limit())).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
    await administrator.query(`ALTER DATABASE "${database.database}" RESET default_transaction_read_only`);
    await expect(sink.export(await snapshot(32, items(3)), limit())).resolves.toMatchObject({ outcome: 'applied' });
  });
});
