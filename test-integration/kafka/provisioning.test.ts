import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SinkError, type KollectSink } from '@kollect/core';
import type { KafkaSpec } from '@kollect/sink-kafka';
import { readTopicFast } from '../servers/kafka-fast-reader.ts';
import { startKafka } from '../servers/kafka.ts';
import { readConfigs } from './broker.ts';
import { eachClient, item, limit, snapshot } from './sink.ts';
import { testKafka } from '../support/kafka.ts';
import { useTopics } from './topics.ts';

const create = { topicProvisioning: 'create' } as const satisfies Partial<KafkaSpec>;

async function failureOf(exporting: Promise<unknown>): Promise<SinkError> {
  const error = await exporting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!SinkError.isInstance(error)) throw new Error(`Expected a SinkError, got ${String(error)}.`);
  return error;
}

describe.each(eachClient)('%s', (_, client) => {
  const topics = useTopics(client);
  let made: string[] = [];
  afterEach(async () => {
    await Promise.allSettled(made.map((topic) => testKafka().deleteTopic(topic)));
    made = [];
  });
  /** A name that no topic has; whoever makes one of it leaves it to be removed. */
  const freeName = (): string => {
    const name = `made-${randomBytes(6).toString('hex')}`;
    made.push(name);
    return name;
  };
  const exists = (topic: string): Promise<boolean> =>
    testKafka()
      .partitionsOf(topic)
      .then(
        () => true,
        () => false,
      );
  const exportTo = async (sink: KollectSink, minutes: number) =>
    sink.export(await snapshot(minutes, [item('web')]), limit());
  const recordsOf = (topic: string) => readTopicFast(testKafka(), topic, { client: 'platformatic' });

  test('create makes the topic as the spec says, and the first export is in it', async () => {
    const topic = freeName();
    const configs = { 'cleanup.policy': 'compact', 'retention.ms': '86400000' };
    const sink = topics.open({
      topic,
      spec: { ...create, newTopic: { partitions: 3, replicationFactor: 1, configs } },
    });
    await expect(exportTo(sink, 0)).resolves.toMatchObject({ outcome: 'applied' });
    expect(await testKafka().partitionsOf(topic)).toHaveLength(3);
    expect(await readConfigs(topic)).toEqual(configs);
    expect(await recordsOf(topic)).toHaveLength(1);
  });

  test('create alone makes it as the brokers are set', async () => {
    const topic = freeName();
    await topics.open({ topic, spec: create }).open?.(limit());
    expect(await testKafka().partitionsOf(topic)).toMatchObject([{ partition: 0, replicas: [testKafka().nodes[0]] }]);
    expect(await readConfigs(topic)).toEqual({});
  });

  test('ten sinks at once make one topic, and every export is in it', async () => {
    const topic = freeName();
    const sinks = Array.from({ length: 10 }, () =>
      topics.open({ topic, spec: { ...create, newTopic: { partitions: 4 } } }),
    );
    const outcomes = await Promise.all(
      sinks.map(async (sink, index) =>
        sink.export(await snapshot(0, [item('web')], { inventoryName: `web-${index}` }), limit()),
      ),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(sinks.map(() => 'applied'));
    expect(await testKafka().partitionsOf(topic)).toHaveLength(4);
    expect(await recordsOf(topic)).toHaveLength(10);
  });

  test('a topic that is there is never changed', async () => {
    const topic = await topics.make({ partitions: 2, configs: { 'retention.ms': '7200000' } });
    const sink = topics.open({
      topic,
      spec: { ...create, newTopic: { partitions: 5, configs: { 'cleanup.policy': 'compact' } } },
    });
    await exportTo(sink, 0);
    expect(await testKafka().partitionsOf(topic)).toHaveLength(2);
    expect(await readConfigs(topic)).toEqual({ 'retention.ms': '7200000' });
  });

  test.each<readonly [string, KafkaSpec['newTopic'], RegExp]>([
    ['more replicas than there are brokers', { replicationFactor: 3 }, /too few brokers/],
    [
      'a setting that no topic has',
      { configs: { 'canary-setting': 'canary-value' } },
      /refused a setting of the topic/,
    ],
  ])('%s: the spec is refused with the remedy, and nothing is made', async (__, newTopic, words) => {
    const topic = freeName();
    const error = await failureOf(
      exportTo(topics.open({ topic, spec: { ...create, ...(newTopic === undefined ? {} : { newTopic }) } }), 0),
    );
    expect([error.code, error.retryable]).toEqual(['SPEC_INVALID', false]);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`topic "${topic}"`);
    expect(error.message).toContain('Correct spec.kafka.newTopic, or create the topic yourself.');
    expect(error.message).not.toContain('canary');
    expect(await exists(topic)).toBe(false);
  });

  test('a name that differs from that of another topic in "." and "_" alone is refused with the reason', async () => {
    const topic = `${freeName()}.a`;
    const other = topic.replace('.', '_');
    made.push(other);
    await testKafka().createTopic(other);
    const error = await failureOf(exportTo(topics.open({ topic, spec: create }), 0));
    expect([error.code, error.retryable]).toEqual(['SPEC_INVALID', false]);
    expect(error.message).toContain('differs from that of another topic in "." and "_" alone');
    expect(await exists(topic)).toBe(false);
  });

  test('whoever may not make topics is told so', async () => {
    const { users, listeners, writerPrefix } = testKafka();
    const topic = `${writerPrefix}${freeName()}`;
    const sink = topics.open({
      topic,
      spec: { ...create, brokers: [...listeners.sasl], tls: { mode: 'disable' }, sasl: { mechanism: 'plain' } },
      credentials: { username: users.writer.username, password: users.writer.password },
    });
    const error = await failureOf(exportTo(sink, 0));
    expect([error.code, error.retryable]).toEqual(['PERMISSION_DENIED', false]);
    expect(error.message).toContain(`topic "${topic}"`);
    expect(error.message).toContain('CREATE');
    expect(await exists(topic)).toBe(false);
  });

  describe('existing', () => {
    test('a topic that is missing is named, with what to do, and not made', async () => {
      const topic = freeName();
      const sink = topics.open({ topic });
      for (const attempt of [() => exportTo(sink, 0), () => sink.open?.(limit()) ?? Promise.resolve()]) {
        const error = await failureOf(attempt());
        expect([error.code, error.retryable]).toEqual(['NOT_FOUND', false]);
        expect(error.message).toBe(
          `The topic "${topic}" does not exist. Create it, correct spec.kafka.topic, or set topicProvisioning to create.`,
        );
      }
      // Somebody makes it: no new sink is needed.
      await testKafka().createTopic(topic);
      await expect(exportTo(sink, 1)).resolves.toMatchObject({ outcome: 'applied' });
    });

    test('not even where the brokers make topics for whoever asks', async () => {
      const server = await startKafka({ settings: { 'auto.create.topics.enable': 'true' } });
      try {
        const sink = topics.open({ topic: 'wanted', spec: { brokers: [...server.listeners.plaintext] } });
        expect((await sink.testConnection(limit())).steps.find(({ status }) => status === 'failed')).toMatchObject({
          name: 'topic',
          code: 'NOT_FOUND',
        });
        expect(await failureOf(exportTo(sink, 0))).toMatchObject({ code: 'NOT_FOUND' });
        // They make it behind their answer: it would be there before what is asked for now.
        await server.createTopic('asked-for-later');
        await expect(server.partitionsOf('wanted')).rejects.toThrow('Kafka has no topic "wanted".');
      } finally {
        await server.stop();
      }
    }, 90_000);
  });

  describe('a topic deleted under a running sink', () => {
    test('existing: the export says so; once it is there again, with other partitions, the sink goes on', async () => {
      const topic = freeName();
      await testKafka().createTopic(topic, { partitions: 6 });
      const sink = topics.open({ topic });
      await exportTo(sink, 0);
      await testKafka().deleteTopic(topic);
      const error = await failureOf(exportTo(sink, 1));
      expect(error).toMatchObject({ code: 'NOT_FOUND' });
      expect(error.message).toContain(`"${topic}"`);
      await testKafka().createTopic(topic, { partitions: 1 });
      await expect(exportTo(sink, 2)).resolves.toMatchObject({ outcome: 'applied' });
      expect((await recordsOf(topic)).map(({ partition }) => partition)).toEqual([0]);
    });

    test('deleted and made again between two exports: the second arrives', async () => {
      const topic = freeName();
      await testKafka().createTopic(topic, { partitions: 2 });
      const sink = topics.open({ topic });
      await exportTo(sink, 0);
      await testKafka().deleteTopic(topic);
      await testKafka().createTopic(topic, { partitions: 2 });
      const outcome = await exportTo(sink, 1).then(
        () => 'applied',
        // The broker knows another topic by the name: what the sink does about it begins with the next attempt.
        (error: SinkError) => error.retryable,
      );
      expect(outcome).not.toBe(false);
      if (outcome !== 'applied') await expect(exportTo(sink, 1)).resolves.toMatchObject({ outcome: 'applied' });
      expect(await recordsOf(topic)).toHaveLength(1);
    });

    test('create: it is made again', async () => {
      const topic = freeName();
      const sink = topics.open({ topic, spec: { ...create, newTopic: { partitions: 2 } } });
      await exportTo(sink, 0);
      await testKafka().deleteTopic(topic);
      const first = await exportTo(sink, 1).catch((error: unknown) => error);
      if (SinkError.isInstance(first)) {
        expect([first.code, first.retryable]).toEqual(['NOT_FOUND', true]);
        await expect(exportTo(sink, 1)).resolves.toMatchObject({ outcome: 'applied' });
      }
      expect(await testKafka().partitionsOf(topic)).toHaveLength(2);
      expect(await recordsOf(topic)).toHaveLength(1);
    });
  });
});
