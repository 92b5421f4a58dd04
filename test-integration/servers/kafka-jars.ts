import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDirectory } from '../setup/cache-directory.ts';
import { outputOf } from './processes.ts';

const POM = fileURLToPath(new URL('kafka-pom.xml', import.meta.url));
const OLDEST_JAVA = 17;
const FETCH_MS = 300_000;

/** The version of the jars. */
export const KAFKA_VERSION = '4.3.1';

/** What runs Kafka on this machine without a container. */
export interface KafkaRuntime {
  readonly java: string;
  /** The jars, as the argument of `java -cp`. */
  readonly classpath: string;
}

let found: string | undefined;

/** The path of a Java 17 or newer, or undefined; one that is installed later is found by the next call. */
export async function findJava(): Promise<string | undefined> {
  found ??= await firstJava();
  return found;
}

/** Java and Kafka's jars; undefined where there is no Java, or where jars are missing that Maven is not there for, or not to fetch. */
export async function findKafkaRuntime({ fetch = true }: { readonly fetch?: boolean } = {}): Promise<
  KafkaRuntime | undefined
> {
  const java = await findJava();
  if (java === undefined) return undefined;
  const directory = await jarsDirectory();
  if (!existsSync(directory)) {
    const maven = fetch ? await findMaven() : undefined;
    if (maven === undefined) return undefined;
    await fetchJars(maven, directory);
  }
  return { java, classpath: join(directory, '*') };
}

/** Kafka's jars as the argument of `java -cp`, the tools included; fetches them where this machine has none yet. */
export async function kafkaClasspath(): Promise<string> {
  const runtime = await findKafkaRuntime();
  if (runtime === undefined) throw new Error(javaIsMissing());
  return runtime.classpath;
}

/** One line that says what to install on this platform. */
export function javaIsMissing(): string {
  const commands: Partial<Record<NodeJS.Platform, string>> = {
    linux: 'apt-get install openjdk-17-jre-headless maven',
    darwin: 'brew install openjdk@17 maven',
  };
  return commands[process.platform] ?? `install Java ${OLDEST_JAVA} and Maven`;
}

async function firstJava(): Promise<string | undefined> {
  const home = process.env['JAVA_HOME'];
  // Homebrew links its Java nowhere, and macOS has a `java` that only says where to get one.
  const brewed = ['/opt/homebrew', '/usr/local'].map((prefix) => `${prefix}/opt/openjdk@${OLDEST_JAVA}/bin/java`);
  for (const java of [...(home ? [join(home, 'bin', 'java')] : []), 'java', ...brewed.filter(existsSync)]) {
    const output = await promisify(execFile)(java, ['-version'], { env: process.env }).catch(() => undefined);
    if (Number(/version "(\d+)/u.exec(output?.stderr ?? '')?.[1]) >= OLDEST_JAVA) return java;
  }
  return undefined;
}

async function findMaven(): Promise<string | undefined> {
  const answer = await promisify(execFile)('mvn', ['--version']).catch(() => undefined);
  return answer && 'mvn';
}

// A new pom is a new directory: runs of two versions of this repository do not disturb each other.
async function jarsDirectory(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 8);
  return join(cacheDirectory(), `kafka-${KAFKA_VERSION}-${hash}`);
}

/** Fetches beside the directory and renames: it is there as a whole or not at all, whoever else fetches at the same time. */
async function fetchJars(maven: string, directory: string): Promise<void> {
  const parent = join(directory, '..');
  await mkdir(parent, { recursive: true, mode: 0o755 });
  const work = await mkdtemp(join(parent, 'fetching-'));
  try {
    // Not in the repository, where Maven would write beside the pom.
    await copyFile(POM, join(work, 'pom.xml'));
    const jars = join(work, 'jars');
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${jars}`];
    // Java takes the home of the user's entry for its own, whatever HOME says; it may be read-only.
    const repository = await access(userInfo().homedir, constants.W_OK).then(
      () => [],
      () => [`-Dmaven.repo.local=${join(work, 'repository')}`],
    );
    await promisify(execFile)(maven, ['-q', '-B', '-U', ...repository, '-f', join(work, 'pom.xml'), ...goal], {
      timeout: FETCH_MS,
    });
    await rename(jars, directory).catch((error: unknown) => {
      // Another process was first.
      if (!existsSync(directory)) throw error;
    });
  } catch (error) {
    throw new Error(
      `Maven could not fetch Kafka ${KAFKA_VERSION}:\n${outputOf(error).slice(0, 2_000) || String(error)}`,
      { cause: error },
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
