import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';
import { bulkyItems, eachClient, limit, sinkOver, snapshot } from './sink.ts';

let topic: TestTopic;
beforeAll(async () => {
  topic = await openTestTopic();
});
afterAll(() => topic.drop());

describe.each(eachClient)('%s', (_, client) => {
  test('a quota that is used up is OVERLOADED, with the time to wait: brokers do not refuse, they let one wait', async () => {
    const clientId = `greedy-${randomUUID()}`;
    await testKafka().setQuota(clientId, 2_000);
    const sink = sinkOver(client, {
      topic: topic.name,
      spec: { clientId, compression: 'none', requestTimeout: '1s', deliveryTimeout: '2s' },
    });
    try {
      let error: unknown;
      for (let minutes = 0; minutes < 5 && error === undefined; minutes += 1) {
        await sink.export(await snapshot(minutes, bulkyItems(100, 1_000)), limit()).catch((thrown: unknown) => {
          error = thrown;
        });
      }
      expect(error).toMatchObject({
        code: 'OVERLOADED',
        retryable: true,
        message: expect.stringMatching(/quota.*Raise the quota/),
      });
      expect((error as { retryAfterMs?: number }).retryAfterMs).toBeGreaterThan(0);
    } finally {
      await sink.close();
    }
  });
});
