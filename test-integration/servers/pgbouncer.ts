import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { howToInstall, programPath } from '../setup/tools.ts';
import { freePort } from './ports.ts';
import { dsnOf, queryOnce, type DsnOptions, type PostgresConnection } from './postgres-database.ts';
import { endProcess, serverDirectory, tailOf, unprivilegedUser } from './processes.ts';
import { watch } from './watchdog.ts';

/** How to start a PgBouncer in front of a server. */
export interface StartPgBouncerOptions {
  readonly postgres: PostgresConnection;
  /** What a server connection is lent for; default `transaction`. */
  readonly poolMode?: 'session' | 'transaction' | 'statement';
  /** Server connections per database and user; default 10. */
  readonly poolSize?: number;
  /** Lines of `[pgbouncer]` such as `{ query_wait_timeout: '5' }`, added to the harness's own. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running PgBouncer: connect to it as to the server behind it, with the same users and databases. */
export interface PgBouncer extends PostgresConnection {
  dsn(options?: DsnOptions): string;
  stop(): Promise<void>;
}

const READY_MS = 90_000;

/** Starts PgBouncer on 127.0.0.1; throws one line that says what to install when there is none. */
export async function startPgBouncer(options: StartPgBouncerOptions): Promise<PgBouncer> {
  const binary = programPath('pgbouncer');
  if (binary === undefined) throw new Error(`PgBouncer is not installed: ${howToInstall(['PgBouncer'])}`);
  const user = unprivilegedUser();
  const directory = await serverDirectory('pgbouncer', user);
  const releaseDirectory = watch({ directory });
  const port = await freePort();
  const place = async (name: string, content: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    if (user) await chown(path, user.uid, user.gid);
    return path;
  };
  const { username, password } = options.postgres.superuser;
  const users = await place('users.txt', `"${username}" "${password}"\n`);
  const log = join(directory, 'pgbouncer.log');
  const output = await open(log, 'a');
  const args = [await place('pgbouncer.ini', configuration(options, port, users))];
  const child = spawn(binary, args, {
    ...user,
    cwd: directory,
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  const exited = once(child, 'exit');
  child.unref();
  await Promise.all([once(child, 'spawn'), output.close()]);
  const pid = child.pid ?? 0;
  const releaseProcess = watch({ process: { pid, signal: 'SIGTERM' } });
  // Without TLS: the server's certificate is not PgBouncer's.
  const { kind, version, superuser, database } = options.postgres;
  const connection: PostgresConnection = { kind, version, superuser, database, host: '127.0.0.1', port };
  const bouncer: PgBouncer = {
    ...connection,
    dsn: (dsnOptions) => dsnOf(connection, dsnOptions),
    async stop() {
      // Now somebody waits for it: a process that has nothing else to do would end in the middle of this.
      child.ref();
      await endProcess(pid, 'SIGTERM', 10_000);
      await exited;
      releaseProcess();
      await rm(directory, { recursive: true, force: true });
      releaseDirectory();
    },
  };
  for (const end = Date.now() + READY_MS; ; await sleep(50)) {
    try {
      await queryOnce(connection, 'SELECT 1');
      return bouncer;
    } catch (error) {
      if (child.exitCode === null && child.signalCode === null && Date.now() < end) continue;
      const tail = await tailOf(log);
      await bouncer.stop();
      throw new Error(`PgBouncer did not start (${String(error)}). The end of its log:\n${tail}`, { cause: error });
    }
  }
}

function configuration(
  { postgres, poolMode = 'transaction', poolSize = 10, settings = {} }: StartPgBouncerOptions,
  port: number,
  users: string,
): string {
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    pool_mode: poolMode,
    default_pool_size: String(poolSize),
    max_client_conn: '200',
    ...settings,
  };
  const section = Object.entries(lines).map(([name, value]) => `${name} = ${value}`);
  return ['[databases]', `* = host=${postgres.host} port=${postgres.port}`, '[pgbouncer]', ...section, ''].join('\n');
}
