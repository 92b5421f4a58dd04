import { describe, expect, test } from '@jest/globals';
import { wholeDocument, type SinkError } from '@kollect/core';
import { readTopic } from '../servers/kafka-reader.ts';
import { bulkyItems, eachClient, item, limit, noise, snapshot, timeAt } from './sink.ts';
import { testKafka } from '../support/kafka.ts';
import { useTopics } from './topics.ts';

const scope = { cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'web' };
const canary = 'canary-9f3c';

async function refusal(exporting: Promise<unknown>): Promise<SinkError> {
  return exporting.then(
    () => Promise.reject(new Error('The export was not refused.')),
    (error: SinkError) => error,
  );
}

const endOf = async (topic: string): Promise<number | undefined> => (await testKafka().endOffsets(topic)).get(0);

describe.each(eachClient)('%s', (_, client) => {
  const topics = useTopics(client);

  describe('on a compacted topic', () => {
    const spec = { maxMessageBytes: 50_000 };

    test.each(['compact', 'compact,delete'])(
      'cleanup.policy %s: a document that needs parts is refused and nothing written',
      async (policy) => {
        const topic = await topics.make({ configs: { 'cleanup.policy': policy } });
        const sink = topics.open({ topic, spec });
        const large = await snapshot(0, bulkyItems(10, 20_000));
        const error = await refusal(sink.export(large, limit()));
        expect(error).toMatchObject({
          code: 'PAYLOAD_TOO_LARGE',
          retryable: false,
          operation: 'export',
          sinkType: 'kafka',
        });
        expect(error.message).toBe(
          `Inventory prod:team-a/web needs 5 messages of at most 50000 bytes, and topic "${topic}" is compacted, which would keep only the last: ` +
            'raise spec.kafka.maxMessageBytes with max.message.bytes of the topic, or set cleanup.policy to delete.',
        );
        expect(await endOf(topic)).toBe(0);
        // What fits is published, by the same sink and after it.
        await expect(sink.export(await snapshot(1, bulkyItems(1, 20_000)), limit())).resolves.toMatchObject({
          outcome: 'applied',
          messages: 1,
        });
        await expect(
          topics.open({ topic, spec: { maxMessageBytes: 900_000 } }).export(large, limit()),
        ).resolves.toMatchObject({ messages: 1 });
        expect(await endOf(topic)).toBe(2);
      },
    );

    test('a removal is a tombstone under the key of the inventory; what is older is superseded, and told so', async () => {
      const topic = await topics.make({ configs: { 'cleanup.policy': 'compact' } });
      const sink = topics.open({ topic, spec });
      await sink.export(await snapshot(1, [item('web')]), limit());
      await expect(sink.export(await snapshot(0, [item('old')]), limit())).resolves.toEqual({
        outcome: 'superseded',
        counts: { inserted: 0, updated: 0, deleted: 0, unchanged: 0 },
        messages: 0,
        bytes: 0,
      });
      await expect(sink.removeInventory?.(scope, { ...limit(), removedAt: timeAt(0) })).resolves.toMatchObject({
        outcome: 'superseded',
        messages: 0,
      });
      await expect(sink.removeInventory?.(scope, { ...limit(), removedAt: timeAt(2) })).resolves.toMatchObject({
        outcome: 'applied',
        messages: 1,
        bytes: 0,
      });
      await expect(sink.export(await snapshot(1, [item('late')]), limit())).resolves.toMatchObject({
        outcome: 'superseded',
        messages: 0,
      });
      await expect(sink.export(await snapshot(3, [item('again')]), limit())).resolves.toMatchObject({
        outcome: 'applied',
      });
      const records = await readTopic(testKafka(), topic);
      const names = records.map(({ value }) =>
        value === null ? null : (JSON.parse(String(value)) as { items: { name: string }[] }).items[0]?.name,
      );
      expect(names).toEqual(['web', null, 'again']);
      expect(new Set(records.map(({ key }) => String(key)))).toEqual(new Set(['prod:team-a/web']));
      expect(records[1]?.headers.map(([name, value]) => [name, String(value)])).toContainEqual([
        'kollect.dev/removed-at',
        timeAt(2),
      ]);
    });
  });

  test('a message that the broker finds too large: refused with the remedy, and the next that fits works', async () => {
    const topic = await topics.make({ configs: { 'max.message.bytes': '20000' } });
    const sink = topics.open({ topic, spec: { compression: 'none' } });
    const error = await refusal(
      sink.export(await snapshot(0, [item(canary, { [canary]: noise(50_000, 1) })]), limit()),
    );
    expect(error).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      reason: 'payload_too_large',
      retryable: false,
      operation: 'export',
    });
    expect(error.message).toContain(
      `The broker takes no batch of this size while exporting inventory prod:team-a/web to topic "${topic}"`,
    );
    expect(error.message).toContain(
      "Lower spec.kafka.maxMessageBytes below the topic's max.message.bytes, or raise that.",
    );
    expect(JSON.stringify([error, error.stack, error.cause])).not.toContain(canary);
    expect(await endOf(topic)).toBe(0);
    await expect(
      sink.export(await snapshot(1, [item('web', { text: noise(10_000, 1) })]), limit()),
    ).resolves.toMatchObject({ outcome: 'applied' });
    expect(await endOf(topic)).toBe(1);
  });

  test.each(['the settings of the topic are known', 'only the broker knows them'])(
    'exports that share a request are not refused for the size of all, nor for that of one: %s',
    async (what) => {
      const { users, listeners, writerPrefix } = testKafka();
      const topic = await topics.make({ prefix: writerPrefix, configs: { 'max.message.bytes': '20000' } });
      // Who may write to a topic may not read its settings.
      const { username, password } = users[what.startsWith('only') ? 'writer' : 'admin'];
      const sink = topics.open({
        topic,
        spec: {
          compression: 'none',
          brokers: [...listeners.sasl],
          tls: { mode: 'disable' },
          sasl: { mechanism: 'plain' },
        },
        credentials: { username, password },
      });
      const send = async (inventoryName: string, bytes: number): Promise<string> =>
        sink.export(await snapshot(0, [item('web', { text: noise(bytes, 1) })], { inventoryName }), limit()).then(
          ({ outcome }) => outcome,
          ({ code }: SinkError) => code,
        );
      const sizes = Array.from({ length: 20 }, (__, index) => (index % 10 === 5 ? 50_000 : 3_000));
      const outcomes = await Promise.all(sizes.map((bytes, index) => send(`web-${index}`, bytes)));
      expect(outcomes).toEqual(sizes.map((bytes) => (bytes > 20_000 ? 'PAYLOAD_TOO_LARGE' : 'applied')));
      expect(await endOf(topic)).toBe(18);
    },
  );

  test('the limit of the sink is the size that the broker counts: what is just within goes, one byte less and the broker refuses', async () => {
    const topic = await topics.make();
    const content = [item('web', { text: noise(40_000, 1) })];
    const sent = await snapshot(0, content);
    const open = (maxMessageBytes: number) => topics.open({ topic, spec: { maxMessageBytes, compression: 'none' } });
    // The smallest limit that needs no second part: found by asking, for an item cannot be split.
    let [low, high] = [wholeDocument(sent).byteLength, wholeDocument(sent).byteLength + 2_000];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const fits = await open(middle)
        .export(sent, limit())
        .then(
          () => true,
          () => false,
        );
      if (fits) high = middle;
      else low = middle;
    }
    await testKafka().alterConfigs(topic, { 'max.message.bytes': String(high) });
    await expect(open(high).export(sent, limit())).resolves.toMatchObject({ messages: 1 });
    await testKafka().alterConfigs(topic, { 'max.message.bytes': String(high - 1) });
    await expect(open(high).export(sent, limit())).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    const error = await refusal(open(high - 1).export(sent, limit()));
    expect(error.message).toContain('team-a');
    expect(error.message).toContain(`a message may have ${high - 1} bytes (maxMessageBytes)`);
  });
});
