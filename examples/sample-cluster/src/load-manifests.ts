import { readdir, readFile, stat } from 'node:fs/promises';
import { fstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseManifests, type ManifestObject } from './parse-manifests.ts';
import { UserError } from './user-error.ts';

/** What was read, and from where. */
export interface LoadedManifests {
  readonly objects: readonly ManifestObject[];
  /** For people: `16 files in manifests`. */
  readonly from: string;
}

const sample = fileURLToPath(new URL('../manifests', import.meta.url));
const pipePatienceMs = 3000;

/** Objects of a directory, a file, standard input (`-`), or without a path: of what is piped in, otherwise of the sample cluster. */
export async function loadManifests(path?: string): Promise<LoadedManifests> {
  const loaded = path === '-' ? fromText(await readStdin(), 'standard input') : await load(path);
  if (loaded.objects.length > 0) return loaded;
  throw new UserError(
    `There are no Kubernetes objects in ${loaded.from}. Give --manifests a directory with .yaml, .yml or .json files.`,
  );
}

async function load(path: string | undefined): Promise<LoadedManifests> {
  // Scripts run in the directory of the project; INIT_CWD is where the user stands.
  if (path !== undefined) return fromPath(resolve(process.env['INIT_CWD'] ?? '.', path), path);
  const piped = somethingIsPiped() ? await readStdin({ patienceMs: pipePatienceMs }) : '';
  return piped.trim() === '' ? fromPath(sample, 'the sample cluster') : fromText(piped, 'standard input');
}

async function fromPath(path: string, shown: string): Promise<LoadedManifests> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new UserError(
      `${shown} does not exist (looked for ${path}). Give --manifests a directory or file that does.`,
    );
  if (!found.isDirectory()) return fromText(await read(path), shown);
  const files = (await readdir(path, { recursive: true })).filter((name) => /\.(ya?ml|json)$/u.test(name)).sort();
  const objects: ManifestObject[] = [];
  for (const file of files)
    objects.push(...parseManifests(await read(join(path, file)), join(path === sample ? 'manifests' : shown, file)));
  return { objects, from: `${files.length} file${files.length === 1 ? '' : 's'} of ${shown}` };
}

async function read(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const problem =
      (error as NodeJS.ErrnoException).code === 'EACCES' ? 'may not be read by this user' : 'is no UTF-8 text';
    throw new UserError(`${file} ${problem}. Correct or remove the file.`, { cause: error });
  }
}

const fromText = (text: string, source: string): LoadedManifests => ({
  objects: parseManifests(text, source),
  from: source,
});

function somethingIsPiped(): boolean {
  if (process.stdin.isTTY) return false;
  const stdin = fstatSync(0);
  return stdin.isFIFO() || stdin.isFile() || stdin.isSocket();
}

/** All of standard input; empty when its first byte takes longer than the patience, since a pipe may be open and for nobody. */
async function readStdin({ patienceMs }: { readonly patienceMs?: number } = {}): Promise<string> {
  if (patienceMs === undefined && process.stdin.isTTY)
    throw new UserError('Nothing is piped in. Pipe something in, such as: kubectl get deployments -A -o json');
  const chunks: Buffer[] = [];
  const patience = patienceMs === undefined ? undefined : setTimeout(() => process.stdin.destroy(), patienceMs);
  try {
    for await (const chunk of process.stdin) {
      clearTimeout(patience);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (chunks.length > 0 || patience === undefined) throw error;
  } finally {
    clearTimeout(patience);
  }
  return Buffer.concat(chunks).toString('utf8');
}
