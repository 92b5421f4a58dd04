import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createSinkRegistry, type InventorySnapshot, type KollectSink } from '@kollect/core';
import { createKafkaSink, kafkaSink } from '@kollect/sink-kafka';
import { unsecuredToken } from '../servers/kafka-connection.ts';
import { freePort } from '../servers/ports.ts';
import { bulkyItems, eachClient, item, limit, snapshot, type TestSinkOptions } from './sink.ts';
import { notedLogger, type NotedLine } from '../support/noted-logger.ts';
import { testKafka } from '../support/kafka.ts';
import { useTopics } from './topics.ts';

const canary = 'canary-77e0';
const { listeners, users, ca, clientCertificates } = testKafka();
const methods = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

/** A snapshot with the canary wherever a row has a place for it. */
const secretRows = (minutes: number, bytes = 10): Promise<InventorySnapshot> =>
  snapshot(minutes, [item(canary, { [canary]: canary }), ...bulkyItems(1, bytes)]);

describe.each(eachClient)('%s', (name, client) => {
  const topics = useTopics(client);
  let printed: string[];
  beforeEach(() => {
    printed = [];
    for (const method of methods)
      jest.spyOn(console, method).mockImplementation((...words: unknown[]) => void printed.push(words.join(' ')));
    for (const stream of [process.stdout, process.stderr]) {
      jest.spyOn(stream, 'write').mockImplementation((text: unknown) => {
        printed.push(String(text));
        return true;
      });
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** All that can go well or wrong, each with sinks that are closed at its end; what they say of it is dropped, for other tests look at that. */
  async function live(topic: string, narrow: string, open: (options: TestSinkOptions) => KollectSink): Promise<void> {
    const login = { username: users.admin.username, password: users.admin.password };
    const sasl = { mechanism: 'scram-sha-512' } as const;
    const dead = `127.0.0.1:${await freePort()}`;
    const lives: readonly TestSinkOptions[] = [
      { topic, spec: { brokers: [...listeners.sasl], sasl }, credentials: login },
      { topic, spec: { brokers: [...listeners.sasl], sasl }, credentials: { ...login, password: canary } },
      {
        topic,
        spec: { brokers: [...listeners.sasl], tls: { mode: 'disable' }, sasl: { mechanism: 'plain' } },
        credentials: { username: canary, password: canary },
      },
      {
        topic,
        spec: { brokers: [...listeners.sasl], tls: { mode: 'disable' }, sasl: { mechanism: 'oauthbearer' } },
        credentials: { token: canary },
      },
      {
        topic,
        spec: { brokers: [...listeners.sasl], tls: { mode: 'disable' }, sasl: { mechanism: 'oauthbearer' } },
        credentials: { token: unsecuredToken(users.admin.username) },
      },
      { topic, spec: { brokers: [...listeners.mtls], tls: {} }, tls: { ca, ...clientCertificates.foreign } },
      { topic, spec: { brokers: [...listeners.tls], tls: {} } },
      { topic: narrow, spec: { compression: 'none' } },
      { topic: narrow, spec: { compression: 'none', transactional: true, maxMessageBytes: 5_000 } },
      { topic: 'missing' },
      { topic, spec: { brokers: [dead], deliveryTimeout: '1s', requestTimeout: '900ms' } },
    ];
    for (const options of lives) {
      const sink = open(options);
      await sink.testConnection(limit());
      await sink.export(await secretRows(0), limit()).catch(() => undefined);
      const aborted = new AbortController();
      const running = sink.export(await secretRows(1, 3_000), { signal: aborted.signal }).catch(() => undefined);
      aborted.abort();
      await running;
      await sink.close();
    }
  }

  test('its lines reach the logger of the connection, hold no secret and no row, and nothing is printed', async () => {
    const lines: NotedLine[] = [];
    const topic = await topics.make();
    const narrow = await topics.make({ configs: { 'max.message.bytes': '2000' } });
    await live(topic, narrow, (options) =>
      topics.open({ ...options, logger: notedLogger((line) => lines.push(line)) }),
    );
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) {
      expect(line).toEqual({
        level: expect.stringMatching(/^(debug|info|warn|error)$/),
        message: expect.stringMatching(/^.{1,300}$/su),
        fields: {
          sink: 'test',
          sinkType: 'kafka',
          ...(line.fields['broker'] === undefined ? {} : { broker: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }),
        },
      });
    }
    // A line tells of a refused login, and which broker it was.
    const refused = lines.filter(({ fields }) => fields['broker'] === listeners.sasl[0]);
    expect(refused.map(({ message }) => message).join('\n')).toMatch(
      name === 'kafkajs' ? /authentication failed/i : /connection failed/i,
    );
    const text = JSON.stringify(lines);
    for (const secret of [
      canary,
      users.admin.password,
      unsecuredToken(users.admin.username).split('.')[0],
      'PRIVATE KEY',
    ])
      expect(text).not.toContain(secret);
    expect(printed).toEqual([]);
  }, 60_000);

  test('without a logger there is not a word', async () => {
    const topic = await topics.make();
    const narrow = await topics.make({ configs: { 'max.message.bytes': '2000' } });
    const registry = createSinkRegistry([name === 'kafkajs' ? kafkaSink : createKafkaSink({ client })]);
    await live(topic, narrow, ({ topic: to, spec, ...connection }) =>
      registry.create({ type: 'kafka', kafka: { brokers: [...listeners.plaintext], topic: to, ...spec } }, connection),
    );
    expect(printed).toEqual([]);
  }, 60_000);
});
