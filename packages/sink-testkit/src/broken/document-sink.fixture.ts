import {
  defineSink,
  joinParts,
  parseDocument,
  SinkError,
  splitDocument,
  type InventoryDocument,
  type KollectSink,
  type Scope,
} from '@kollect/core';
import type { DocumentHarness } from '../harness.ts';
import { abortError, passedReport, scopeKey } from './table-sink.fixture.ts';

/** A topic in miniature: messages by key, each document in parts of at most 64 KiB. */
type Topic = Map<string, Uint8Array[]>;

function createDocumentSink(topic: Topic, mangle: (message: Uint8Array, index: number) => Uint8Array): KollectSink {
  let closed = false;
  return {
    export: async (snapshot, { signal }) => {
      if (signal.aborted) throw abortErrorOf(signal);
      if (closed) throw new SinkError('ABORTED', 'The sink is closed.');
      const messages = splitDocument(snapshot, { maxBytes: 65_536 }).map((part, index) => mangle(part.bytes(), index));
      const key = scopeKey(snapshot);
      topic.set(key, [...(topic.get(key) ?? []), ...messages]);
      const inserted = snapshot.items.length;
      const bytes = messages.reduce((sum, message) => sum + message.byteLength, 0);
      return {
        outcome: 'applied',
        counts: { inserted, updated: 0, deleted: 0, unchanged: 0 },
        messages: messages.length,
        bytes,
      };
    },
    testConnection: async ({ signal }) => {
      if (signal.aborted) throw abortErrorOf(signal);
      return passedReport;
    },
    close: async () => {
      closed = true;
    },
  };
}

function abortErrorOf(signal: AbortSignal): SinkError {
  const { code, message } = abortError(signal);
  return new SinkError(code, message);
}

export const documentDefinition = defineSink({
  type: 'topic',
  contractVersion: 1,
  role: 'event-emitter',
  capabilities: { fenced: false, deletes: false, plan: false, removeInventory: false },
  specSchema: { type: 'object', properties: {}, additionalProperties: false },
  create: () => createDocumentSink(new Map(), (message) => message),
});

/** A harness over a topic of its own; `mangle` breaks what is sent. */
export function documentHarness(
  mangle: (message: Uint8Array, index: number) => Uint8Array = (message) => message,
): DocumentHarness {
  const topic: Topic = new Map();
  return {
    holds: 'documents',
    createSink: () => createDocumentSink(topic, mangle),
    read: async (scope) => readDocuments(topic, scope),
  };
}

function readDocuments(topic: Topic, scope: Scope): InventoryDocument[] {
  const documents: InventoryDocument[] = [];
  let parts: InventoryDocument[] = [];
  for (const message of topic.get(scopeKey(scope)) ?? []) {
    const part = parseDocument(message);
    parts.push(part);
    if (parts.length < (part.partTotal ?? 1)) continue;
    documents.push(joinParts(parts));
    parts = [];
  }
  return documents;
}
