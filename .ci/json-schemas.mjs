// Writes the JSON Schema of every sink into its package, from the built code; tests fail where one differs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packages } from './packages.mjs';

const built = ({ folder, manifest }) => import(join(folder, manifest.exports['.'].default));
const { sinkJsonSchema } = await built(packages.find(({ name }) => name === '@kollect/core'));

for (const pack of packages.filter(({ manifest }) => './schema.json' in manifest.exports)) {
  const exported = Object.values(await built(pack));
  const definition = exported.find((value) => typeof value?.parseSpec === 'function' && 'specSchema' in value);
  if (definition === undefined) throw new Error(`${pack.name} exports ./schema.json and no sink type`);
  writeFileSync(join(pack.folder, 'schema.json'), `${JSON.stringify(sinkJsonSchema(definition), undefined, 2)}\n`);
}
