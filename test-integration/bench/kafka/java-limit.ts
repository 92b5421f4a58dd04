import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchCase } from './cases.ts';
import { documentsOf, sealSnapshots } from './workload.ts';

export interface JavaLimitOptions {
  readonly classpath: string;
  readonly broker: string;
}

export interface JavaLimit {
  /** Milliseconds that Kafka's own producer performance tool takes for the messages of the case, its virtual machine warmed up. */
  play(benchCase: BenchCase, topic: string): Promise<number>;
  close(): Promise<void>;
}

/** Messages that warm the virtual machine up, and that are measured, as a multiple of those of the case. */
const warmUp = 20;
const measured = 5;

/** Kafka's `ProducerPerformance`, which sends random lines of a file: the documents of the case. */
export async function createJavaLimit({ classpath, broker }: JavaLimitOptions): Promise<JavaLimit> {
  const directory = await mkdtemp(join(tmpdir(), 'kollect-bench-'));
  const payloads = new Map<string, { readonly file: string; readonly messages: number }>();

  const payloadOf = async (benchCase: BenchCase): Promise<{ readonly file: string; readonly messages: number }> => {
    const known = payloads.get(benchCase.name);
    if (known !== undefined) return known;
    const documents = documentsOf(await sealSnapshots(benchCase), benchCase);
    const file = join(directory, `${benchCase.name}.jsonl`);
    await writeFile(file, Buffer.concat(documents.flatMap((document) => [document, Buffer.from('\n')])));
    const payload = { file, messages: documents.length };
    payloads.set(benchCase.name, payload);
    return payload;
  };

  return {
    async play(benchCase, topic) {
      const { file, messages } = await payloadOf(benchCase);
      // One request at a time and one record in each, which is what awaiting every record means.
      const awaited =
        benchCase.inventories > 1 && benchCase.order === 'awaited'
          ? ['max.in.flight.requests.per.connection=1', 'batch.size=0']
          : [];
      const properties = [
        `bootstrap.servers=${broker}`,
        'acks=all',
        'linger.ms=0',
        `compression.type=${benchCase.compression}`,
        `max.request.size=${64 * 1024 * 1024}`,
        `buffer.memory=${128 * 1024 * 1024}`,
        ...awaited,
      ];
      const options = [
        '--topic',
        topic,
        '--payload-file',
        file,
        '--throughput',
        '-1',
        '--warmup-records',
        String(messages * warmUp),
      ];
      const args = [
        '--num-records',
        String(messages * (warmUp + measured)),
        ...options,
        '--producer-props',
        ...properties,
      ];
      const { stdout } = await promisify(execFile)(
        'java',
        ['-Xms512m', '-Xmx1g', '-cp', classpath, 'org.apache.kafka.tools.ProducerPerformance', ...args],
        { maxBuffer: 16 * 1024 * 1024 },
      );
      return (messages * 1_000) / recordsPerSecond(stdout);
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Of the last line, which tells of what came after the warm-up. */
export function recordsPerSecond(output: string): number {
  const rates = [...output.matchAll(/^(\d+) records sent, ([\d.]+) records\/sec .*99\.9th\.$/gmu)];
  const rate = Number(rates.at(-1)?.[2]);
  if (Number.isFinite(rate) && rate > 0) return rate;
  throw new Error(`Kafka's producer performance tool printed no rate:\n${output.slice(-1_000)}`);
}
