import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { findEngine } from './container-engine.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { findKafkaRuntime, javaIsMissing, type KafkaRuntime } from './kafka-jars.ts';

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
const CLASSPATH_IN_IMAGES = ['/usr/share/java/kafka/*', '/usr/share/java/cp-base-new/*', '/opt/kafka/libs/*'].join(':');
const TIMEOUT_IN_CONTAINER_MS = 15_000;
const FRAME_HEADER_BYTES = 8;

/** Starts Kafka's console consumer on this machine's Java, otherwise on that of the server's container. */
export async function startConsoleConsumer(
  server: KafkaConnection,
  options: ConsoleConsumerOptions,
): Promise<ConsoleConsumer> {
  // In the middle of a test is no time to fetch jars, where the container has them.
  const runtime = await findKafkaRuntime({ fetch: server.container === undefined });
  if (runtime !== undefined) return startHere(runtime, server, options);
  if (server.container === undefined)
    throw new Error(`Topics are read by Java's console consumer: ${javaIsMissing()}.`);
  return startInContainer(server.container, options);
}

async function startHere(
  runtime: KafkaRuntime,
  server: KafkaConnection,
  options: ConsoleConsumerOptions,
): Promise<ConsoleConsumer> {
  const args = consumerArguments(server.bootstrap, options, {
    formatter: '--formatter-property',
    consumer: '--command-property',
  });
  const child = spawn(runtime.java, [...FLAGS, '-cp', runtime.classpath, CLASS, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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

/** By names of options that the tool has had for longer: the image's version is anybody's choice. */
async function startInContainer(
  { name, bootstrap }: NonNullable<KafkaConnection['container']>,
  options: ConsoleConsumerOptions,
): Promise<ConsoleConsumer> {
  const engine = await findEngine();
  if (engine === undefined)
    throw new Error(
      `The container ${name} cannot be reached: no engine answers any more. Start Docker or Podman again.`,
    );
  const args = consumerArguments(bootstrap, options, { formatter: '--property', consumer: '--consumer-property' });
  const command = [
    'java',
    ...FLAGS,
    '-cp',
    CLASSPATH_IN_IMAGES,
    CLASS,
    ...args,
    '--timeout-ms',
    String(TIMEOUT_IN_CONTAINER_MS),
  ];
  const execution = await engine.container.getById(name).exec({ Cmd: command, AttachStdout: true, AttachStderr: true });
  const stream = await execution.start({ hijack: true, stdin: false });
  const [output, errors] = [new PassThrough(), new PassThrough()];
  demultiplex(stream, output, errors);
  const problem = text(errors);
  return {
    output,
    async end() {
      // The engine has no way to end it; it ends by itself when nothing more comes.
      stream.destroy();
      output.end();
      errors.end();
    },
    problem: () => problem,
  };
}

/** The engine sends both outputs in one stream: frames of a byte for which, three of nothing, four for the length. */
function demultiplex(stream: Readable, output: PassThrough, errors: PassThrough): void {
  let pending = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + pending.readUInt32BE(4);
      if (pending.length < end) return;
      (pending[0] === 1 ? output : errors).write(pending.subarray(FRAME_HEADER_BYTES, end));
      pending = pending.subarray(end);
    }
  });
  stream.on('end', () => {
    output.end();
    errors.end();
  });
  stream.on('error', (error) => output.destroy(error));
}

function consumerArguments(
  bootstrap: string,
  options: ConsoleConsumerOptions,
  names: { readonly formatter: string; readonly consumer: string },
): string[] {
  const { topic, isolation, position, formatter, consumer } = options;
  const pairs = (option: string, properties: Readonly<Record<string, string>>): string[] =>
    Object.entries(properties).flatMap(([name, value]) => [option, `${name}=${value}`]);
  const what = ['--bootstrap-server', bootstrap, '--topic', topic, '--isolation-level', isolation];
  return [...what, ...position, ...pairs(names.formatter, formatter), ...pairs(names.consumer, consumer)];
}
