import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { KafkaConnection } from './kafka-connection.ts';
import { findKafkaRuntime, javaIsMissing } from './kafka-jars.ts';

/** What the console consumer is started with. */
export interface ConsoleConsumerOptions {
  readonly topic: string;
  readonly isolation: 'read_committed' | 'read_uncommitted';
  /** Arguments that say what to begin with. */
  readonly position: readonly string[];
  readonly formatter: Readonly<Record<string, string>>;
  readonly consumer: Readonly<Record<string, string>>;
}

/** A running console consumer. */
export interface ConsoleConsumer {
  /** What it prints, byte by byte. */
  readonly output: Readable;
  end(): Promise<void>;
  /** What it said on its standard error; call it after the end. */
  problem(): Promise<string>;
}

const CLASS = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
// What a library logs is not to stand among the records.
const FLAGS = ['-XX:TieredStopAtLevel=1', '-Xmx768m', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Dlog4j2.level=OFF'];

/** Starts Kafka's console consumer on this machine's Java. */
export async function startConsoleConsumer(server: KafkaConnection, options: ConsoleConsumerOptions): Promise<ConsoleConsumer> {
  const runtime = await findKafkaRuntime();
  if (runtime === undefined) throw new Error(`Topics are read by Java's console consumer: ${javaIsMissing()}.`);
  const args = consumerArguments(server.bootstrap, options, { formatter: '--formatter-property', consumer: '--command-property' });
  const child = spawn(runtime.java, [...FLAGS, '-cp', runtime.classpath, CLASS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const problem = text(child.stderr);
  const exited = once(child, 'exit');
  await once(child, 'spawn');
  return {
    output: child.stdout,
    async end() {
      // It has nothing to leave in order: its group is its own.
      child.kill('SIGKILL');
      await exited;
    },
    problem: () => problem,
  };
}

function consumerArguments(bootstrap: string, options: ConsoleConsumerOptions, names: { readonly formatter: string; readonly consumer: string }): string[] {
  const { topic, isolation, position, formatter, consumer } = options;
  const pairs = (option: string, properties: Readonly<Record<string, string>>): string[] =>
    Object.entries(properties).flatMap(([name, value]) => [option, `${name}=${value}`]);
  const what = ['--bootstrap-server', bootstrap, '--topic', topic, '--isolation-level', isolation];
  return [...what, ...position, ...pairs(names.formatter, formatter), ...pairs(names.consumer, consumer)];
}
