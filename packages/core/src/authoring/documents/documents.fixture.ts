import { createEgressPolicy } from '../../connection/egress-policy.ts';
import { parseDocument } from '../../contract/document/read-document.ts';
import { sealSnapshot, type SnapshotInput } from '../../contract/snapshot/seal-snapshot.ts';
import type { InventorySnapshot, Item, Scope } from '../../contract/snapshot/snapshot.ts';
import { createOperations } from '../operations/operations.ts';
import { createDocumentSink, type DocumentSink, type DocumentSinkOptions } from './document-sink.ts';
import type { DocumentCommit, DocumentStore } from './document-store.ts';

export const egress = createEgressPolicy();
export const { signal } = new AbortController();
export const scope: Scope = { inventoryNamespace: 'team', inventoryName: 'apps' };
export const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 12, 0, second)).toISOString();

export const item = (uid: string, value: unknown = 1, targetName = 'deployments'): Item => ({
  targetNamespace: 'team',
  targetName,
  namespace: 'shop',
  name: uid,
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  uid,
  attributes: { value },
});

export const seal = (
  second: number,
  items: readonly Item[],
  more: Partial<SnapshotInput> = {},
): Promise<InventorySnapshot> => sealSnapshot({ ...scope, generation: 1, exportedAt: at(second), items, ...more });

/** Where a test makes a commit go wrong: before anything, between parts and manifest, or after the manifest. */
export type CommitFault = 'before' | 'between' | 'after' | 'undeleted';

export interface BytesStore extends DocumentStore {
  /** What is stored, by key. */
  readonly files: Map<string, { bytes: Uint8Array; version: string }>;
  /** Called at each commit. */
  onCommit: (commit: DocumentCommit) => CommitFault | undefined | Promise<CommitFault | undefined>;
  /** Calls so far: `read key`, `commit`, `list`. */
  readonly calls: string[];
}

/** A store as S3 is one: each file by itself, the head by compare and swap, deletions afterwards. Its files are bytes that a test may change. */
export function bytesStore({ chunkBytes = 50 }: { readonly chunkBytes?: number } = {}): BytesStore {
  const files: BytesStore['files'] = new Map();
  const calls: string[] = [];
  let version = 0;
  const put = (key: string, bytes: Uint8Array): void => void files.set(key, { bytes, version: String((version += 1)) });
  const store: BytesStore = {
    files,
    calls,
    onCommit: () => undefined,
    read: async (key) => {
      calls.push(`read ${key}`);
      const found = files.get(key);
      return found === undefined ? undefined : { version: found.version, chunks: cut(found.bytes, chunkBytes) };
    },
    commit: async (commit) => {
      const { parts, manifest, removed, ifVersion } = commit;
      calls.push('commit');
      const fault = await store.onCommit(commit);
      if (fault === 'before') throw new Error('lost before the commit');
      for (const part of parts) put(part.key, part.bytes());
      if (fault === 'between') throw new Error('lost between parts and manifest');
      if (files.get(manifest.key)?.version !== ifVersion) return { outcome: 'conflict' };
      put(manifest.key, manifest.bytes());
      if (fault === 'after') throw new Error('lost after the manifest');
      if (fault === 'undeleted') return { outcome: 'committed', leftBehind: true };
      for (const key of removed) files.delete(key);
      return { outcome: 'committed', reference: `version ${version}` };
    },
    list: async (prefix) => {
      calls.push('list');
      return [...files.keys()].filter((key) => key.startsWith(prefix));
    },
    now: async () => new Date(at(3600)),
  };
  return store;
}

async function* cut(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.slice(start, start + chunkBytes);
}

/** A sink over the store, as one process has it. */
export function sinkOver(options: Omit<DocumentSinkOptions, 'operations'>): DocumentSink {
  return createDocumentSink({ operations: createOperations({ sinkType: 'bytes', name: 'portal' }), ...options });
}

/** What a reader finds: head first, then the parts that it names. Undefined where there is nothing or a tombstone. */
export function readStored(store: BytesStore, headKey: string): readonly Item[] | undefined {
  const head = store.files.get(headKey);
  if (head === undefined) return undefined;
  const fields = JSON.parse(Buffer.from(head.bytes).toString()) as { removed?: boolean; parts?: { key: string }[] };
  if (fields.removed === true) return undefined;
  if (fields.parts === undefined) return parseDocument(head.bytes).items;
  return fields.parts.flatMap(({ key }) => {
    const part = store.files.get(key);
    if (part === undefined) throw new Error(`The head names ${key}, which is not there.`);
    return parseDocument(part.bytes).items;
  });
}
