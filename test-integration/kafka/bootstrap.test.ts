import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eachClient, limit, sinkOver, snapshot } from './sink.ts';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';

/** Takes connections, as the balancer before a dead broker does, and answers nothing. */
const silent: Server = createServer((socket) => void sockets.add(socket));
/** So does what waits for the rest of a request that is none, such as a server of HTTP. */
const alsoSilent: Server = createServer((socket) => void sockets.add(socket));
const sockets = new Set<Socket>();
let topic: TestTopic | undefined;
const silentBrokers: string[] = [];

beforeAll(async () => {
  topic = await openTestTopic();
  for (const server of [silent, alsoSilent]) {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    silentBrokers.push(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  alsoSilent.close();
  await topic?.drop();
});

describe.each(eachClient)('%s', (_, client) => {
  test.each(['plaintext', 'sasl'] as const)(
    'asks the next broker where the first takes connections and says nothing (%s)',
    async (listener) => {
      const { listeners, users } = testKafka();
      const { username, password } = users.admin;
      const sink = sinkOver(client, {
        topic: topic?.name ?? '',
        spec: {
          brokers: [silentBrokers[0] ?? '', ...listeners[listener]],
          requestTimeout: '1s',
          ...(listener === 'sasl' ? { sasl: { mechanism: 'scram-sha-512' } } : {}),
        },
        ...(listener === 'sasl' ? { credentials: { username, password } } : {}),
      });
      try {
        expect(await sink.export(await snapshot(0, []), limit())).toMatchObject({ outcome: 'applied' });
      } finally {
        await sink.close();
      }
    },
  );

  test.each([1, 2])(
    'asks each of %s that say nothing once, and leaves the rest of its time to the next attempt',
    async (count) => {
      sockets.clear();
      const brokers = silentBrokers.slice(0, count);
      const sink = sinkOver(client, { topic: topic?.name ?? '', spec: { brokers, requestTimeout: '300ms' } });
      try {
        await expect(sink.export(await snapshot(0, []), limit())).rejects.toMatchObject({
          code: 'TIMEOUT',
          retryable: true,
          message: expect.stringMatching(/did not answer in time.*\bat 127\.0\.0\.1:/),
        });
        expect(sockets.size).toBe(count);
      } finally {
        await sink.close();
      }
    },
  );
});
