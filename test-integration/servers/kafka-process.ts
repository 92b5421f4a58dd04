import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KafkaNode } from './kafka-backend.ts';
import type { KafkaRuntime } from './kafka-jars.ts';
import { endProcess, outputOf, signalProcess, stopProcess, tailOf, type UnprivilegedUser } from './processes.ts';
import { watch } from './watchdog.ts';

const PATIENCE_MS = 30_000;

/** What a process of the cluster runs from. */
export interface LocalNodeOptions {
  readonly id: number;
  readonly address: string;
  /** Its directory, with server.properties in it. */
  readonly home: string;
  /** The file of log4j's settings. */
  readonly logging: string;
  readonly clusterId: string;
  readonly runtime: KafkaRuntime;
  readonly user: UnprivilegedUser | undefined;
  readonly optimised: boolean;
  readonly keep: boolean;
}

export interface LocalNode extends KafkaNode {
  /** Prepares the data directory, once and before the first launch. */
  format(): Promise<void>;
  /** Ends it in whatever state it is. */
  dispose(): Promise<void>;
}

/** A Java process that is a broker, a controller, or both; it is not running yet. */
export function createLocalNode(options: LocalNodeOptions): LocalNode {
  const { id, address, home, logging, clusterId, runtime, user, optimised, keep } = options;
  const log = join(home, 'kafka.log');
  const properties = join(home, 'server.properties');
  const identity = { ...user, cwd: home, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC' } };
  const common = [
    `-Dlog4j2.configurationFile=${logging}`,
    `-Djava.io.tmpdir=${home}`,
    '-XX:+UseSerialGC',
    '-XX:-UsePerfData',
    '-Xshare:auto',
    '-cp',
    runtime.classpath,
  ];
  const quick = ['-XX:TieredStopAtLevel=1', '-Xms64m', '-Xmx512m'];
  let child: ChildProcess | undefined;
  let unwatch = (): void => undefined;
  const running = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child?.pid === undefined || !running()) return;
    const exited = once(child, 'exit');
    child.ref();
    // What is frozen hears nothing but SIGKILL.
    if (signal !== 'SIGKILL') signalProcess(child.pid, 'SIGCONT');
    await endProcess(child.pid, signal, PATIENCE_MS);
    await exited;
  };
  const runningPid = (): number => {
    if (child?.pid === undefined || !running())
      throw new Error(`Node ${id} of Kafka is not running, so it cannot freeze or thaw: start it first.`);
    return child.pid;
  };

  return {
    id,
    address,
    running: async () => running(),
    logTail: () => tailOf(log),
    async format() {
      const args = [...quick, ...common, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties];
      await promisify(execFile)(runtime.java, args, identity).catch((error: unknown) => {
        throw new Error(`Kafka could not format the storage of node ${id}:\n${outputOf(error)}`, { cause: error });
      });
    },
    async launch() {
      if (running()) return;
      const output = await open(log, 'a', 0o600);
      const args = [...(optimised ? ['-Xms1g', '-Xmx1g'] : quick), ...common, 'kafka.Kafka', properties];
      // A group of its own: Ctrl-C ends the tests, which end the server; it does not end the server under them.
      child = spawn(runtime.java, args, { ...identity, detached: true, stdio: ['ignore', output.fd, output.fd] });
      child.unref();
      await Promise.all([once(child, 'spawn'), output.close()]);
      unwatch();
      if (child.pid === undefined) return;
      // A controller that is gone keeps a broker from ending in order, and what is frozen does not end at all.
      if (!keep) unwatch = watch({ process: { pid: child.pid, signal: 'SIGKILL' } });
      await writeFile(join(home, 'pid'), `${child.pid}\n`);
    },
    halt: (mode) => end(mode === 'kill' ? 'SIGKILL' : 'SIGTERM'),
    freeze: async () => stopProcess(runningPid()),
    thaw: async () => signalProcess(runningPid(), 'SIGCONT'),
    async dispose() {
      await end('SIGKILL');
      unwatch();
    },
  };
}
