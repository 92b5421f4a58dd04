// The packages that are published, found in the folder, and what each of them exports.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** `{ name, folder, manifest, entries }` of each package; an entry is `{ subpath, specifier, types }`. */
export const packages = readdirSync(join(root, 'packages'))
  .map((folder) => join(root, 'packages', folder))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return { name: manifest.name, folder, manifest, entries: entriesOf(manifest) };
  });

function entriesOf({ name, exports }) {
  return Object.entries(exports)
    .filter(([, target]) => typeof target === 'object' && 'types' in target)
    .map(([subpath, { types }]) => ({ subpath, specifier: name + subpath.slice(1), types }));
}
