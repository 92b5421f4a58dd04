import { randomBytes } from 'node:crypto';
import { splitDocument, wholeDocument, type DocumentPart } from '../../contract/document/document.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { formatScope } from '../../contract/snapshot/scope.ts';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';
import { headFile, headOf, type DocumentHead } from './document-head.ts';
import type { DocumentLayout } from './document-layout.ts';
import type { DocumentFile } from './document-store.ts';

/** The files of one commit, and the head that they make. */
export interface PreparedCommit {
  readonly head: DocumentHead;
  readonly parts: readonly DocumentFile[];
  readonly manifest: DocumentFile;
  /** Files that hold items, and their bytes. */
  readonly messages: number;
  readonly bytes: number;
}

export interface PrepareOptions {
  readonly layout: DocumentLayout;
  readonly maxPartBytes: number;
  readonly maxDocumentBytes: number;
}

/** A snapshot as the files of the layout; PAYLOAD_TOO_LARGE where it is larger than its limits. */
export function prepareContent(content: InventorySnapshot, options: PrepareOptions): PreparedCommit {
  const { layout, maxPartBytes, maxDocumentBytes } = options;
  const { parts: places } = layout;
  const documents =
    places === undefined ? [wholeDocument(content)] : splitDocument(content, { maxBytes: maxPartBytes });
  const bytes = documents.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const limit = places === undefined ? Math.min(maxPartBytes, maxDocumentBytes) : maxDocumentBytes;
  if (bytes > limit)
    throw new SinkError(
      'PAYLOAD_TOO_LARGE',
      `Inventory ${formatScope(content)} has ${bytes} bytes as a document, and the store may be given ${limit}: raise the limit or collect less.`,
    );
  const base = { messages: documents.length, bytes };
  const headKey = layout.headKey(content);
  if (places === undefined) {
    const [whole] = documents.map((document) => fileOf(headKey, document));
    return {
      ...base,
      head: headOf(content),
      parts: [],
      manifest: whole ?? headFile(headKey, content, headOf(content)),
    };
  }
  const attempt = randomBytes(8).toString('hex');
  const { exportedAt } = content;
  const parts = documents.map((document) => {
    const { partIndex, partTotal, itemCount } = document;
    return { ...fileOf(places.key(content, { partIndex, partTotal, exportedAt, attempt }), document), itemCount };
  });
  const named = parts.map(({ key, byteLength, itemCount }) => ({ key, byteLength, itemCount }));
  const head = headOf(content, named);
  return { ...base, head, parts, manifest: headFile(headKey, content, head) };
}

/** The head alone: items stay where they are, unless the head holds them itself and is written again. */
export function prepareFence(
  content: InventorySnapshot,
  before: DocumentHead,
  options: PrepareOptions,
): PreparedCommit {
  const nothing = { messages: 0, bytes: 0 };
  if (before.parts === undefined || options.layout.parts === undefined)
    return { ...prepareContent(content, options), ...nothing };
  const head = headOf(content, before.parts);
  return { ...nothing, head, parts: [], manifest: headFile(options.layout.headKey(content), content, head) };
}

/** A head without items. */
export function prepareTombstone(scope: Scope, head: DocumentHead, layout: DocumentLayout): PreparedCommit {
  return { head, parts: [], manifest: headFile(layout.headKey(scope), scope, head), messages: 0, bytes: 0 };
}

function fileOf(key: string, { byteLength, chunks, bytes }: DocumentPart): DocumentFile {
  return { key, byteLength, chunks, bytes };
}
