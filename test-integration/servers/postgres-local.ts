import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, cp, open, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import {
  hostBasedAuthentication,
  settingArguments,
  type BackendOptions,
  type PostgresBackend,
} from './postgres-backend.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import {
  childrenOf,
  endProcess,
  reachableByOthers,
  serverDirectory,
  tailOf,
  unprivilegedUser,
  type UnprivilegedUser,
} from './processes.ts';
import { watch } from './watchdog.ts';

const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const;
const PATIENCE_MS = 60_000;

/** Makes a database cluster in a directory of its own and launches the server from the given binaries, never as root. */
export async function startLocalPostgres(
  binaries: PostgresBinaries,
  options: BackendOptions,
): Promise<PostgresBackend> {
  const user = unprivilegedUser();
  const directory = await serverDirectory('postgres', user);
  const release = options.keep ? () => undefined : watch({ directory });
  try {
    const bin = await reachableBinaries(binaries.directory, directory, user);
    const identity = { ...user, cwd: directory, env: environment() };
    const settings = await initialise({ bin, directory, identity, user, options });
    const port = await freePort();
    return await launchIn({
      kind: binaries.kind,
      bin,
      directory,
      identity,
      port,
      settings,
      keep: options.keep,
      release,
    });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    release();
    throw error;
  }
}

type Identity = Partial<UnprivilegedUser> & { cwd: string; env: NodeJS.ProcessEnv };

interface Initialise {
  readonly bin: string;
  readonly directory: string;
  readonly identity: Identity;
  readonly user: UnprivilegedUser | undefined;
  readonly options: BackendOptions;
}

async function initialise({ bin, directory, identity, user, options }: Initialise): Promise<Record<string, string>> {
  const { superuser, tls } = options;
  const place = async (name: string, content: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    if (user) await chown(path, user.uid, user.gid);
    return path;
  };
  const password = await place('password', `${superuser.password}\n`);
  const args = [
    '-D',
    join(directory, 'data'),
    '-U',
    superuser.username,
    `--pwfile=${password}`,
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  try {
    await promisify(execFile)(
      join(bin, 'initdb'),
      [...args, '--auth-host=scram-sha-256', '--auth-local=trust'],
      identity,
    );
  } catch (error) {
    // The message of a failed command holds what it wrote to its standard error.
    throw new Error(`initdb in ${bin} failed: ${String(error).trim()}`, { cause: error });
  }
  await rm(password);
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    hba_file: await place('pg_hba.conf', hostBasedAuthentication(tls !== undefined)),
    ...(tls && {
      ssl: 'on',
      ssl_ca_file: await place('ca.pem', tls.ca),
      ssl_cert_file: await place('server.pem', tls.server.cert),
      ssl_key_file: await place('server.key', tls.server.key),
    }),
    ...options.settings,
  };
}

interface Launch {
  readonly kind: 'embedded' | 'system';
  readonly bin: string;
  readonly directory: string;
  readonly identity: Identity;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly keep: boolean;
  readonly release: () => void;
}

async function launchIn({
  kind,
  bin,
  directory,
  identity,
  port,
  settings,
  keep,
  release,
}: Launch): Promise<PostgresBackend> {
  const log = join(directory, 'postgres.log');
  let child: ChildProcess | undefined;
  let unwatch = (): void => undefined;

  const backend: PostgresBackend = {
    kind,
    host: '127.0.0.1',
    port,
    stopCommand: `kill -INT $(head -n 1 ${join(directory, 'data', 'postmaster.pid')}) && sleep 2 && rm -r ${directory}`,
    running: async () => child !== undefined && child.exitCode === null && child.signalCode === null,
    logTail: () => tailOf(log),
    async launch() {
      const output = await open(log, 'a');
      const args = ['-D', join(directory, 'data'), '-p', String(port), ...settingArguments(settings)];
      // A group of its own: Ctrl-C ends the tests, which end the server; it does not end the server under them.
      child = spawn(join(bin, 'postgres'), args, {
        ...identity,
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
      });
      child.unref();
      await Promise.all([once(child, 'spawn'), output.close()]);
      unwatch();
      if (!keep && child.pid !== undefined) unwatch = watch({ process: { pid: child.pid, signal: 'SIGQUIT' } });
    },
    async halt(mode) {
      if (child?.pid === undefined || !(await backend.running())) return;
      const { pid } = child;
      const exited = once(child, 'exit');
      // Now somebody waits for it: a process that has nothing else to do would end in the middle of this.
      child.ref();
      // A killed server cannot end its backends, and a new one does not start beside them.
      const backends = mode === 'kill' ? childrenOf(pid) : [];
      await endProcess(pid, SIGNALS[mode], PATIENCE_MS);
      await Promise.all(backends.map((backendPid) => endProcess(backendPid, 'SIGKILL', PATIENCE_MS)));
      await exited;
    },
    async dispose() {
      await backend.halt('immediate');
      unwatch();
      await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      release();
    },
  };
  await backend.launch();
  return backend;
}

// Binaries below a directory that only root may enter, as in a clone below /root, are copied to where the server's user reaches them.
async function reachableBinaries(bin: string, directory: string, user: UnprivilegedUser | undefined): Promise<string> {
  if (!user || reachableByOthers(join(bin, 'postgres'))) return bin;
  await cp(dirname(bin), join(directory, 'postgresql'), { recursive: true, verbatimSymlinks: true });
  return join(directory, 'postgresql', 'bin');
}

function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
