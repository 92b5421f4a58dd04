import { createConnectionTest } from './authoring/connection-test/connection-test.ts';
import { createDocumentSink } from './authoring/documents/document-sink.ts';
import type { DocumentCommit, DocumentStore } from './authoring/documents/document-store.ts';
import { createOperations } from './authoring/operations/operations.ts';
import { aFunction, checkOptions } from './contract/errors/check-options.ts';
import { formatScope } from './contract/snapshot/scope.ts';
import type { KollectSink } from './contract/sink.ts';
import type { InventorySnapshot } from './contract/snapshot/snapshot.ts';
import { defineSink, type SinkContext, type SinkDefinition } from './registry/define-sink.ts';
import type { SpecInput, SpecOf, SpecSchema } from './registry/spec-schema.ts';

// All that this file imports is exported by @kollect/core and @kollect/core/authoring: a sink of your own has the same.

const specSchema = { type: 'object', properties: {}, additionalProperties: false } as const satisfies SpecSchema;
type MemorySpec = SpecOf<typeof specSchema>;

/** A sink type whose sinks share one store in memory, and the way to read that store. */
export interface MemorySinkDefinition extends SinkDefinition<'memory', SpecInput<typeof specSchema>, MemorySpec> {
  /** What the store holds now, by `formatScope`, items that were kept for an incomplete target included. */
  contents(): ReadonlyMap<string, InventorySnapshot>;
}

export interface MemorySinkOptions {
  /** The store's clock. Default this machine's. */
  readonly now?: () => Date;
}

/** The smallest complete sink: for tests, for demos, and as the example to read first. Each call has a store of its own. */
export function memorySink(options?: MemorySinkOptions): MemorySinkDefinition {
  const of = 'The options of memorySink';
  const { now = () => new Date() } = checkOptions<MemorySinkOptions>(options, { now: aFunction }, { of });
  const { store, contents } = createMemoryStore(now);
  const definition = defineSink({
    type: 'memory',
    contractVersion: 1,
    role: 'snapshot-store',
    capabilities: { fenced: true, deletes: true, plan: true, removeInventory: true },
    specSchema,
    create: (context) => createSink(context, store),
  });
  return Object.freeze({ ...definition, contents });
}

/** What every sink is made of: operations, what they do to the store, a connection test, and an end. */
function createSink({ name, egress }: SinkContext<MemorySpec>, store: DocumentStore): KollectSink {
  const operations = createOperations({ sinkType: 'memory', name });
  return {
    ...createDocumentSink({ operations, store, layout: { headKey: formatScope } }),
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: 'testing the connection', signal }, async (scope) => {
        const test = createConnectionTest({ scope, egress });
        const found = 'The memory of this process.';
        await test.step({ name: 'memory', doing: 'looking for memory', after: true }, async (value) => ({
          found,
          value,
        }));
        return test.report();
      }),
    close: () => operations.close(),
  };
}

/** A store of documents in memory. Nothing here waits, so that a commit is atomic by itself. */
function createMemoryStore(
  now: () => Date,
): Pick<MemorySinkDefinition, 'contents'> & { readonly store: DocumentStore } {
  const held = new Map<string, Pick<DocumentCommit, 'manifest' | 'snapshot'> & { readonly version: string }>();
  let commits = 0;
  return {
    store: {
      read: async (key) => {
        const found = held.get(key);
        return found === undefined ? undefined : { version: found.version, chunks: found.manifest.chunks() };
      },
      commit: async ({ manifest, snapshot, ifVersion }) => {
        if (held.get(manifest.key)?.version !== ifVersion) return { outcome: 'conflict' };
        const version = String((commits += 1));
        held.set(manifest.key, { manifest, version, ...(snapshot === undefined ? {} : { snapshot }) });
        return { outcome: 'committed' };
      },
      now: async () => now(),
    },
    contents: () =>
      new Map([...held].flatMap(([key, { snapshot }]) => (snapshot === undefined ? [] : [[key, snapshot] as const]))),
  };
}
