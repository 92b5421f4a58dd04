import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchNatsBinary, howToGetNats } from './nats-binary.ts';
import { freePort } from './ports.ts';
import { endProcess, serverDirectory, signalProcess, tailOf, unprivilegedUser } from './processes.ts';
import { watch } from './watchdog.ts';

/** How to start a server; every field has a default. */
export interface StartNatsOptions {
  /** Servers of one cluster; default 1. */
  readonly nodes?: number;
  /** Lines of the configuration of every node, beside the harness's own; `files` stand in the same directory. */
  readonly config?: string;
  /** Files that the configuration names by `$files/name`. */
  readonly files?: Readonly<Record<string, string>>;
  /** True leaves the server running when this process ends; default false. */
  readonly keep?: boolean;
}

/** What a process that did not start the server needs. */
export interface NatsConnection {
  readonly version: string;
  readonly host: string;
  /** One for each node. */
  readonly ports: readonly number[];
}

/** A running NATS with JetStream. */
export interface NatsServer extends NatsConnection {
  readonly connection: NatsConnection;
  /** `host:port` of each node. */
  readonly servers: readonly string[];
  readonly pids: () => readonly (number | undefined)[];
  /** A shell command that ends a server which was started with `keep`. */
  readonly stopCommand: string;
  kill(node?: number): Promise<void>;
  /** Starts a node that is down, on the same ports and data; resolves when it answers. */
  start(node?: number): Promise<void>;
  freeze(node?: number): void;
  thaw(node?: number): void;
  /** Reads a changed configuration, as of users and permissions. */
  reload(config: string): Promise<void>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const READY_MS = 60_000;
const ANSWER_MS = 2_000;

/** Starts NATS on this machine, never as root; throws one line that says what to install when there is none. */
export async function startNats(options: StartNatsOptions = {}): Promise<NatsServer> {
  const { nodes = 1, files = {}, keep = false } = options;
  const binary = await fetchNatsBinary();
  if (binary === undefined) throw new Error(`nats-server is not installed: ${howToGetNats()}.`);
  const user = unprivilegedUser();
  const directory = await serverDirectory('nats', user);
  const release = keep ? () => undefined : watch({ directory });
  const place = async (name: string, content: string): Promise<void> => {
    await writeFile(join(directory, name), content, { mode: 0o600 });
    if (user) await chown(join(directory, name), user.uid, user.gid);
  };
  for (const [name, content] of Object.entries(files)) await place(name, content);
  const all = await Promise.all(
    Array.from({ length: nodes }, async (_, index) => ({
      index,
      port: await freePort(),
      route: await freePort(),
      monitor: await freePort(),
      child: undefined as ChildProcess | undefined,
      unwatch: (): void => undefined,
    })),
  );
  type Node = (typeof all)[number];
  const configure = async (config: string): Promise<void> => {
    for (const { index, port, route, monitor } of all) {
      const data = join(directory, `data-${index}`);
      await mkdir(data, { recursive: true, mode: 0o700 });
      if (user) await chown(data, user.uid, user.gid);
      const cluster =
        nodes === 1
          ? ''
          : `cluster { name: tests, listen: "${HOST}:${route}", routes: [${all.map((other) => `"nats://${HOST}:${other.route}"`).join(', ')}] }`;
      await place(
        `node-${index}.conf`,
        [
          `server_name: node-${index}`,
          `listen: "${HOST}:${port}"`,
          `http: "${HOST}:${monitor}"`,
          `pid_file: "${join(data, 'pid')}"`,
          config.includes('jetstream') ? '' : `jetstream { store_dir: "${data}" }`,
          cluster,
          config.replaceAll('$files', directory).replaceAll('$data', data),
          '',
        ].join('\n'),
      );
    }
  };
  const isUp = async ({ monitor }: Node): Promise<boolean> => {
    // Up without a leader of the whole cluster is not ready for streams of several replicas.
    const path = nodes === 1 ? 'healthz?js-enabled-only=true' : 'healthz?js-server-only=true';
    // One question that gets lost must not be waited for: the next one is asked anew.
    const signal = AbortSignal.timeout(ANSWER_MS);
    return (await fetch(`http://${HOST}:${monitor}/${path}`, { signal }).catch(() => undefined))?.ok === true;
  };
  const loadedAt = async ({ monitor }: Node): Promise<unknown> => {
    const variables = await (await fetch(`http://${HOST}:${monitor}/varz`)).json();
    return Object(variables).config_load_time;
  };
  const launch = async (node: Node): Promise<void> => {
    const log = join(directory, `node-${node.index}.log`);
    const output = await open(log, 'a', 0o600);
    const child = spawn(binary.path, ['-c', join(directory, `node-${node.index}.conf`)], {
      ...user,
      cwd: directory,
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    child.unref();
    await Promise.all([once(child, 'spawn'), output.close()]);
    node.child = child;
    node.unwatch();
    if (child.pid !== undefined && !keep) node.unwatch = watch({ process: { pid: child.pid, signal: 'SIGKILL' } });
  };
  const ready = async (node: Node): Promise<void> => {
    for (const end = Date.now() + READY_MS; !(await isUp(node)); await sleep(20)) {
      const ended = node.child?.exitCode !== null || node.child.signalCode !== null;
      if (!ended && Date.now() < end) continue;
      const log = await tailOf(join(directory, `node-${node.index}.log`));
      throw new Error(`Node ${node.index} of NATS ${ended ? 'ended while starting' : 'did not answer'}:\n${log}`);
    }
  };
  const kill = async (node: Node): Promise<void> => {
    const { child } = node;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.ref();
    await endProcess(child.pid, 'SIGKILL', 10_000);
    await exited;
    node.unwatch();
  };
  const named = (index = 0): Node => {
    const node = all[index];
    if (node === undefined) throw new Error(`NATS has no node ${index}.`);
    return node;
  };
  const signal = (node: Node, name: NodeJS.Signals): void => {
    if (node.child?.pid !== undefined) signalProcess(node.child.pid, name);
  };
  const stop = async (): Promise<void> => {
    await Promise.all(all.map(kill));
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    release();
  };
  try {
    await configure(options.config ?? '');
    await Promise.all(all.map(launch));
    await Promise.all(all.map(ready));
  } catch (error) {
    await stop();
    throw error;
  }
  const connection = { version: binary.version, host: HOST, ports: all.map(({ port }) => port) };
  return {
    ...connection,
    connection,
    servers: all.map(({ port }) => `${HOST}:${port}`),
    pids: () => all.map(({ child }) => child?.pid),
    stopCommand: `kill -9 $(cat ${directory}/data-*/pid) && rm -r ${directory}`,
    kill: (index) => kill(named(index)),
    start: async (index) => {
      await launch(named(index));
      await ready(named(index));
    },
    freeze: (index) => signal(named(index), 'SIGSTOP'),
    thaw: (index) => signal(named(index), 'SIGCONT'),
    reload: async (config) => {
      await configure(config);
      for (const node of all) {
        const before = await loadedAt(node);
        signal(node, 'SIGHUP');
        while ((await loadedAt(node)) === before) await sleep(20);
      }
    },
    stop,
  };
}
