import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createEgressPolicy, type ConnectionReport } from '@kollect/core';
import { freePort } from '../servers/ports.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { items, limit, sinkOver, snapshot, type SinkBlock, type TestSinkOptions } from './sink.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { waitUntil } from '../support/wait-until.ts';

let database: DatabaseAccess;
const role = `tested_${randomBytes(4).toString('hex')}`;
beforeAll(async () => {
  database = await openTestDatabase();
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
});
beforeEach(async () => {
  await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});
afterAll(async () => {
  await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await database.drop();
});

async function report(options: TestSinkOptions = {}): Promise<ConnectionReport> {
  const sink = sinkOver(database, options);
  try {
    return await sink.testConnection(limit());
  } finally {
    await sink.close();
  }
}

const login = (change: Readonly<Record<string, string>> = {}) => ({
  username: database.credentials.username,
  password: database.credentials.password,
  host: database.credentials.host,
  port: String(database.credentials.port),
  ...change,
});
const asRole = () => ({ credentials: login({ username: role, password: 'secret' }) });

const names = [
  'credentials',
  'resolve',
  'connect',
  'tls',
  'authenticate',
  'database',
  'schema',
  'table',
  'privileges',
  'writable',
  'version',
  'clock',
  'export',
];

test('where all is well, every step passes and nothing is made', async () => {
  const count = () => database.query('SELECT count(*) FROM pg_class');
  const before = await count();
  const { ok, steps } = await report();
  expect(steps.map(({ name, status, code }) => [name, status, code])).toEqual(
    names.map((name) => [name, 'passed', 'OK']),
  );
  expect(ok).toBe(true);
  for (const step of steps)
    expect(step).toEqual({ ...step, found: expect.stringMatching(/\.$/), durationMs: expect.any(Number) });
  expect(steps.find(({ name }) => name === 'table')?.found).toContain('will make what is missing');
  expect(await count()).toEqual(before);
});

describe('what fails is told at its step, what builds on it is skipped, all else still runs', () => {
  const fromStep = (name: string) => names.slice(names.indexOf(name) + 1);
  interface Fault {
    readonly step: string;
    readonly code: string;
    readonly found: RegExp;
    readonly skipped: readonly string[];
    readonly options: () => TestSinkOptions | Promise<TestSinkOptions>;
  }
  test.each<readonly [string, Fault]>([
    [
      'mixed credentials',
      {
        step: 'credentials',
        code: 'SPEC_INVALID',
        found: /dsn and host/,
        skipped: fromStep('credentials'),
        options: () => ({ credentials: { dsn: 'x', host: 'y' } }),
      },
    ],
    [
      'a name nobody knows',
      {
        step: 'resolve',
        code: 'UNAVAILABLE',
        found: /resolved/,
        skipped: fromStep('resolve'),
        options: () => ({ credentials: login({ host: 'nowhere.invalid' }) }),
      },
    ],
    [
      'an address the policy forbids',
      {
        step: 'resolve',
        code: 'EGRESS_DENIED',
        found: /169\.254/,
        skipped: fromStep('resolve'),
        options: () => ({ credentials: login({ host: '169.254.169.254' }) }),
      },
    ],
    [
      'a name that leads to a forbidden address',
      {
        step: 'resolve',
        code: 'EGRESS_DENIED',
        found: /forbids/,
        skipped: fromStep('resolve'),
        options: () => ({
          credentials: login({ host: 'localhost' }),
          egress: createEgressPolicy({ deny: ['127.0.0.0/8', '::1/128'] }),
        }),
      },
    ],
    [
      'a port nobody listens on',
      {
        step: 'connect',
        code: 'UNAVAILABLE',
        found: /./,
        skipped: fromStep('connect'),
        options: async () => ({ credentials: login({ host: '127.0.0.1', port: String(await freePort()) }) }),
      },
    ],
    [
      'a certificate nobody vouches for',
      {
        step: 'tls',
        code: 'TLS_FAILED',
        found: /CA|certificate/,
        skipped: fromStep('tls'),
        options: () => ({ spec: { tls: { mode: 'verify-full' } } }),
      },
    ],
    [
      'a wrong password',
      {
        step: 'authenticate',
        code: 'AUTHENTICATION_FAILED',
        found: /28P01/,
        skipped: fromStep('authenticate'),
        options: () => ({ credentials: login({ password: 'wrong' }) }),
      },
    ],
    [
      'a database that is not there',
      {
        step: 'database',
        code: 'NOT_FOUND',
        found: /3D000/,
        skipped: fromStep('database'),
        options: () => ({ spec: { database: 'nowhere' } }),
      },
    ],
    [
      'a schema that is not there',
      {
        step: 'schema',
        code: 'NOT_FOUND',
        found: /"nowhere" does not exist/,
        skipped: ['table', 'privileges', 'export'],
        options: () => ({ spec: { schema: 'nowhere' } }),
      },
    ],
    [
      'a schema without USAGE',
      {
        step: 'schema',
        code: 'PERMISSION_DENIED',
        found: /GRANT USAGE ON SCHEMA "public" is missing/,
        skipped: ['table', 'privileges', 'export'],
        options: async () => {
          await database.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
          return asRole();
        },
      },
    ],
    [
      'a table that must exist',
      {
        step: 'table',
        code: 'NOT_FOUND',
        found: /"inventory" does not exist/,
        skipped: ['privileges', 'export'],
        options: () => ({ spec: { provisioning: 'existing' } }),
      },
    ],
    [
      'a table of another shape',
      {
        step: 'table',
        code: 'SCHEMA_MISMATCH',
        found: /lacks column payload/,
        skipped: ['privileges', 'export'],
        options: async () => {
          await database.query('CREATE TABLE inventory (a int)');
          return {};
        },
      },
    ],
    [
      'no right to create',
      {
        step: 'privileges',
        code: 'PERMISSION_DENIED',
        found: /lacks CREATE ON SCHEMA "public"/,
        skipped: ['export'],
        options: async () => {
          await database.query(`REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO ${role}`);
          return asRole();
        },
      },
    ],
    [
      'the right to read alone',
      {
        step: 'privileges',
        code: 'PERMISSION_DENIED',
        found:
          /lacks INSERT, UPDATE, DELETE ON "public"."inventory"; SELECT, INSERT, DELETE ON "public"."inventory_exports"\./,
        skipped: ['export'],
        options: async () => {
          const sink = sinkOver(database);
          await sink.export(await snapshot(0, items(1)), limit());
          await sink.close();
          await database.query(
            `GRANT USAGE ON SCHEMA public TO ${role}; GRANT SELECT ON inventory TO ${role}; GRANT UPDATE ON inventory_exports TO ${role}`,
          );
          return asRole();
        },
      },
    ],
  ])('%s', async (_, { step, code, found, skipped, options }) => {
    const { ok, steps } = await report(await options());
    expect(ok).toBe(false);
    expect(steps.filter(({ status }) => status === 'failed')).toEqual([
      {
        name: step,
        status: 'failed',
        code,
        found: expect.stringMatching(found),
        remedy: expect.stringMatching(/\.$/),
        durationMs: expect.any(Number),
      },
    ]);
    expect(steps.filter(({ status }) => status === 'skipped').map(({ name }) => name)).toEqual(skipped);
    expect(steps.map(({ name }) => name)).toEqual(names);
  });
});

test('a database that is read-only by default takes no export, and an export makes nothing in it', async () => {
  const before = await database.query('SELECT count(*) FROM pg_class');
  await database.query(`ALTER DATABASE "${database.database}" SET default_transaction_read_only = on`);
  try {
    const { ok, steps } = await report();
    expect(ok).toBe(false);
    const refusal = {
      code: 'UNAVAILABLE',
      remedy: expect.stringContaining('Set default_transaction_read_only to off for the user of the sink'),
    };
    expect(steps.filter(({ status }) => status !== 'passed')).toMatchObject([
      { name: 'writable', status: 'failed', ...refusal },
      { name: 'export', status: 'skipped' },
    ]);
    const sink = sinkOver(database);
    await expect(sink.export(await snapshot(0, items(1)), limit())).rejects.toMatchObject(refusal);
    await sink.close();
    expect(await database.query('SELECT count(*) FROM pg_class')).toEqual(before);
  } finally {
    const client = await database.client({ options: '-c default_transaction_read_only=off' });
    await client.query(`ALTER DATABASE "${database.database}" RESET default_transaction_read_only`);
    await client.end();
  }
});

describe('the last step does what the first export does, and is rolled back', () => {
  const exported = async (options: TestSinkOptions): Promise<unknown> => {
    const sink = sinkOver(database, options);
    try {
      return await sink.export(await snapshot(9, items(2)), limit());
    } catch (error) {
      return error;
    } finally {
      await sink.close();
    }
  };
  const raising = (when: string) => `
    CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'row %', NEW; END $$;
    CREATE TRIGGER raising ${when} ON inventory FOR EACH ROW EXECUTE FUNCTION raise()`;

  test.each<readonly [string, SinkBlock, string, string]>([
    ['a trigger that raises', {}, raising('AFTER INSERT'), 'BACKEND_ERROR'],
    ['a trigger that raises on events', { mode: 'append' }, raising('BEFORE INSERT'), 'BACKEND_ERROR'],
    ['a constraint of somebody', {}, `ALTER TABLE inventory ADD CHECK (gvk = 'no such')`, 'SCHEMA_MISMATCH'],
    [
      'a foreign key of somebody',
      {},
      'CREATE TABLE teams (name text PRIMARY KEY); ALTER TABLE inventory ADD FOREIGN KEY (target_name) REFERENCES teams',
      'SCHEMA_MISMATCH',
    ],
    [
      'a trigger that drops rows',
      {},
      `CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER skipping BEFORE INSERT ON inventory FOR EACH ROW EXECUTE FUNCTION skip()`,
      'SCHEMA_MISMATCH',
    ],
  ])('%s fails both alike', async (_, spec, change, code) => {
    const sink = sinkOver(database, { spec });
    await sink.open?.(limit());
    await sink.close();
    await database.query(change);
    const { ok, steps } = await report({ spec });
    expect(ok).toBe(false);
    expect(steps.filter(({ status }) => status === 'failed')).toMatchObject([{ name: 'export', code }]);
    await expect(exported({ spec })).resolves.toMatchObject({ code });
    expect(await database.query('SELECT FROM inventory')).toEqual([]);
  });

  test('what only the owner of a table can change is denied by both', async () => {
    const sink = sinkOver(database);
    await sink.open?.(limit());
    await sink.close();
    await database.query(
      `GRANT USAGE, CREATE ON SCHEMA public TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON inventory, inventory_exports TO ${role}`,
    );
    for (const spec of [{ indexes: ['gvk' as const] }, { deletes: 'soft' as const }]) {
      const options = { spec, ...asRole() };
      const denied = {
        code: 'PERMISSION_DENIED',
        remedy: expect.stringContaining('as the owner of the table, or make the user of the sink a member'),
      };
      const { steps } = await report(options);
      expect(steps.filter(({ status }) => status === 'failed')).toMatchObject([{ name: 'table', ...denied }]);
      await expect(exported(options)).resolves.toMatchObject(denied);
    }
    await expect(exported(asRole())).resolves.toMatchObject({ outcome: 'applied' });
    const { ok } = await report(asRole());
    expect(ok).toBe(true);
  });

  test('an index that is to come asks for CREATE on the schema, and is not built for a test', async () => {
    const sink = sinkOver(database);
    await sink.open?.(limit());
    await sink.close();
    await database.query(
      `GRANT USAGE ON SCHEMA public TO ${role}; ALTER TABLE inventory OWNER TO ${role}; ALTER TABLE inventory_exports OWNER TO ${role}; ALTER VIEW inventory_current OWNER TO ${role}`,
    );
    const options = { spec: { indexes: ['payload' as const] }, ...asRole() };
    expect((await report(options)).steps.filter(({ status }) => status === 'failed')).toMatchObject([
      { name: 'privileges', code: 'PERMISSION_DENIED', found: expect.stringContaining('CREATE ON SCHEMA "public"') },
    ]);
    await expect(exported(options)).resolves.toMatchObject({ code: 'PERMISSION_DENIED' });
    await database.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
    expect((await report(options)).ok).toBe(true);
  });

  test('a trigger that may drop rows is told of', async () => {
    const sink = sinkOver(database);
    await sink.open?.(limit());
    await sink.close();
    await database.query(
      `CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER "stamps rows" BEFORE INSERT ON inventory FOR EACH ROW EXECUTE FUNCTION stamp()`,
    );
    const { ok, steps } = await report();
    expect(ok).toBe(true);
    expect(steps.filter(({ status }) => status !== 'passed')).toMatchObject([
      { name: 'table', status: 'warning', found: expect.stringContaining('"stamps rows"') },
    ]);
  });

  test.each<SinkBlock>([{}, { deletes: 'soft', partitions: 2, indexes: ['gvk', 'payload'] }, { mode: 'append' }])(
    '%j: nothing of it stays, in tables that are there and where there are none',
    async (spec) => {
      const relations = () =>
        database.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
      expect((await report({ spec })).ok).toBe(true);
      expect(await relations()).toEqual([]);
      await expect(exported({ spec })).resolves.toMatchObject({ outcome: 'applied' });
      const rows = () => database.query('SELECT * FROM inventory');
      const before = { rows: await rows(), exports: await database.query('SELECT * FROM inventory_exports') };
      expect((await report({ spec })).ok).toBe(true);
      expect({ rows: await rows(), exports: await database.query('SELECT * FROM inventory_exports') }).toEqual(before);
    },
  );
});

test('an aborted test rejects', async () => {
  const sink = sinkOver(database);
  await expect(sink.testConnection({ signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
    operation: 'test-connection',
  });
  await sink.close();
});

test('no connection stays behind', async () => {
  await report(asRole());
  await waitUntil(
    async () => (await database.query('SELECT FROM pg_stat_activity WHERE usename = $1', [role])).length === 0,
    {
      what: 'the connections of the test are gone',
    },
  );
});
