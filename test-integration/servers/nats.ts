import { setTimeout as sleep } from 'node:timers/promises';
import { findEngine } from './container-engine.ts';
import type { NatsBackend, NatsBackendOptions, NatsKind, NatsNode } from './nats-backend.ts';
import { fetchNatsBinary, howToGetNats } from './nats-binary.ts';
import { hasNatsImage, natsImage, startNatsContainers } from './nats-container.ts';
import { startLocalNats } from './nats-local.ts';

/** How to start a server; every field has a default. */
export interface StartNatsOptions {
  /** Default: KOLLECT_TEST_SERVERS where it is set, otherwise the first of containers, local that works here. */
  readonly kind?: NatsKind;
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
  readonly kind: NatsKind;
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
  /** A shell command that ends a server which was started with `keep`. */
  readonly stopCommand: string;
  kill(node?: number): Promise<void>;
  /** Starts a node that is down, on the same ports and data; resolves when it answers. */
  start(node?: number): Promise<void>;
  freeze(node?: number): Promise<void>;
  thaw(node?: number): Promise<void>;
  /** Reads a changed configuration, as of users and permissions. */
  reload(config: string): Promise<void>;
  stop(): Promise<void>;
}

/** The shared server of a test run is described here, by whoever started it. */
export const natsVariable = 'KOLLECT_TEST_NATS';
const READY_MS = 60_000;
const ANSWER_MS = 2_000;

/** Starts NATS; throws one line that says what to install when there is no way. */
export async function startNats(options: StartNatsOptions = {}): Promise<NatsServer> {
  const { nodes = 1, config = '', files = {}, keep = false } = options;
  const backend = await startBackend(options.kind, { nodes, config, files, keep });
  const { host } = backend;
  const named = (index = 0): NatsNode => {
    const node = backend.nodes[index];
    if (node === undefined) throw new Error(`NATS has no node ${index}.`);
    return node;
  };
  try {
    await Promise.all(backend.nodes.map((node) => whenReady(backend, node)));
    const version = String((await variables(host, named())).version);
    const connection = { kind: backend.kind, version, host, ports: backend.nodes.map(({ port }) => port) };
    return {
      ...connection,
      connection,
      servers: connection.ports.map((port) => `${host}:${port}`),
      stopCommand: backend.stopCommand,
      kill: (index) => named(index).kill(),
      start: async (index) => {
        await named(index).launch();
        await whenReady(backend, named(index));
      },
      freeze: (index) => named(index).freeze(),
      thaw: (index) => named(index).thaw(),
      reload: async (changed) => {
        for (const node of backend.nodes) {
          const { config_load_time: before } = await variables(host, node);
          await node.reload(changed);
          while ((await variables(host, node)).config_load_time === before) await sleep(20);
        }
      },
      stop: () => backend.dispose(),
    };
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

async function startBackend(kind: NatsKind | undefined, options: NatsBackendOptions): Promise<NatsBackend> {
  if ((kind ?? wantedKind()) === 'containers') {
    const engine = await findEngine();
    if (engine !== undefined && (await hasNatsImage(engine))) return startNatsContainers(engine, options);
    const why = engine === undefined ? 'no engine answers' : `the engine cannot get ${natsImage()}`;
    if (kind === 'containers') throw new Error(`NATS cannot be started in a container: ${why}.`);
    if (engine !== undefined) process.stderr.write(`NATS is started on this machine: ${why}.\n`);
  }
  const binary = await fetchNatsBinary();
  if (binary === undefined) throw new Error(`nats-server is not installed: ${howToGetNats()}.`);
  return startLocalNats(binary, options);
}

/** What the run was told, or what its shared server turned out to be: an image that could not be had is not asked for by each test. */
function wantedKind(): NatsKind {
  const shared = process.env[natsVariable];
  const known = shared ? (JSON.parse(shared) as Partial<NatsConnection>).kind : undefined;
  return (known ?? process.env['KOLLECT_TEST_SERVERS']) === 'local' ? 'local' : 'containers';
}

/** Resolves when the node answers; up without a leader of the whole cluster is not ready for streams of several replicas. */
async function whenReady({ host, nodes }: NatsBackend, node: NatsNode): Promise<void> {
  const path = nodes.length === 1 ? 'healthz?js-enabled-only=true' : 'healthz?js-server-only=true';
  const isUp = async (): Promise<boolean> => {
    // One question that gets lost must not be waited for: the next one is asked anew.
    const signal = AbortSignal.timeout(ANSWER_MS);
    return (await fetch(`http://${host}:${node.monitor}/${path}`, { signal }).catch(() => undefined))?.ok === true;
  };
  for (const end = Date.now() + READY_MS; !(await isUp()); await sleep(20)) {
    const ended = !(await node.running());
    if (!ended && Date.now() < end) continue;
    const problem = ended ? 'ended while starting' : 'did not answer';
    throw new Error(`Node ${nodes.indexOf(node)} of NATS ${problem}:\n${await node.logTail()}`);
  }
}

async function variables(
  host: string,
  { monitor }: NatsNode,
): Promise<{ readonly version?: unknown; readonly config_load_time?: unknown }> {
  return Object(await (await fetch(`http://${host}:${monitor}/varz`)).json()) as object;
}
