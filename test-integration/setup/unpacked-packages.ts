import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache-directory.ts';
import { cachedPrograms, searchPath, type Tool } from './tools.ts';

const run = async (command: string, args: readonly string[], cwd?: string): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd, env: { ...process.env, PATH: searchPath() }, maxBuffer: 2 ** 26 }))
    .stdout;

const programs: Readonly<Record<string, string>> = { PgBouncer: 'usr/sbin/pgbouncer', promtool: 'usr/bin/promtool' };

/**
 * For a user who may not install: lays the packages of a Debian system, with the libraries that are missing here, into the cache, and a
 * starter for each program into `cachedPrograms()`. Rejects where apt-get cannot fetch them.
 */
export async function unpackPackages(missing: readonly Tool[]): Promise<void> {
  const parent = cacheDirectory();
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, 'unpacking-'));
  const root = join(parent, 'packages');
  try {
    // Lists and archives of its own: those of the system belong to root.
    await Promise.all(
      ['lists/partial', 'archives/partial'].map((path) => mkdir(join(work, path), { recursive: true })),
    );
    const own = [`Dir::State::lists=${work}/lists`, `Dir::Cache=${work}`, 'Debug::NoLocking=1'].flatMap((option) => [
      '-o',
      option,
    ]);
    await run('apt-get', [...own, '-qq', 'update']);
    const names = missing.flatMap(({ packages }) => packages['apt-get'].slice(0, 1));
    const install = ['-qq', '--no-install-recommends', '--download-only', '--print-uris', '-y', 'install', ...names];
    const wanted = [...(await run('apt-get', [...own, ...install])).matchAll(/^'[^']+' (\S+)_[^_]+_\S+\.deb /gmu)];
    await run('apt-get', [...own, '-qq', 'download', ...wanted.map(([, name = '']) => name)], work);
    const archives = (await readdir(work)).filter((name) => name.endsWith('.deb'));
    const unpacked = join(work, 'root');
    for (const archive of archives) await run('dpkg-deb', ['-x', join(work, archive), unpacked]);
    await rm(root, { recursive: true, force: true });
    await rename(unpacked, root);
    await mkdir(cachedPrograms(), { recursive: true });
    for (const { name } of missing) await writeStarter(root, programs[name]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function writeStarter(root: string, program: string | undefined): Promise<void> {
  if (program === undefined || !existsSync(join(root, program))) return;
  const triplet = `${arch() === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const libraries = ['usr/lib', 'lib'].map((directory) => join(root, directory, triplet)).join(':');
  const starter = join(cachedPrograms(), program.split('/').at(-1) ?? '');
  await writeFile(starter, `#!/bin/sh\nLD_LIBRARY_PATH='${libraries}' exec '${join(root, program)}' "$@"\n`);
  await chmod(starter, 0o755);
}
