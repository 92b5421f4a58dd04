import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { searchPath, type PackageManagerName, type Tool } from './tools.ts';

const INSTALL_MS = 600_000;

/** A package manager with which this user may install. */
export interface PackageManager {
  readonly name: PackageManagerName;
  /** What stands before its command: nothing, or `sudo -n`. */
  readonly prefix: readonly string[];
}

/** The package manager of this system; undefined where there is none, or this user is not root and has no sudo without a password. */
export function findPackageManager(): PackageManager | undefined {
  // Homebrew installs as the user, and refuses root.
  if (process.platform === 'darwin') return works('brew', '--version') ? { name: 'brew', prefix: [] } : undefined;
  const name = (['apt-get', 'dnf'] as const).find((candidate) => works(candidate, '--version'));
  if (name === undefined) return undefined;
  if (process.getuid?.() === 0) return { name, prefix: [] };
  return works('sudo', '-n', 'true') ? { name, prefix: ['sudo', '-n'] } : undefined;
}

/** Installs the packages of the tools; rejects with the end of what the manager said. */
export async function installPackages(
  { name, prefix }: PackageManager,
  missing: readonly Pick<Tool, 'packages'>[],
): Promise<void> {
  const script = scripts[name](missing.map(({ packages }) => packages[name]));
  const [command, ...args] = [...prefix, 'sh', '-c', script];
  const child = spawn(command, args, {
    env: { ...process.env, PATH: searchPath(), HOMEBREW_NO_AUTO_UPDATE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: INSTALL_MS,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = `${output}${text}`.slice(-2_000)));
  }
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0)
    throw new Error(`${name} ended with ${String(status)}: ${output.trim().split('\n').slice(-4).join(' | ')}`);
}

/** The commands, given for each tool the packages that would do. */
export const scripts: Readonly<Record<PackageManagerName, (choices: readonly (readonly string[])[]) => string>> = {
  // Debian starts a service as soon as it is installed; the tests start their own.
  'apt-get': (choices) => `set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then printf '#!/bin/sh\\nexit 101\\n' >$policy; chmod 755 $policy; trap 'rm -f /usr/sbin/policy-rc.d' EXIT; fi
options='-qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0'
apt-get $options update
${choose(choices, 'apt-cache show')}
DEBIAN_FRONTEND=noninteractive apt-get $options install -y --no-install-recommends $chosen`,
  dnf: (choices) => `set -e\n${choose(choices, 'dnf -q info')}\ndnf -q install -y $chosen`,
  brew: (choices) => `brew install --quiet ${choices.flatMap(([first]) => first ?? []).join(' ')}`,
};

/** Shell lines that put into `chosen` the first package of each choice that the system knows. */
function choose(choices: readonly (readonly string[])[], knows: string): string {
  const loops = choices.map(
    (names) =>
      `for name in ${names.join(' ')}; do if ${knows} $name >/dev/null 2>&1; then chosen="$chosen $name"; break; fi; done`,
  );
  return [`chosen=`, ...loops].join('\n');
}

function works(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', env: { ...process.env, PATH: searchPath() } }).status === 0;
}
