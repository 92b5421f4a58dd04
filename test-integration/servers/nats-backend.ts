/** Where a server comes from: a container, or the nats-server of this machine. */
export type NatsKind = 'containers' | 'local';

/** What a backend needs to make servers. */
export interface NatsBackendOptions {
  readonly nodes: number;
  /** Lines of the configuration of every node. */
  readonly config: string;
  readonly files: Readonly<Record<string, string>>;
  /** True leaves the servers running when this process ends. */
  readonly keep: boolean;
}

/** One server. */
export interface NatsNode {
  readonly port: number;
  /** Of its monitor, which speaks HTTP. */
  readonly monitor: number;
  running(): Promise<boolean>;
  logTail(): Promise<string>;
  /** Starts it on the same ports and data; it may not answer yet. */
  launch(): Promise<void>;
  /** Ends it like a power cut; resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops it from running any further, its sockets open, until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Writes its configuration anew and tells it so. */
  reload(config: string): Promise<void>;
}

/** Servers that were made and launched in one of the ways; they may not answer yet. */
export interface NatsBackend {
  readonly kind: NatsKind;
  readonly host: string;
  readonly nodes: readonly NatsNode[];
  /** A shell command that ends servers which were kept, and removes what they leave. */
  readonly stopCommand: string;
  /** Ends them and removes what they leave. */
  dispose(): Promise<void>;
}

export interface NodeSettings {
  readonly index: number;
  readonly listen: string;
  readonly monitor: string;
  /** What it tells clients of itself. */
  readonly advertise: string;
  /** Of a cluster: where it listens for the others, and where all of them do. */
  readonly cluster?: { readonly listen: string; readonly routes: readonly string[] };
  /** Directories that `$data` and `$files` stand for. */
  readonly data: string;
  readonly files: string;
  readonly pidFile?: string;
  readonly config: string;
}

/** The configuration file of one node. */
export function nodeConfiguration(settings: NodeSettings): string {
  const { index, listen, monitor, advertise, cluster, data, files, pidFile, config } = settings;
  const routes = cluster?.routes.map((route) => `"nats://${route}"`).join(', ');
  return [
    `server_name: node-${index}`,
    `listen: "${listen}"`,
    `client_advertise: "${advertise}"`,
    `http: "${monitor}"`,
    pidFile === undefined ? '' : `pid_file: "${pidFile}"`,
    config.includes('jetstream') ? '' : `jetstream { store_dir: "${data}" }`,
    cluster === undefined ? '' : `cluster { name: tests, listen: "${cluster.listen}", routes: [${routes}] }`,
    config.replaceAll('$files', files).replaceAll('$data', data),
    '',
  ].join('\n');
}
