import { kafkaClasspath } from '../../servers/kafka-jars.ts';
import { startKafka } from '../../servers/kafka.ts';
import type { BenchOptions } from '../bench-options.ts';
import { currentLoad, describeMachine } from '../measure/environment.ts';
import { median, rotate } from '../measure/statistics.ts';
import { measureBlackHole } from './black-hole.ts';
import { cases, type BenchCase } from './cases.ts';
import { startVariant, type VariantProcess } from './children.ts';
import { createJavaLimit, type JavaLimit } from './java-limit.ts';
import { renderFigures, renderLines } from './report.ts';
import { nodeVariants, type Line, type NodeVariant, type Sample, type Variant } from './results.ts';
import { judge } from './targets.ts';

const defaultRounds = 7;
const warmUpRounds = 2;

/** Measures the Kafka sink beside its clients used bare and beside Java's producer; see docs/benchmarks.md. */
export async function runKafkaBench({ json, rounds = defaultRounds, cases: wanted }: BenchOptions): Promise<void> {
  const server = await startKafka({ kind: 'local', optimised: true });
  const java = await createJavaLimit({ classpath: await kafkaClasspath(), broker: server.bootstrap });
  const processes = new Map<NodeVariant, VariantProcess>();
  const say = (text: string): void => {
    if (!json) console.log(text);
  };
  const emit = (record: object): void => {
    if (json) console.log(JSON.stringify(record));
  };
  try {
    say(`${new Date().toISOString()}, ${describeMachine()}, Kafka ${server.version}, load ${currentLoad().toFixed(2)}`);
    for (const variant of nodeVariants) processes.set(variant, await startVariant(variant));
    const lines: Line[] = [];
    for (const benchCase of cases.filter(({ name }) => wanted === undefined || wanted.includes(name))) {
      const topic = `bench-${benchCase.name}`;
      await server.createTopic(topic, {
        partitions: 1,
        configs: { 'max.message.bytes': String(benchCase.topicBytes), 'retention.bytes': String(256 * 1024 * 1024) },
      });
      const ofCase = await measureCase({ benchCase, topic, broker: server.bootstrap, processes, java, rounds });
      lines.push(...ofCase);
      for (const line of ofCase) emit(line);
      say(`\n${renderLines(ofCase)}`);
    }
    const topic = 'bench-black-hole';
    await server.createTopic(topic, { partitions: 1 });
    const blackHole = await measureBlackHole({
      broker: server.bootstrap,
      topic,
      freeze: () => server.freeze(),
      thaw: () => server.thaw(),
    });
    const figures = [...judge(lines), ...blackHole];
    for (const figure of figures) emit(figure);
    say(`\n${renderFigures(figures)}\n\nLoad at the end ${currentLoad().toFixed(2)}.`);
  } finally {
    for (const variant of processes.values()) await variant.close();
    await java.close();
    await server.stop();
  }
}

interface CaseOptions {
  readonly benchCase: BenchCase;
  readonly topic: string;
  readonly broker: string;
  readonly processes: ReadonlyMap<NodeVariant, VariantProcess>;
  readonly java: JavaLimit;
  readonly rounds: number;
}

/** Every variant once a round, each round beginning with another one. */
async function measureCase({ benchCase, topic, broker, processes, java, rounds }: CaseOptions): Promise<Line[]> {
  const samples = new Map<Variant, Sample[]>();
  const add = (variant: Variant, sample: Sample): void => {
    samples.set(variant, [...(samples.get(variant) ?? []), sample]);
  };
  const plays = [...processes].map(([variant, child]) => async (counts: boolean) => {
    const sample = await child.play({ broker, topic, case: benchCase.name });
    if (counts) add(variant, sample);
  });
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    const counts = round >= 0;
    for (const play of rotate(plays, round + warmUpRounds)) await play(counts);
    if (counts)
      add('java', { ms: await java.play(benchCase, topic), cpuMs: null, rssMb: null, stallMs: null, wireBytes: null });
  }
  return [...samples].map(([variant, measured]) => summarise(benchCase.name, variant, measured));
}

function summarise(name: string, variant: Variant, samples: readonly Sample[]): Line {
  const of = (key: keyof Sample): number[] => samples.flatMap((sample) => (sample[key] === null ? [] : [sample[key]]));
  const rounded = (values: readonly number[], summary: (values: readonly number[]) => number): number | null =>
    values.length === 0 ? null : Math.round(summary(values) * 100) / 100;
  const most = (values: readonly number[]): number => Math.max(...values);
  return {
    bench: 'kafka',
    case: name,
    variant,
    ms: rounded(of('ms'), median) ?? Number.NaN,
    minMs: Math.min(...of('ms')),
    maxMs: Math.max(...of('ms')),
    cpuMs: rounded(of('cpuMs'), median),
    rssMb: rounded(of('rssMb'), most),
    stallMs: rounded(of('stallMs'), most),
    wireBytes: rounded(of('wireBytes'), median),
  };
}
