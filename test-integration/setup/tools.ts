import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findJava } from '../servers/kafka-jars.ts';
import { cacheDirectory } from './cache-directory.ts';

/** A package manager of a system, by its command. */
export type PackageManagerName = 'apt-get' | 'dnf' | 'brew';

/** A program that tests need and npm does not bring. */
export interface Tool {
  readonly name: string;
  /** What cannot be tested without it. */
  readonly neededFor: string;
  /** For each manager the packages that bring it, the first that the system knows is taken. */
  readonly packages: Readonly<Record<PackageManagerName, readonly string[]>>;
  /** True where an unpacked package is enough: it needs no file outside of the package and its libraries. */
  readonly runsUnpacked: boolean;
  /** True where a broker outside of a container cannot do without it. */
  readonly startsKafka: boolean;
  isThere(): Promise<boolean> | boolean;
}

const newestNode = fileURLToPath(new URL('../node_modules/node26/bin/node', import.meta.url));

/** Programs that `unpackPackages` laid into the cache. */
export function cachedPrograms(): string {
  return join(cacheDirectory(), 'bin');
}

/** PATH with the directories in which Debian keeps servers and the tests their own copies. */
export function searchPath(path = process.env['PATH'] ?? ''): string {
  const more = [cachedPrograms(), '/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];
  return [...new Set([...path.split(delimiter).filter(Boolean), ...more])].join(delimiter);
}

/** Where a program stands on the search path, or undefined. */
export function programPath(program: string): string | undefined {
  return searchPath()
    .split(delimiter)
    .map((directory) => join(directory, program))
    .find((path) => existsSync(path));
}

function answers(program: string): boolean {
  const path = programPath(program);
  return path !== undefined && spawnSync(path, ['--version']).status === 0;
}

/** Everything that `npx -y pnpm test` needs beside Node and npm. */
export const tools: readonly Tool[] = [
  {
    name: 'PgBouncer',
    neededFor: 'the tests of PostgreSQL behind a pooler',
    packages: { 'apt-get': ['pgbouncer'], dnf: ['pgbouncer'], brew: ['pgbouncer'] },
    runsUnpacked: true,
    startsKafka: false,
    isThere: () => answers('pgbouncer'),
  },
  {
    name: 'promtool',
    neededFor: 'the tests of metrics, alerts and dashboard',
    packages: { 'apt-get': ['prometheus'], dnf: ['golang-github-prometheus'], brew: ['prometheus'] },
    runsUnpacked: true,
    startsKafka: false,
    isThere: () => answers('promtool'),
  },
  {
    name: 'Java 17',
    neededFor: 'Kafka outside of a container',
    packages: {
      'apt-get': ['openjdk-17-jre-headless', 'openjdk-21-jre-headless', 'openjdk-25-jre-headless'],
      dnf: ['java-21-openjdk-headless', 'java-17-openjdk-headless'],
      brew: ['openjdk@17'],
    },
    runsUnpacked: false,
    startsKafka: true,
    isThere: async () => (await findJava()) !== undefined,
  },
  {
    name: 'Maven',
    neededFor: "Kafka's jars",
    packages: { 'apt-get': ['maven'], dnf: ['maven'], brew: ['maven'] },
    runsUnpacked: false,
    startsKafka: true,
    isThere: () => answers('mvn'),
  },
  {
    name: 'libatomic',
    neededFor: 'the tests on Node 26',
    // The system of macOS has it.
    packages: { 'apt-get': ['libatomic1'], dnf: ['libatomic'], brew: [] },
    runsUnpacked: false,
    startsKafka: false,
    isThere: () => spawnSync(newestNode, ['--version']).status === 0,
  },
];

/** One line that says how a person gets the tools of these names. */
export function howToInstall(names: readonly string[]): string {
  const manager: PackageManagerName = process.platform === 'darwin' ? 'brew' : 'apt-get';
  const wanted = tools.filter(({ name }) => names.includes(name));
  return `${manager} install ${wanted.map(({ packages }) => packages[manager][0]).join(' ')}`;
}
