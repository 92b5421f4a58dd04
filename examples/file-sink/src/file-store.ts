import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DocumentStore } from '@kollect/core/authoring';

/** How long a version is kept after its making, so that its number cannot be used twice by writers at work. */
const keptMs = 60_000;

/**
 * Documents as files below a directory. What counts are the numbered versions beside each file: a version is made by a hard link, which fails
 * where somebody else was faster, in whichever process. The file itself is one more name of the newest version, renamed into its place.
 */
export function createFileStore(directory: string): DocumentStore {
  return {
    async read(key, { signal }) {
      const versions = versionsOf(join(directory, key));
      for (;;) {
        signal.throwIfAborted();
        const version = await newest(versions);
        if (version === 0) return undefined;
        // Where it is missing, a newer one was made since, and this one deleted.
        const file = await unlessCode(['ENOENT'], open(join(versions, String(version))));
        if (file !== undefined) return { version: String(version), chunks: file.createReadStream() };
      }
    },
    async commit({ manifest, ifVersion }, { signal }) {
      const path = join(directory, manifest.key);
      const versions = versionsOf(path);
      const version = Number(ifVersion ?? 0) + 1;
      const draft = join(versions, `${version}.${randomUUID()}`);
      await mkdir(versions, { recursive: true });
      try {
        await writeFile(draft, manifest.chunks(), { flag: 'wx', flush: true, signal });
        const start = performance.now();
        if ((await newest(versions)) !== version - 1) return { outcome: 'conflict' };
        const made = link(draft, join(versions, String(version))).then(() => true);
        if ((await unlessCode(['EEXIST', 'ENOENT'], made)) !== true) return { outcome: 'conflict' };
        // After a pause this long the number may have been used and deleted before: the head tells.
        if (performance.now() - start > keptMs / 2) return { outcome: 'conflict' };
      } finally {
        await rm(draft, { force: true });
      }
      await sync(versions);
      await publish(path, versions);
      await removeOld(versions, version);
      return { outcome: 'committed', reference: `version ${version}` };
    },
    now: async () => new Date(),
  };
}

/** Beside `apps.json` the directory `.apps.json`: no segment of a key begins with a dot. */
function versionsOf(path: string): string {
  return join(dirname(path), `.${basename(path)}`);
}

async function newest(versions: string): Promise<number> {
  const names = (await unlessCode(['ENOENT'], readdir(versions))) ?? [];
  return Math.max(0, ...names.filter((name) => /^\d{1,15}$/.test(name)).map(Number));
}

/** Gives the newest version the name that readers know; again where another process gave it to an older one meanwhile. */
async function publish(path: string, versions: string): Promise<void> {
  for (let published = 0, version = await newest(versions); version !== published; version = await newest(versions)) {
    const name = join(versions, `${version}.${randomUUID()}`);
    const named = link(join(versions, String(version)), name).then(() => rename(name, path));
    if (
      (await unlessCode(
        ['ENOENT'],
        named.then(() => true),
      )) !== true
    )
      continue;
    // Renaming does nothing where both are names of one file already.
    await rm(name, { force: true });
    published = version;
  }
}

/** Older versions, and what a crash left; nothing that somebody may be about to use. */
async function removeOld(versions: string, newest: number): Promise<void> {
  for (const name of await readdir(versions)) {
    const file = join(versions, name);
    const { mtimeMs = Infinity } = (await unlessCode(['ENOENT'], stat(file))) ?? {};
    if (name !== String(newest) && mtimeMs < Date.now() - keptMs) await rm(file, { force: true });
  }
}

/** Without it a crash of the machine may take back names that were given. */
async function sync(path: string): Promise<void> {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function unlessCode<T>(codes: readonly string[], promise: Promise<T>): Promise<T | undefined> {
  return promise.catch((error: NodeJS.ErrnoException) => {
    if (codes.includes(error.code ?? '')) return undefined;
    throw error;
  });
}
