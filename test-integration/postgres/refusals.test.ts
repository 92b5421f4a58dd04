import { afterAll, describe, expect, test } from '@jest/globals';
import { SinkError, type KollectSink } from '@kollect/core';
import { createDatabase } from '../servers/postgres-database.ts';
import { testServer } from '../support/postgres.ts';
import { contentsOf, item, items, limit, sinkOver, snapshot, tableContents, type SinkBlock } from './sink.ts';
import { useStore } from './store.ts';

const store = useStore();

async function refusalOf(sink: KollectSink, at: number, content: ReturnType<typeof items>): Promise<SinkError> {
  const error: unknown = await sink.export(await snapshot(at, content), limit()).catch((thrown: unknown) => thrown);
  if (!SinkError.isInstance(error)) throw new Error('The export was not refused.');
  return error;
}

describe('an item that the server refuses is named, by COPY and among a thousand of an upsert', () => {
  const bad = (attributes: Readonly<Record<string, unknown>>, identity = {}) => item('bad', attributes, identity);
  const cases: readonly (readonly [string, string, ReturnType<typeof item>, SinkBlock, string, RegExp])[] = [
    [
      'CHECK',
      `ALTER TABLE inventory ADD CONSTRAINT team_only CHECK (NOT payload->'attributes' ? 'secret')`,
      bad({ secret: 'hush' }),
      {},
      'SCHEMA_MISMATCH',
      /constraint "team_only"/,
    ],
    [
      'CHECK of a partition',
      `ALTER TABLE inventory ADD CONSTRAINT team_only CHECK (NOT payload->'attributes' ? 'secret')`,
      bad({ secret: 'hush' }),
      { partitions: 2 },
      'SCHEMA_MISMATCH',
      /constraint "team_only"/,
    ],
    [
      'a key beyond what an index takes',
      '',
      bad(
        { secret: 'hush' },
        {
          uid: Array.from({ length: 9_000 }, (_, index) => (index * 7919).toString(36))
            .join('')
            .slice(0, 9_000),
        },
      ),
      {},
      'PAYLOAD_TOO_LARGE',
      /larger than PostgreSQL takes/,
    ],
    [
      'a trigger that raises',
      `CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.payload->'attributes' ? 'secret' THEN RAISE EXCEPTION 'row %', NEW.payload; END IF; RETURN NEW; END $$;
       CREATE TRIGGER raising AFTER INSERT OR UPDATE ON inventory FOR EACH ROW EXECUTE FUNCTION raise()`,
      bad({ secret: 'hush' }),
      {},
      'BACKEND_ERROR',
      /raised an error/,
    ],
    ['a number out of range', '', bad({ secret: 'hush' }), {}, 'SNAPSHOT_INVALID', /out of the range/],
  ];

  test.each(cases)('%s', async (name, change, culprit, spec, code, words) => {
    const sink = store.open(spec);
    await sink.open?.(limit());
    if (name === 'a number out of range')
      await store.database.query(
        `CREATE FUNCTION small(p jsonb) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN p->'attributes' ? 'secret' THEN 99999 ELSE 1 END::smallint $$;
         CREATE INDEX ON inventory (small(payload))`,
      );
    if (change !== '') await store.database.query(change);
    const list = [...items(1_500), culprit];
    // A text that is too long to be searched for secrets is not shown.
    const shown = culprit.uid.length > 80 ? /uid text of 9000 characters that is not shown/ : /uid "uid-bad"/;
    const check = (error: SinkError): void => {
      expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
      expect(error.message).toMatch(/It is item Deployment "shop\/bad"/);
      expect(error.message).toMatch(shown);
      expect(error.message).not.toContain('hush');
    };
    check(await refusalOf(sink, 0, list));
    expect((await tableContents(store.database)).size).toBe(0);
    const good = await snapshot(1, items(10));
    await sink.export(good, limit());
    check(await refusalOf(sink, 2, list));
    expect(await tableContents(store.database)).toEqual(contentsOf(good));
  });
});

test('a unique index of somebody is no other cluster', async () => {
  const sink = store.open();
  await sink.open?.(limit());
  await store.database.query(`CREATE UNIQUE INDEX "one of each" ON inventory ((payload->'attributes'->>'team'))`);
  const list = [...items(300), item('a', { team: 'x' }), item('b', { team: 'x' })];
  const refusal = {
    code: 'SCHEMA_MISMATCH',
    message: expect.stringMatching(
      /Unique index "one of each" on "public"\."inventory", which is none of the sink's, refused item Deployment "shop\/[ab]"/,
    ),
    remedy: expect.stringContaining('Drop the index'),
  };
  expect(await refusalOf(sink, 0, list)).toMatchObject(refusal);
  await sink.export(await snapshot(1, items(3)), limit());
  expect(await refusalOf(sink, 2, list)).toMatchObject(refusal);
});

describe('databases', () => {
  const made: { drop(): Promise<void> }[] = [];
  afterAll(() => Promise.all(made.map((one) => one.drop())));

  test('an encoding that lacks characters is named with the item, and by testConnection', async () => {
    const name = `latin_${store.database.database}`;
    await store.database.query(
      `CREATE DATABASE "${name}" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    );
    const database = { ...store.database, database: name };
    made.push({ drop: async () => void (await store.database.query(`DROP DATABASE "${name}" WITH (FORCE)`)) });
    const sink = sinkOver(database);
    try {
      const { ok, steps } = await sink.testConnection(limit());
      expect(ok).toBe(true);
      expect(steps.filter(({ status }) => status !== 'passed')).toMatchObject([
        {
          name: 'database',
          status: 'warning',
          found: expect.stringContaining('LATIN1'),
          remedy: expect.stringContaining('UTF8'),
        },
      ]);
      const list = [...items(300), item('bad', { note: '日本' })];
      for (const at of [0, 2]) {
        expect(await refusalOf(sink, at, list)).toMatchObject({
          code: 'SNAPSHOT_INVALID',
          message: expect.stringMatching(
            /is of encoding LATIN1, which lacks a character of item Deployment "shop\/bad" \(uid "uid-bad"\)/,
          ),
        });
        await sink.export(await snapshot(at + 1, items(3)), limit());
      }
      await expect(sink.export(await snapshot(9, [item('good', { note: 'ü' })]), limit())).resolves.toMatchObject({
        outcome: 'applied',
      });
    } finally {
      await sink.close();
    }
  });

  test('one that lets nobody in is told as what it is', async () => {
    const database = await createDatabase(testServer());
    made.push(database);
    await store.database.query(`ALTER DATABASE "${database.database}" ALLOW_CONNECTIONS false`);
    const sink = sinkOver(database);
    try {
      expect(await refusalOf(sink, 0, items(1))).toMatchObject({
        code: 'PERMISSION_DENIED',
        remedy: expect.stringContaining('ALLOW_CONNECTIONS true'),
      });
      const { steps } = await sink.testConnection(limit());
      expect(steps.find(({ status }) => status === 'failed')).toMatchObject({
        name: 'database',
        code: 'PERMISSION_DENIED',
        remedy: expect.stringContaining('ALLOW_CONNECTIONS true'),
      });
    } finally {
      await sink.close();
    }
  });

  test('what a session prints of types does not matter', async () => {
    const database = await createDatabase(testServer());
    made.push(database);
    await database.query(`ALTER DATABASE "${database.database}" SET quote_all_identifiers = on`);
    for (const spec of [
      {},
      { partitions: 2, indexes: ['payload' as const] },
      { mode: 'append' as const, table: 'events' },
    ]) {
      const sink = sinkOver(database, {
        spec: { table: 'plain', ...spec, ...('partitions' in spec ? { table: 'parted' } : {}) },
      });
      await sink.export(await snapshot(0, items(3)), limit());
      const { ok } = await sink.testConnection(limit());
      expect(ok).toBe(true);
      await sink.close();
    }
  });
});

test('a table that was renamed keeps the name of its index, which is named with it', async () => {
  const running = store.open();
  await running.export(await snapshot(0, items(3)), limit());
  await store.database.query('ALTER TABLE inventory RENAME TO inventory_old');
  const fresh = store.open();
  const words =
    /index "public"\."inventory_pkey" of public\.inventory_old has a name that the sink needs; rename it, or name another table/;
  for (const sink of [running, fresh]) {
    expect(await refusalOf(sink, 1, items(4))).toMatchObject({
      code: 'SCHEMA_MISMATCH',
      retryable: false,
      message: expect.stringMatching(words),
    });
    const { steps } = await sink.testConnection(limit());
    expect(steps.filter(({ status }) => status === 'failed')).toMatchObject([
      { name: 'table', code: 'SCHEMA_MISMATCH', found: expect.stringMatching(words) },
    ]);
  }
  await store.database.query('ALTER INDEX inventory_pkey RENAME TO inventory_old_pkey');
  await expect(running.export(await snapshot(2, items(4)), limit())).resolves.toMatchObject({ outcome: 'applied' });
});
