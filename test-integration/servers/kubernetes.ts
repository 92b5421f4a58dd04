import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority } from './certificates.ts';
import { findKubernetesBinaries, howToGetKubernetes, kubernetesVersion } from './kubernetes-binaries.ts';
import { freePort } from './ports.ts';
import { serverDirectory, unprivilegedUser, type UnprivilegedUser } from './processes.ts';
import { createWatchedProcess, type WatchedProcess } from './watched-process.ts';
import { watch } from './watchdog.ts';

/** What a client needs. */
export interface KubernetesConnection {
  /** `https://127.0.0.1:6443`. */
  readonly url: string;
  /** The authority of its certificate, PEM. */
  readonly ca: string;
  /** Of a user who may do everything. */
  readonly token: string;
  readonly version: string;
}

/**
 * A kube-apiserver with its etcd. No controller runs beside it: nothing collects what has no owner any more, no namespace is ever gone, no pod starts.
 */
export interface KubernetesServer extends KubernetesConnection {
  /** Users of the names that it was started with, each with a token and no rights. */
  tokenOf(user: string): string;
  /** The API server alone; what it knows stays in etcd. */
  kill(): Promise<void>;
  /** Resolves when it answers again. */
  start(): Promise<void>;
  /** Silent, as behind a network that swallows packets. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Forgets all that was before: a watch from an old version gets 410. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

export interface StartKubernetesOptions {
  /** Users that may log in, beside the one who may do everything. */
  readonly users?: readonly string[];
}

const HOST = '127.0.0.1';
const READY_MS = 120_000;

/** Starts an API server on this machine; throws one line that says what to install where that cannot be. */
export async function startKubernetes({ users = [] }: StartKubernetesOptions = {}): Promise<KubernetesServer> {
  const binaries = await findKubernetesBinaries();
  if (binaries === undefined) throw new Error(`There is no API server to test on: ${howToGetKubernetes()}.`);
  const user = unprivilegedUser();
  const directory = await serverDirectory('kubernetes', user);
  const release = watch({ directory });
  const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
  const tokens = new Map(['admin', ...users].map((name) => [name, randomBytes(16).toString('hex')]));
  const ca = await writeMaterial({ directory, user }, tokens);
  const programOf = (command: string, name: string, args: readonly string[]): WatchedProcess =>
    createWatchedProcess({ command, args, directory, log: join(directory, `${name}.log`), user });
  const etcdUrl = `http://${HOST}:${String(etcdPort)}`;
  const etcd = programOf(binaries.etcd, 'etcd', etcdFlags(directory, etcdUrl, `http://${HOST}:${String(peerPort)}`));
  const apiServer = programOf(binaries.apiServer, 'kube-apiserver', apiServerFlags(directory, etcdUrl, port));
  const url = `https://${HOST}:${String(port)}`;
  const token = tokens.get('admin') ?? '';

  const stop = async (): Promise<void> => {
    await apiServer.kill();
    await etcd.kill();
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    release();
  };
  const start = async (): Promise<void> => {
    await apiServer.launch();
    for (const end = Date.now() + READY_MS; !(await isReady({ url, ca, token })); await sleep(50)) {
      if (apiServer.running() && Date.now() < end) continue;
      const problem = apiServer.running() ? 'did not answer' : 'ended while starting';
      throw new Error(`kube-apiserver ${problem}:\n${await apiServer.logTail()}`);
    }
  };
  try {
    await etcd.launch();
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    ca,
    token,
    version: kubernetesVersion,
    tokenOf: (name) => {
      const known = tokens.get(name);
      if (known === undefined) throw new Error(`The API server was started without a user ${name}.`);
      return known;
    },
    kill: () => apiServer.kill(),
    start,
    freeze: () => apiServer.freeze(),
    thaw: () => apiServer.thaw(),
    compact: () => compactEtcd(etcdUrl),
    stop,
  };
}

function etcdFlags(directory: string, client: string, peer: string): readonly string[] {
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
  ];
}

function apiServerFlags(directory: string, etcd: string, port: number): readonly string[] {
  const file = (name: string): string => join(directory, name);
  return [
    `--etcd-servers=${etcd}`,
    `--bind-address=${HOST}`,
    `--secure-port=${String(port)}`,
    `--cert-dir=${file('certs')}`,
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    `--token-auth-file=${file('tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('accounts.key')}`,
    `--service-account-signing-key-file=${file('accounts.key')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--endpoint-reconciler-type=none',
    // No controller makes the service accounts that it would wait for.
    '--disable-admission-plugins=ServiceAccount',
  ];
}

async function writeMaterial(
  { directory, user }: { readonly directory: string; readonly user: UnprivilegedUser | undefined },
  tokens: ReadonlyMap<string, string>,
): Promise<string> {
  const authority = await createAuthority('Kollect test cluster');
  const server = await authority.issue({ commonName: 'kube-apiserver', hosts: [HOST, 'localhost'] });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const groups = (name: string): string => (name === 'admin' ? ',system:masters' : '');
  const files = {
    'server.crt': server.cert,
    'server.key': server.key,
    'accounts.key': privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    'tokens.csv': [...tokens].map(([name, token]) => `${token},${name},${name}${groups(name)}\n`).join(''),
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(directory, name), content, { mode: 0o600 });
    if (user) await chown(join(directory, name), user.uid, user.gid);
  }
  for (const name of ['etcd', 'certs']) {
    await mkdir(join(directory, name), { mode: 0o700 });
    if (user) await chown(join(directory, name), user.uid, user.gid);
  }
  return authority.ca;
}

function isReady({ url, ca, token }: Pick<KubernetesConnection, 'url' | 'ca' | 'token'>): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const asked = request(`${url}/readyz`, { ca, headers, agent: false, timeout: 2_000 }, (answer) => {
      answer.resume().once('close', () => resolve(answer.statusCode === 200));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

async function compactEtcd(url: string): Promise<void> {
  const ask = async (path: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await fetch(`${url}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${String(answer.status)} to ${path}.`);
    return (await answer.json()) as Readonly<Record<string, unknown>>;
  };
  const { header } = await ask('range', { key: Buffer.from('/').toString('base64') });
  await ask('compaction', { revision: (header as { readonly revision: string }).revision, physical: true });
}
