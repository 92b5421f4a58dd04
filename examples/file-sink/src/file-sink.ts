import { randomUUID } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defineSink, type KollectSink, type SinkContext, type SpecOf, type SpecSchema } from '@kollect/core';
import {
  createConnectionTest,
  createDocumentSink,
  createOperations,
  keySegment,
  singleDocumentLayout,
} from '@kollect/core/authoring';
import { classify } from './file-errors.ts';
import { createFileStore } from './file-store.ts';

const folder = { type: 'string', minLength: 1, default: 'kollect', description: 'A folder of its own.' } as const;
const specSchema = {
  type: 'object',
  properties: { folder },
  additionalProperties: false,
} as const satisfies SpecSchema;

/** A sink type that keeps one JSON file for each inventory, in folders below `directory`: whoever may write a spec cannot write elsewhere. */
export function fileSink({ directory }: { readonly directory: string }) {
  return defineSink({
    type: 'file',
    contractVersion: 1,
    role: 'snapshot-store',
    capabilities: { fenced: true, deletes: true, plan: true, removeInventory: true },
    specSchema,
    create: (context) => createFileSink(context, directory),
  });
}

function createFileSink({ spec, name, egress }: SinkContext<SpecOf<typeof specSchema>>, root: string): KollectSink {
  const directory = join(root, keySegment(spec.folder));
  const operations = createOperations({ sinkType: 'file', name, classify });
  return {
    ...createDocumentSink({ operations, store: createFileStore(directory), layout: singleDocumentLayout() }),
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: 'testing the directory', signal }, async (scope) => {
        const test = createConnectionTest({ scope, egress });
        const file = join(directory, 'inventory', `.test-${randomUUID()}`);
        await test.step({ name: 'link', doing: 'linking a file', after: true }, async (value) => {
          try {
            await mkdir(dirname(file), { recursive: true });
            await writeFile(file, '');
            await link(file, `${file}-linked`);
          } finally {
            await Promise.all([file, `${file}-linked`].map((path) => rm(path, { force: true })));
          }
          return { found: 'Files can be written and linked: exporters can tell who was first.', value };
        });
        return test.report();
      }),
    close: () => operations.close(),
  };
}
