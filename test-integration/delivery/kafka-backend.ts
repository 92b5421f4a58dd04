import { readTopic, startKafka } from '../servers/index.ts';
import type { Backend } from './backend.ts';

const topic = 'soak';
/** Far more than come after an inventory's last message. */
const readBack = 5_000;

export async function startKafkaBackend(): Promise<Backend> {
  const server = await startKafka({ kind: 'local', proxied: true });
  await server.createTopic(topic, { partitions: 1, configs: { 'retention.bytes': String(64 * 1024 * 1024) } });
  const [proxy] = server.proxies;
  if (proxy === undefined) throw new Error('The soak needs a Kafka behind a proxy.');
  return {
    proxy,
    resource: {
      name: 'kafka',
      config: {
        type: 'kafka',
        kafka: {
          brokers: [...server.listeners.proxied],
          topic,
          connectTimeout: '2s',
          requestTimeout: '2s',
          deliveryTimeout: '3s',
        },
      },
      delivery: { attemptTimeout: '3s', deadline: '10s', breaker: { openFor: '2s' } },
    },
    kill: () => server.restart('kill'),
    async lacking(latest) {
      const end = (await server.endOffsets(topic)).get(0) ?? 0;
      const records = await readTopic(server, topic, { partition: 0, from: Math.max(0, end - readBack) });
      const held = new Map(
        records.map(({ key, headers }) => [
          String(key),
          String(headers.find(([name]) => name === 'kollect.dev/checksum')?.[1]),
        ]),
      );
      return [...latest]
        .filter(([name, { checksum }]) => held.get(`soak:team/${name}`) !== checksum)
        .map(([name]) => name);
    },
    stop: () => server.stop(),
  };
}
