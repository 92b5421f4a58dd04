import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eachClient, limit, sinkOver, snapshot } from './sink.ts';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';

/** Takes connections, as the balancer before a dead broker does, and answers nothing. */
const silent: Server = createServer((socket) => void sockets.add(socket));
const sockets = new Set<Socket>();
let topic: TestTopic | undefined;
let silentBroker = '';

beforeAll(async () => {
  topic = await openTestTopic();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  silentBroker = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
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
          brokers: [silentBroker, ...listeners[listener]],
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
});
