import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SinkDefinition } from '@kollect/core';

/** The sink types that modules export, each module as a file of the folder would import it. */
export async function loadSinkTypes(names: readonly string[], folder: string): Promise<readonly SinkDefinition[]> {
  const { resolve } = createRequire(join(folder, 'here.js'));
  const found = await Promise.all(names.map((name) => typesOf(name, fileOf(name, resolve))));
  return [...new Set(found.flat())];
}

function fileOf(name: string, resolve: (name: string) => string): string {
  try {
    return resolve(name);
  } catch (error) {
    const { code } = Object(error) as { readonly code?: unknown };
    throw new Error(
      code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
        ? `${name} can be imported by code alone; name its file, such as ./node_modules/${name}/dist/index.js.`
        : `${name} is not found; name a package that is installed here, or a file such as ./${name}.js.`,
      { cause: error },
    );
  }
}

async function typesOf(name: string, file: string): Promise<readonly SinkDefinition[]> {
  const module: object = await import(pathToFileURL(file).href);
  const found = Object.values(module).filter(isDefinition);
  if (found.length === 0) throw new Error(`${name} exports no sink type made with defineSink.`);
  return found;
}

function isDefinition(value: unknown): value is SinkDefinition {
  return (
    typeof value === 'object' && value !== null && 'parseSpec' in value && 'specSchema' in value && 'type' in value
  );
}
