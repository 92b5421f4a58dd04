#!/usr/bin/env node
import { createSinkRegistry } from '@kollect/core';
import { formatCrds } from './format-crds.ts';
import { generateCrds } from './generate-crds.ts';
import { loadSinkTypes } from './load-sink-types.ts';

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
  const types = await loadSinkTypes(names, process.cwd());
  process.stdout.write(formatCrds(generateCrds(createSinkRegistry(types))));
}
