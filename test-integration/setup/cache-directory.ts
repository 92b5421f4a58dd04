import { existsSync, lstatSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { reachableByOthers } from '../servers/processes.ts';

/** Where things fetched for the tests stay between runs; the users that servers run as must be able to read them, so root's home may not do. */
export function cacheDirectory(): string {
  const named = process.env['KOLLECT_TEST_CACHE'];
  if (named) return named;
  const own = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kollect-tests');
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || (existsSync(join(own, '..')) && reachableByOthers(own))) return own;
  const shared = '/var/tmp/kollect-tests';
  // Anybody may make a directory there, and what it holds would run as ours.
  if (existsSync(shared) && (lstatSync(shared).uid !== 0 || !lstatSync(shared).isDirectory())) {
    throw new Error(
      `${shared} is to hold what the tests fetch and is not a directory of root: remove it, or name another place in KOLLECT_TEST_CACHE.`,
    );
  }
  return shared;
}
