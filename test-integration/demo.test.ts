import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestDatabase } from './support/postgres.ts';
import { testKafka } from './support/kafka.ts';
import { readTopic, type DatabaseAccess } from './servers/index.ts';

const main = fileURLToPath(new URL('../examples/demo/src/main.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** The demo as a user runs it, in a process of its own. */
function demo(args: readonly string[], stdin?: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, errors }));
    child.stdin?.end(stdin);
  });
}

describe('the demo', () => {
  let database: DatabaseAccess;
  let directory: string;
  const onServer = (): string[] => ['--dsn', database.dsn, '--tls', 'disable'];
  const rows = async (condition = 'true'): Promise<number> =>
    (await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM kollect_demo WHERE ${condition}`))[0]
      ?.count ?? -1;

  beforeAll(async () => {
    database = await openTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'kollect-demo-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
    await database.drop();
  });

  test('exports the sample cluster, changes it, and says exactly what the second export did', async () => {
    const { code, output, errors } = await demo(onServer());
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const read = Number(/Read (\d+) objects of \d+ kinds from \d+ files of the sample cluster/u.exec(output)?.[1]);
    expect(read).toBeGreaterThanOrEqual(100);
    expect(output).toMatch(new RegExp(`applied in .* ${read} inserted, 0 updated, 0 deleted, 0 unchanged`, 'u'));
    expect(output).toContain('Plan for postgres, which writes nothing: 1 to insert, 3 to update, 2 to delete.');
    expect(output).toMatch(new RegExp(`applied in .* 1 inserted, 3 updated, 2 deleted, ${read - 5} unchanged`, 'u'));
    expect(output.match(/^\+ inserted .*$/gmu)).toEqual([expect.stringContaining('default/kollect-demo-canary')]);
    expect(output.match(/^~ updated .* key [0-9a-f-]{36} {2}replicas \d+ → \d+$/gmu)).toHaveLength(3);
    expect(output.match(/^- deleted .* key [0-9a-f-]{36}$/gmu)).toHaveLength(2);
    expect(output).toContain('Export to postgres: debounced: the same as before');
    expect(output).toContain('Export to postgres: superseded: a newer snapshot was there before, nothing was written.');
    expect(output).not.toContain('kafka');
    expect(output).not.toContain(database.credentials.password);

    expect(await rows()).toBe(read - 1);
    expect(await rows("gvk = 'shop.example.com/v1/Storefront'")).toBe(6);
    expect(await rows("gvk = 'apps/v1/Deployment' AND payload->>'name' = 'kollect-demo-canary'")).toBe(1);
    expect(
      await rows("payload->>'namespace' = 'payments' AND payload->'attributes'->>'displayName' = '決済サービス'"),
    ).toBe(0);
    expect(await rows("gvk = 'v1/Namespace' AND payload->'attributes'->>'displayName' = '決済サービス'")).toBe(1);
    expect(await rows("gvk = 'v1/Secret'")).toBe(0);
    expect(await rows('length(payload::text) > 10000')).toBeGreaterThanOrEqual(2);
  });

  test('announces on a stream of a NATS that it starts, and reads it back', async () => {
    const { code, output, errors } = await demo([...onServer(), '--sinks', 'postgres,nats']);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toMatch(/Started NATS 2\.\d+\.\d+ \(local\)/u);
    expect(output.match(/^Export to nats: applied in .*: 1 message /gmu)).toHaveLength(2);
    expect(output).toContain('5. What a consumer of stream kollect_demo reads');
    expect(output.match(/^0\/\d+ +.*demo.* \d+$/gmu)?.length).toBe(2);
    expect(output).not.toContain('kafka');
  }, 60_000);

  test.each([
    ['kafka', /^Error: --sinks must name postgres/u],
    ['postgres,mqtt', /^Error: --sinks has "mqtt"/u],
  ])('says what is wrong with --sinks %s', async (sinks, message) => {
    const { code, errors } = await demo(['--sinks', sinks]);
    expect(code).toBe(1);
    expect(errors).toMatch(message);
  });

  test('announces on a topic what it writes to the table, where there are brokers', async () => {
    const kafka = testKafka();
    await kafka.deleteTopic('kollect_demo').catch(() => undefined);
    const { code, output, errors } = await demo([...onServer(), '--brokers', kafka.bootstrap]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output.match(/^Export to kafka: applied in .*: 1 message \(\d+ kB\)\.$/gmu)).toHaveLength(2);
    expect(output).toContain('Export to kafka: debounced: the same as before');
    expect(output).toContain('Export to kafka: superseded: a newer snapshot was there before');
    const held = await rows();
    expect(output).toMatch(new RegExp(`^\\d/1 +demo:demo/everything +2 +[0-9a-f]{12} +${held}$`, 'mu'));
    const records = await readTopic(kafka, 'kollect_demo');
    expect(
      records.map(({ key, value }) => [String(key), (JSON.parse(String(value)) as { itemCount: number }).itemCount]),
    ).toEqual([
      ['demo:demo/everything', held + 1],
      ['demo:demo/everything', held],
    ]);
    await kafka.deleteTopic('kollect_demo');
  });

  test('takes what kubectl prints from standard input, and leaves Secrets out', async () => {
    const object = (kind: string, name: string) => ({
      apiVersion: kind === 'Secret' ? 'v1' : 'apps/v1',
      kind,
      metadata: { namespace: 'a', name, uid: `uid-${name}` },
    });
    const items = [object('Deployment', 'one'), object('Deployment', 'two'), object('Secret', 'three')];
    const { code, output, errors } = await demo(
      [...onServer(), '--manifests', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    );
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain('Read 2 objects of 1 kind from standard input');
    expect(output).toContain('Left out 1 Secret:');
    expect(await rows("gvk = 'v1/Secret'")).toBe(0);
    expect(await rows("source_uid = 'uid-one'")).toBe(1);
  });

  test.each([
    [
      'a directory that is not there',
      'missing',
      undefined,
      /^Error: .*missing does not exist \(looked for .*\)\. Give --manifests/u,
    ],
    [
      'broken YAML',
      '',
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n   bad: y\n',
      /^Error: .*a\.yaml:4:9: Nested mappings .*\. Correct the YAML there\.$/u,
    ],
    [
      'an object without a kind',
      '',
      'apiVersion: v1\nmetadata:\n  name: x\n',
      /^Error: .*a\.yaml:1: the object "x" has no kind\. Add it/u,
    ],
    ['nothing to export', '', '# nothing\n', /^Error: There are no Kubernetes objects in 1 file of/u],
  ])('says in one line what is wrong with %s', async (_, path, content, message) => {
    if (content !== undefined) await writeFile(join(directory, 'a.yaml'), content);
    const { code, errors } = await demo([...onServer(), '--manifests', join(directory, path)]);
    expect(code).toBe(1);
    expect(errors.trimEnd()).toMatch(message);
    expect(errors.trimEnd()).not.toContain('\n');
  });

  test.each([
    ['an unknown option', ['--nope'], /^Error: Unknown option '--nope'\. Run with --help/u],
    ['a server that does not answer', ['--dsn', 'postgresql://u:hunter2@127.0.0.1:1/db'], /^Error: .*127\.0\.0\.1:1/u],
    ['brokers that do not answer', ['--brokers', '127.0.0.1:1'], /^Error: .*127\.0\.0\.1:1/u],
    ['a DSN without a database', ['--dsn', 'postgresql://u:hunter2@127.0.0.1:1'], /^Error: --dsn names no database\./u],
    [
      '--keep of a server it did not start',
      ['--keep', '--dsn', 'postgresql://u:hunter2@127.0.0.1:1/db'],
      /^Error: --keep is for the server/u,
    ],
  ])('says in one line, and without the password, what is wrong with %s', async (_, args, message) => {
    const { code, output, errors } = await demo(args);
    expect(code).toBe(1);
    expect(errors.trimEnd()).toMatch(message);
    expect(errors.trimEnd()).not.toContain('\n');
    expect(output + errors).not.toContain('hunter2');
  });
});
