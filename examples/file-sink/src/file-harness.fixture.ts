import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSinkRegistry, parseDocument, type Scope } from '@kollect/core';
import { scopePath } from '@kollect/core/authoring';
import type { ConformanceOptions } from '@kollect/sink-testkit';
import { fileSink } from './file-sink.ts';

/**
 * What the conformance suite needs, in whichever test runner: the sink over a directory of its own, and the file as any reader finds it. `after` is
 * the runner's way to end: the process of a worker may be killed.
 */
export function fileHarness(after: (end: () => void) => unknown): Pick<ConformanceOptions, 'definition' | 'harness'> {
  const directory = mkdtempSync(join(tmpdir(), 'kollect-files-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const definition = fileSink({ directory });
  const inventories = join(directory, 'kollect/inventory');
  return {
    definition,
    harness: {
      holds: 'items',
      createSink: ({ name, egress, logger }) =>
        createSinkRegistry([definition], { egress }).create({ type: 'file', file: {} }, { name, logger }),
      read: async (scope: Scope) => {
        const document = await readFile(join(inventories, `${scopePath(scope)}.json`)).catch(() => undefined);
        return document === undefined ? [] : parseDocument(document).items;
      },
      secretCanary: false,
      hooks: {
        server: false,
        rotateCredentials: false,
        // Whoever runs the tests may be root, to whom no file system denies anything.
        denyWrites: false,
        breakWrites: async () => {
          await mkdir(inventories, { recursive: true });
          await rename(inventories, `${inventories}.aside`);
          await writeFile(inventories, 'a file where the directory was');
          return async () => {
            await rm(inventories);
            await rename(`${inventories}.aside`, inventories);
          };
        },
        // Drafts and test files are named by a UUID; a version, by its number alone, goes a minute after the next one came.
        leftovers: async () => {
          const names = await readdir(directory, { recursive: true });
          return names.filter((name) => /[0-9a-f]{8}-[0-9a-f]{4}-4/u.test(name));
        },
      },
    },
  };
}
