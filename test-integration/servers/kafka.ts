import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority } from './certificates.ts';
import { findEngine } from './container-engine.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { createKafkaAdmin, type KafkaAdmin } from './kafka-admin.ts';
import {
  allUsers,
  type KafkaBackend,
  type KafkaBackendOptions,
  type KafkaNode,
  type KafkaRestartMode,
} from './kafka-backend.ts';
import { CERTIFICATE_PRINCIPAL, type KafkaConnection, type KafkaUser } from './kafka-connection.ts';
import { findKafkaRuntime, javaIsMissing } from './kafka-jars.ts';
import { startKafkaContainers } from './kafka-container.ts';
import { startLocalKafka } from './kafka-local.ts';
import { brokersSeenBy } from './kafka-requests.ts';
import { containerHost } from './postgres-container.ts';
import { redpandaImage, startRedpanda } from './redpanda-container.ts';

/** Where a server comes from: a container, or Kafka's own jars on this machine's Java. */
export type KafkaKind = KafkaConnection['kind'];

/** How to start a server; every field has a default. */
export interface StartKafkaOptions {
  /** Default: KOLLECT_TEST_SERVERS where it is set, otherwise the first of containers, local that works here. */
  readonly kind?: KafkaKind;
  /** Brokers; default 1. */
  readonly nodes?: number;
  /** Broker settings such as `{ 'message.max.bytes': '2000000' }`, added to the harness's own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** True opens the listener `proxied`, whose advertised addresses are those of fault proxies; default false. */
  readonly proxied?: boolean;
  /** True runs it with the compiler and the memory that a broker has in production, for measurements; default false. */
  readonly optimised?: boolean;
  /** True leaves the server running when this process ends; default false. */
  readonly keep?: boolean;
}

/** A running Kafka. */
export interface KafkaServer extends KafkaConnection, KafkaAdmin {
  /** What a process that did not start the server needs. */
  readonly connection: KafkaConnection;
  /** A shell command that ends a server which was started with `keep`. */
  readonly stopCommand: string;
  /** One for each node, where `proxied` was asked for; otherwise empty. */
  readonly proxies: readonly FaultProxy[];
  /** Brings the node (default: the first) down like a power cut; without `node`, of a server with one node. */
  kill(node?: number): Promise<void>;
  /** Brings the node down in order. */
  halt(node?: number): Promise<void>;
  /** Starts a node that is down, on the same ports and data; resolves when it answers. */
  start(node?: number): Promise<void>;
  /** Brings the node down in the given way and up again. */
  restart(mode: KafkaRestartMode, node?: number): Promise<void>;
  /** Stops the node from running any further, its sockets open, until `thaw`. */
  freeze(node?: number): Promise<void>;
  thaw(node?: number): Promise<void>;
  /** Ends the server and removes all of it. */
  stop(): Promise<void>;
}

const READY_MS = 120_000;
const WRITER_PREFIX = 'granted-';

/** Starts a Kafka on this machine; resolves when every node has answered and knows the others. */
export async function startKafka(options: StartKafkaOptions = {}): Promise<KafkaServer> {
  const { nodes = 1, settings = {}, proxied = false, optimised = false, keep = false } = options;
  const users = { admin: user('admin'), writer: user('writer'), outsider: user('outsider') };
  const { authority, certificates, client } = await makeCertificates();
  const proxies: FaultProxy[] = [];
  const startProxy: KafkaBackendOptions['startProxy'] = async (target) => {
    const proxy = await startFaultProxy({ target });
    proxies.push(proxy);
    return proxy;
  };
  const closeProxies = (): Promise<unknown> => Promise.all(proxies.map((proxy) => proxy.close()));
  let backend: KafkaBackend | undefined;
  try {
    backend = await startBackend(options.kind, {
      nodes,
      users,
      certificates,
      settings,
      optimised,
      keep,
      ...(proxied && { startProxy }),
    });
    const running = backend;
    await Promise.all(running.nodes.map((node) => whenReady(running, node)));
    const none = { plaintext: [], sasl: [], saslTls: [], tls: [], mtls: [], expired: [], elsewhere: [], proxied: [] };
    const listeners = { ...none, ...running.listeners };
    const connection: KafkaConnection = {
      kind: running.kind,
      version: running.version,
      host: running.host,
      nodes: running.nodes.map(({ id }) => id),
      listeners,
      bootstrap: listeners.plaintext.join(','),
      users,
      writerPrefix: WRITER_PREFIX,
      ca: certificates.ca,
      foreignCa: authority.foreignCa,
      clientCertificates: client,
      ...(running.container !== undefined && { container: running.container }),
    };
    const admin = createKafkaAdmin(connection);
    // Redpanda is started without authorisation.
    if (running.kind !== 'redpanda') await admin.setPasswords(allUsers(users));
    if (running.kind !== 'redpanda')
      await admin.grant({
        principal: users.writer.username,
        resource: 'topic',
        name: WRITER_PREFIX,
        prefixed: true,
        operations: ['WRITE', 'DESCRIBE'],
      });

    const named = (id = running.nodes[0]?.id): KafkaNode => {
      const node = running.nodes.find((candidate) => candidate.id === id);
      if (node === undefined) throw new Error(`Kafka has no node ${id}: its nodes are ${connection.nodes.join(', ')}.`);
      return node;
    };
    const start = async (node: KafkaNode): Promise<void> => {
      await node.launch();
      await whenReady(running, node, [node.id]);
    };
    return {
      ...connection,
      ...admin,
      connection,
      stopCommand: running.stopCommand,
      proxies,
      kill: (id) => named(id).halt('kill'),
      halt: (id) => named(id).halt('stop'),
      start: (id) => start(named(id)),
      async restart(mode, id) {
        await named(id).halt(mode);
        await start(named(id));
      },
      freeze: (id) => named(id).freeze(),
      thaw: (id) => named(id).thaw(),
      async stop() {
        await Promise.all([closeProxies(), running.dispose()]);
      },
    };
  } catch (error) {
    await Promise.all([closeProxies(), backend?.dispose()]);
    throw error;
  }
}

function user(username: string): KafkaUser {
  return { username, password: randomBytes(12).toString('hex') };
}

async function makeCertificates() {
  const [own, foreign] = await Promise.all([createAuthority(), createAuthority('Foreign test authority')]);
  const engine = await findEngine();
  const hosts = ['localhost', '127.0.0.1', '::1', ...(engine ? [containerHost(engine)] : [])];
  const commonName = CERTIFICATE_PRINCIPAL.slice('CN='.length);
  const [server, expired, elsewhere, valid, old, alien] = await Promise.all([
    own.issue({ commonName: 'localhost', hosts }),
    own.issue({ commonName: 'localhost', hosts, expired: true }),
    own.issue({ commonName: 'elsewhere.example', hosts: ['elsewhere.example'] }),
    own.issue({ commonName, client: true }),
    own.issue({ commonName, client: true, expired: true }),
    foreign.issue({ commonName, client: true }),
  ]);
  return {
    authority: { foreignCa: foreign.ca },
    certificates: { ca: own.ca, server, expired, elsewhere },
    client: { valid, expired: old, foreign: alien },
  };
}

async function startBackend(kind: KafkaKind | undefined, options: KafkaBackendOptions): Promise<KafkaBackend> {
  const wanted = kind ? [kind] : wantedKinds();
  let failure: unknown;
  for (const candidate of wanted) {
    const start = await startableAs(candidate);
    try {
      if (start) return await start(options);
    } catch (error) {
      failure = error;
      // An engine may answer and have no way to the image: say so, and take the next one.
      if (candidate !== wanted.at(-1))
        process.stderr.write(`Kafka (${candidate}) did not start, trying the next way: ${String(error)}\n`);
    }
  }
  throw failure ?? new Error(nothingToStart(wanted));
}

function wantedKinds(): KafkaKind[] {
  // Whoever names Redpanda gets it or an error, and never another server in silence.
  if (redpandaImage() !== undefined) return ['redpanda'];
  const forced = process.env['KOLLECT_TEST_SERVERS'];
  switch (forced) {
    case undefined:
    case '':
      return ['containers', 'local'];
    case 'containers':
    case 'local':
      return [forced];
    default:
      throw new Error(`KOLLECT_TEST_SERVERS is "${forced}": set it to "containers" or "local", or leave it away.`);
  }
}

async function startableAs(
  kind: KafkaKind,
): Promise<((options: KafkaBackendOptions) => Promise<KafkaBackend>) | undefined> {
  if (kind !== 'local') {
    const engine = await findEngine();
    const start = kind === 'redpanda' ? startRedpanda : startKafkaContainers;
    return engine && ((options) => start(engine, options));
  }
  const runtime = await findKafkaRuntime();
  return runtime && ((options) => startLocalKafka(runtime, options));
}

function nothingToStart(wanted: readonly KafkaKind[]): string {
  const engine = 'start Docker or Podman (DOCKER_HOST may name its socket)';
  const ways = { containers: engine, redpanda: engine, local: javaIsMissing() };
  return `No Kafka can be started on ${process.platform}-${process.arch}. Do one of: ${wanted.map((kind) => ways[kind]).join('; ')}.`;
}

/** Resolves when the node answers and knows the brokers; all of them unless told otherwise. */
async function whenReady(
  backend: KafkaBackend,
  node: KafkaNode,
  known: readonly number[] = backend.nodes.map(({ id }) => id),
): Promise<void> {
  for (const end = Date.now() + READY_MS; ; await sleep(50)) {
    const brokers = await brokersSeenBy(node.address).catch((): number[] => []);
    if (known.every((id) => brokers.includes(id))) return;
    const ended = !(await node.running());
    if (!ended && Date.now() < end) continue;
    const problem = ended ? 'ended while starting' : `did not answer within ${READY_MS / 1_000} s`;
    throw new Error(
      `Node ${node.id} of Kafka (${backend.kind}) ${problem}. The end of its log:\n${await node.logTail()}`,
    );
  }
}
