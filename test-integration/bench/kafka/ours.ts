import { createSinkRegistry, SinkError } from '@kollect/core';
import { createKafkaSink, kafkajsClient } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import type { Contender, ContenderOptions } from './contender.ts';

const clients = { kafkajs: kafkajsClient, platformatic: platformaticClient };

/** The sink as an operator makes it. */
export async function createOurs(
  client: keyof typeof clients,
  { broker, topic, benchCase }: ContenderOptions,
): Promise<Contender> {
  const { compression, maxMessageBytes, transactional } = benchCase;
  const registry = createSinkRegistry([createKafkaSink({ client: clients[client] })]);
  const sink = registry.create({
    type: 'kafka',
    kafka: { brokers: [broker], topic, compression, maxMessageBytes, transactional },
  });
  const signal = AbortSignal.timeout(600_000);
  await sink.open?.({ signal });
  const exportOne: typeof sink.export = async (snapshot, options) => {
    const result = await sink.export(snapshot, options);
    if (result.outcome !== 'applied')
      throw new SinkError('CONTRACT_VIOLATION', `A snapshot of the benchmark was ${result.outcome}; expected applied.`);
    return result;
  };
  return {
    stage: (snapshots) => async () => {
      if (benchCase.order === 'at-once')
        await Promise.all(snapshots.map((snapshot) => exportOne(snapshot, { signal })));
      else for (const snapshot of snapshots) await exportOne(snapshot, { signal });
    },
    close: () => sink.close(),
  };
}
