import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSinkRegistry, parseDocument, type Scope } from '@kollect/core';
import { scopePath } from '@kollect/core/authoring';
import type { ConformanceOptions } from '@kollect/sink-testkit';
import { fileSink } from './file-sink.ts';

/** What the conformance suite needs, in whichever test runner: the sink over a directory of its own, and the file as any reader finds it. */
export function fileHarness(): Pick<ConformanceOptions, 'definition' | 'harness'> {
  const directory = mkdtempSync(join(tmpdir(), 'kollect-files-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const definition = fileSink({ directory });
  const registry = createSinkRegistry([definition]);
  return {
    definition,
    harness: {
      holds: 'items',
      createSink: ({ name = 'files' } = {}) => registry.create({ type: 'file', file: {} }, { name }),
      read: async (scope: Scope) => {
        const file = join(directory, 'kollect/inventory', `${scopePath(scope)}.json`);
        const document = await readFile(file).catch(() => undefined);
        return document === undefined ? [] : parseDocument(document).items;
      },
    },
  };
}
