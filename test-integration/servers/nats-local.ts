import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeConfiguration, type NatsBackend, type NatsBackendOptions, type NatsNode } from './nats-backend.ts';
import type { NatsBinary } from './nats-binary.ts';
import { freePort } from './ports.ts';
import {
  endProcess,
  serverDirectory,
  signalProcess,
  stopProcess,
  tailOf,
  unprivilegedUser,
  type UnprivilegedUser,
} from './processes.ts';
import { watch } from './watchdog.ts';

const HOST = '127.0.0.1';

interface Place {
  readonly directory: string;
  readonly user: UnprivilegedUser | undefined;
  readonly keep: boolean;
}

interface Ports {
  readonly port: number;
  readonly monitor: number;
  readonly route: number;
}

/** Starts nats-server on this machine, never as root. */
export async function startLocalNats(binary: NatsBinary, options: NatsBackendOptions): Promise<NatsBackend> {
  const { nodes: count, files, config, keep } = options;
  const user = unprivilegedUser();
  const directory = await serverDirectory('nats', user);
  const place: Place = { directory, user, keep };
  const release = keep ? () => undefined : watch({ directory });
  const nodes: NatsNode[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()));
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    release();
  };
  try {
    for (const [name, content] of Object.entries(files)) await write(place, name, content);
    const ports: Ports[] = [];
    for (let index = 0; index < count; index += 1)
      ports.push({ port: await freePort(), monitor: await freePort(), route: await freePort() });
    for (const index of ports.keys()) nodes.push(await makeNode(binary, place, ports, index, config));
    await Promise.all(nodes.map((node) => node.launch()));
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    kind: 'local',
    host: HOST,
    nodes,
    stopCommand: `kill -9 $(cat ${directory}/data-*/pid) && rm -r ${directory}`,
    dispose,
  };
}

async function makeNode(
  binary: NatsBinary,
  place: Place,
  all: readonly Ports[],
  index: number,
  firstConfig: string,
): Promise<NatsNode> {
  const { directory, user, keep } = place;
  const { port = 0, monitor = 0, route = 0 } = all[index] ?? {};
  const data = join(directory, `data-${index}`);
  const log = join(directory, `node-${index}.log`);
  let child: ChildProcess | undefined;
  let unwatch = (): void => undefined;
  const configure = (config: string): Promise<void> => {
    const routes = all.map((other) => `${HOST}:${other.route}`);
    const addresses = { listen: `${HOST}:${port}`, monitor: `${HOST}:${monitor}`, advertise: `${HOST}:${port}` };
    const cluster = all.length === 1 ? {} : { cluster: { listen: `${HOST}:${route}`, routes } };
    const places = { data, files: directory, pidFile: join(data, 'pid') };
    const content = nodeConfiguration({ index, ...addresses, ...cluster, ...places, config });
    return write(place, `node-${index}.conf`, content);
  };
  const running = (): boolean => child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  await mkdir(data, { recursive: true, mode: 0o700 });
  if (user) await chown(data, user.uid, user.gid);
  await configure(firstConfig);
  return {
    port,
    monitor,
    running: async () => running(),
    logTail: () => tailOf(log),
    launch: async () => {
      const output = await open(log, 'a', 0o600);
      child = spawn(binary.path, ['-c', join(directory, `node-${index}.conf`)], {
        ...user,
        cwd: directory,
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
      });
      child.unref();
      await Promise.all([once(child, 'spawn'), output.close()]);
      unwatch();
      if (child.pid !== undefined && !keep) unwatch = watch({ process: { pid: child.pid, signal: 'SIGKILL' } });
    },
    kill: async () => {
      if (child?.pid === undefined || !running()) return;
      const exited = once(child, 'exit');
      child.ref();
      await endProcess(child.pid, 'SIGKILL', 10_000);
      await exited;
      unwatch();
    },
    freeze: async () => {
      if (child?.pid !== undefined) await stopProcess(child.pid);
    },
    thaw: async () => {
      if (child?.pid !== undefined) signalProcess(child.pid, 'SIGCONT');
    },
    reload: async (config) => {
      await configure(config);
      if (child?.pid !== undefined) signalProcess(child.pid, 'SIGHUP');
    },
  };
}

async function write({ directory, user }: Place, name: string, content: string): Promise<void> {
  await writeFile(join(directory, name), content, { mode: 0o600 });
  if (user) await chown(join(directory, name), user.uid, user.gid);
}
