import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { Wait, type ContainerRuntimeClient } from 'testcontainers';
import { freePort } from './ports.ts';
import {
  hostBasedAuthentication,
  settingArguments,
  type BackendOptions,
  type PostgresBackend,
} from './postgres-backend.ts';
import { watch } from './watchdog.ts';

const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const;
const HBA_FILE = '/etc/kollect-pg_hba.conf';
const PULL_AND_START_MS = 300_000;
const HOUR_MS = 3_600_000;

/** The host under which containers of the engine are reached. */
export function containerHost(engine: ContainerRuntimeClient): string {
  const { host } = engine.info.containerRuntime;
  return host === 'localhost' ? '127.0.0.1' : host;
}

/** Starts PostgreSQL in a container on a fixed host port, so that it has the same one after a restart. */
export async function startPostgresContainer(
  engine: ContainerRuntimeClient,
  options: BackendOptions,
): Promise<PostgresBackend> {
  const image = process.env['KOLLECT_TEST_POSTGRES_IMAGE'] ?? 'postgres:18-alpine';
  const name = `kollect-postgres-${randomUUID()}`;
  const port = await freePort();
  const certificates = await mkdtemp(join(tmpdir(), 'kollect-certificates-'));
  // By name, from before it exists: a run that is killed in the middle of the start leaves nothing either.
  const release = options.keep ? () => undefined : watch({ container: name, directory: certificates });
  const container = new PostgreSqlContainer(image)
    .withName(name)
    .withDatabase('postgres')
    .withUsername(options.superuser.username)
    .withPassword(options.superuser.password)
    .withExposedPorts({ container: 5432, host: port })
    .withCopyContentToContainer([
      { content: hostBasedAuthentication(options.tls !== undefined), target: HBA_FILE, mode: 0o644 },
    ])
    .withCommand(['postgres', ...settingArguments({ hba_file: HBA_FILE, ...options.settings })])
    // Not by the health check, which some engines never run: whoever calls connects for real.
    .withHealthCheck({ test: ['CMD', 'true'], interval: HOUR_MS, timeout: HOUR_MS, retries: 1 })
    .withWaitStrategy(Wait.forLogMessage(/init process complete/))
    .withStartupTimeout(PULL_AND_START_MS)
    .withAutoCleanup(!options.keep);
  try {
    if (options.tls) {
      const { ca, server } = options.tls;
      const [caFile, certFile, keyFile] = await Promise.all(
        [ca, server.cert, server.key].map(async (content, index) => {
          const path = join(certificates, `${index}.pem`);
          await writeFile(path, content, { mode: 0o600 });
          return path;
        }),
      );
      container.withSSLCert(caFile ?? '', certFile ?? '', keyFile ?? '');
    }
    await container.start();
  } catch (error) {
    const log = await logTail(engine, name).catch(() => '');
    await remove(engine, name);
    release();
    throw new Error(`PostgreSQL in a container of ${image} did not start: ${String(error)}${log && `\n${log}`}`, {
      cause: error,
    });
  } finally {
    await rm(certificates, { recursive: true, force: true });
  }
  const running = async (): Promise<boolean> => (await engine.container.getById(name).inspect()).State.Running;
  return {
    kind: 'containers',
    host: containerHost(engine),
    port,
    stopCommand: `docker rm -f -v ${name}`,
    running,
    logTail: () => logTail(engine, name),
    launch: () =>
      engine.container
        .getById(name)
        .start()
        .then(() => undefined),
    async halt(mode) {
      if (!(await running())) return;
      await engine.container.getById(name).kill({ signal: SIGNALS[mode] });
      while (await running()) await sleep(50);
    },
    async dispose() {
      await remove(engine, name);
      release();
    },
  };
}

async function logTail(engine: ContainerRuntimeClient, name: string): Promise<string> {
  return (await text(await engine.container.logs(engine.container.getById(name), { tail: 30, follow: false }))).trim();
}

async function remove(engine: ContainerRuntimeClient, name: string): Promise<void> {
  try {
    await engine.container.getById(name).remove({ force: true, v: true });
  } catch (error) {
    const { statusCode }: { statusCode?: number } = error instanceof Object ? error : {};
    if (statusCode !== 404) throw error;
  }
}
