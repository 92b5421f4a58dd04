import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kollect-types-'));
  const type = (name: string): string => `{ type: '${name}', specSchema: {}, parseSpec: () => undefined }`;
  install('sink-one', { exports: { '.': { default: './index.js' } } }, `export const one = ${type('one')};`);
  install('only-import', { exports: { '.': { import: './index.js' } } }, `export const two = ${type('two')};`);
  install('no-types', { main: './index.js' }, 'export const version = 1;');
  writeFileSync(join(folder, 'own.mjs'), `export { one } from 'sink-one'; export const own = ${type('own')};`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function install(name: string, manifest: object, code: string): void {
  const at = join(folder, 'node_modules', name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'package.json'), JSON.stringify({ name, type: 'module', ...manifest }));
  writeFileSync(join(at, 'index.js'), code);
}

/** By a process of its own: jest finds modules in its own way. */
async function namesOf(...modules: readonly string[]): Promise<unknown> {
  const code = `
    import { loadSinkTypes } from ${JSON.stringify(new URL('load-sink-types.ts', import.meta.url).href)};
    const types = await loadSinkTypes(${JSON.stringify(modules)}, ${JSON.stringify(folder)});
    console.log(JSON.stringify(types.map(({ type }) => type)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code]);
  return JSON.parse(stdout);
}

test('a package and a file bring their types, each once', async () => {
  await expect(namesOf('sink-one', './own.mjs')).resolves.toEqual(['one', 'own']);
});

test.each([
  ['only-import', 'only-import can be imported by code alone; name its file'],
  ['no-types', 'no-types exports no sink type made with defineSink.'],
  ['sink-on', 'sink-on is not found; name a package that is installed here'],
])('%s is refused with what to do', async (name, message) => {
  await expect(namesOf(name)).rejects.toThrow(message);
});

test('the file of a package that code alone can import', async () => {
  await expect(namesOf('./node_modules/only-import/index.js')).resolves.toEqual(['two']);
});
