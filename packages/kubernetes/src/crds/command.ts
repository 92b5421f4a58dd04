#!/usr/bin/env node
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createSinkRegistry, type SinkDefinition } from '@kollect/core';
import { formatCrds } from './format-crds.ts';
import { generateCrds } from './generate-crds.ts';

const usage = `Usage: kollect-crds <module> [<module> …] > crds.yaml
  Each module exports sink types made with defineSink: a package such as @kollect/sink-postgres, or a file.`;

const modules = process.argv.slice(2);
if (modules.length === 0 || modules.some((name) => name.startsWith('-'))) {
  console.error(usage);
  process.exitCode = modules.includes('--help') ? 0 : 2;
} else {
  await write(modules).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : 'The modules could not be read.');
    process.exitCode = 1;
  });
}

async function write(names: readonly string[]): Promise<void> {
  const definitions = await Promise.all(names.map(definitionsOf));
  process.stdout.write(formatCrds(generateCrds(createSinkRegistry([...new Set(definitions.flat())]))));
}

async function definitionsOf(name: string): Promise<readonly SinkDefinition[]> {
  // As a file of the folder would import it where the command is called, and not as this package would.
  const file = createRequire(join(process.cwd(), 'here.js')).resolve(name);
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
