import { createEgressPolicy, createSinkRegistry, SinkError } from '@kollect/core';
import { createKafkaSink, kafkajsClient } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import type { Socket } from 'node:net';
import { median } from '../measure/statistics.ts';
import { caseNamed } from './cases.ts';
import { createFigure, type Figure } from './results.ts';
import { sealSnapshots } from './workload.ts';

const clients = { kafkajs: kafkajsClient, platformatic: platformaticClient };
const deadlineMs = 1_000;
const rounds = 3;

export interface BlackHoleOptions {
  readonly broker: string;
  readonly topic: string;
  /** Stops the broker's process from answering, and lets it go on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/** Milliseconds from an export's deadline to its error and to the end of its last socket, with a broker that does not answer. */
export async function measureBlackHole({ broker, topic, freeze, thaw }: BlackHoleOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, client] of Object.entries(clients)) {
    const late: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const sockets: Socket[] = [];
      const policy = createEgressPolicy();
      const socket = (): Socket => {
        const made = policy.socket();
        sockets.push(made);
        return made;
      };
      const registry = createSinkRegistry([createKafkaSink({ client })], { egress: { ...policy, socket } });
      const sink = registry.create({ type: 'kafka', kafka: { brokers: [broker], topic } });
      try {
        const benchCase = { ...caseNamed('1KiB-awaited'), inventories: 2 };
        const [first, second] = await sealSnapshots(benchCase);
        if (first === undefined || second === undefined) throw new Error('The benchmark needs two snapshots.');
        await sink.export(first, { signal: AbortSignal.timeout(30_000) });
        await freeze();
        const start = performance.now();
        const error: unknown = await sink
          .export(second, { signal: AbortSignal.timeout(deadlineMs) })
          .catch((thrown: unknown) => thrown);
        if (!SinkError.isInstance(error) || !error.retryable)
          throw new Error(
            `Expected a retryable error from a broker that does not answer, found ${error instanceof Error ? error.message : JSON.stringify(error)}.`,
          );
        while (sockets.some(({ destroyed }) => !destroyed)) await new Promise((resolve) => setImmediate(resolve));
        late.push(performance.now() - start - deadlineMs);
      } finally {
        await thaw();
        await sink.close();
      }
    }
    figures.push(
      createFigure({
        figure: `black hole: deadline to error, sockets destroyed, ours-${name}`,
        value: median(late),
        unit: 'ms',
        target: 250,
      }),
    );
  }
  return figures;
}
