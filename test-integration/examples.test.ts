import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestTopic, testKafka, type TestTopic } from './support/kafka.ts';
import { addressesOf, openTestStream, testNats } from './support/nats.ts';
import { openTestDatabase } from './support/postgres.ts';
import { readTopic, type DatabaseAccess } from './servers/index.ts';

const objects = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'shop', name: 'web', uid: 'uid-web' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name: 'password', uid: 'uid-secret' } },
  ],
});

/** An example as a user runs it, in a process of its own that has to end by itself. */
async function run(
  example: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string; errors: string }> {
  const main = fileURLToPath(new URL(`../examples/${example}/src/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env }, stdio: 'pipe' });
  child.stdin.end(objects);
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: Number(code), output, errors };
}

describe('the example for PostgreSQL', () => {
  let database: DatabaseAccess;
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.drop());

  test('exports what is piped in, and no Secret', async () => {
    const { code, output, errors } = await run('postgres-exporter', [], {
      DATABASE_URL: database.dsn,
      DATABASE_TLS: 'disable',
    });
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain("outcome: 'applied'");
    expect(await database.query('SELECT source_uid FROM kollect_inventory')).toEqual([{ source_uid: 'uid-web' }]);
  });

  test.each([
    ['no address', {}, /^Error: Set DATABASE_URL/u],
    [
      'an unknown TLS mode',
      { DATABASE_URL: 'postgresql://u:hunter2@127.0.0.1:1/db', DATABASE_TLS: 'off' },
      /^Error: DATABASE_TLS is "off"/u,
    ],
  ])('says what is wrong with %s', async (_, env, message) => {
    const { code, output, errors } = await run('postgres-exporter', [], { DATABASE_URL: '', ...env });
    expect(code).toBe(1);
    expect(errors).toMatch(message);
    expect(output + errors).not.toContain('hunter2');
  });
});

describe('the example for Kafka', () => {
  let topic: TestTopic;
  beforeAll(async () => {
    topic = await openTestTopic();
  });
  afterAll(() => topic.drop());

  test('announces what is piped in, with a login, and no Secret', async () => {
    const kafka = testKafka();
    const { username, password } = kafka.users.admin;
    const [broker = ''] = kafka.listeners.sasl;
    const login = { KAFKA_USERNAME: username, KAFKA_PASSWORD: password };
    const { code, output, errors } = await run(
      'kafka-exporter',
      ['--brokers', broker, '--topic', topic.name, '--sasl', 'scram-sha-512'],
      login,
    );
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain("outcome: 'applied'");
    const [record] = await readTopic(kafka, topic.name);
    expect(JSON.parse(String(record?.value))).toMatchObject({ itemCount: 1, items: [{ name: 'web' }] });
  });

  test('tests the connection where the export failed, and says what to do', async () => {
    const kafka = testKafka();
    const { code, output, errors } = await run('kafka-exporter', [
      '--brokers',
      kafka.bootstrap,
      '--topic',
      'nobody-made-this',
    ]);
    expect({ code, errors }).toEqual({ code: 1, errors: expect.not.stringContaining('at ') });
    expect(output).toMatch(/^failed +topic: .* does not exist\. Create the topic/mu);
  });

  test.each([
    ['nothing', [], /^Error: Give --brokers and --topic/u],
    [
      'an authority without TLS',
      ['--brokers', 'a:1', '--topic', 't', '--ca', 'ca.pem'],
      /^Error: --ca belongs to --tls/u,
    ],
    ['an unknown login', ['--brokers', 'a:1', '--topic', 't', '--sasl', 'gssapi'], /^Error: --sasl is "gssapi"/u],
  ])('says in one line what is wrong with %s', async (_, args, message) => {
    const { code, errors } = await run('kafka-exporter', args);
    expect(code).toBe(1);
    expect(errors).toMatch(message);
    expect(errors.trimEnd()).not.toContain('\n');
  });
});

describe('the example for webhooks', () => {
  test('posts what is piped in to its own receiver, and no Secret', async () => {
    const { code, output, errors } = await run('webhook-sink', []);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain("type: 'dev.kollect.inventory.exported'");
    expect(output).toContain('itemCount: 1');
  });
});

describe('the example for NATS', () => {
  test('makes the stream, and announces what is piped in, and no Secret', async () => {
    const stream = await openTestStream();
    await stream.manager.streams.delete(stream.name);
    const args = [
      '--servers',
      addressesOf(testNats()).join(','),
      '--stream',
      stream.name,
      '--create',
      '--retain',
      'latest',
    ];
    const { code, output, errors } = await run('nats-exporter', args);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain("outcome: 'applied'");
    const [message] = await stream.messages();
    expect(String(message?.body)).toContain('uid-web');
    expect(String(message?.body)).not.toContain('uid-secret');
    await stream.close();
  });

  test.each([
    ['no server', [], /^Error: Give --servers and --stream/u],
    ['an unknown retention', ['--servers', 'a', '--stream', 's', '--retain', 'all'], /^Error: --retain is "all"/u],
    ['a CA without TLS', ['--servers', 'a', '--stream', 's', '--ca', 'f'], /^Error: --ca belongs to --tls/u],
  ])('says what is wrong with %s', async (_, args, message) => {
    const { code, errors } = await run('nats-exporter', args);
    expect(code).toBe(1);
    expect(errors).toMatch(message);
  });

  test('says what to do where nobody answers', async () => {
    const { code, output } = await run('nats-exporter', ['--servers', '127.0.0.1:1', '--stream', 's']);
    expect(code).toBe(1);
    expect(output).toMatch(/failed {2}connect: .*Check spec\.nats\.servers/u);
  }, 60_000);
});
