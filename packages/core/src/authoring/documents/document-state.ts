import { createHash } from 'node:crypto';
import type { SinkError } from '../../contract/errors/errors.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import { createTimeSlices, type TimeSlices } from '../../contract/time-slices.ts';
import type { OperationScope } from '../operations/operation-scope.ts';
import type { NextStoredItem } from './compare-items.ts';
import { damagedFile } from './damage.ts';
import { readHead, type DocumentHead } from './document-head.ts';
import type { DocumentLayout } from './document-layout.ts';
import type { DocumentStore } from './document-store.ts';
import { openStoredDocument, type StoredDocument } from './stored-document.ts';

/** What the store holds of a scope, as it was when its head was read. */
export interface DocumentState {
  readonly head: DocumentHead | undefined;
  /** Of the head; undefined where there is none. */
  readonly version: string | undefined;
  /** The stored items, in order; damage found on the way or at the end is SCHEMA_MISMATCH. */
  readonly nextItem: NextStoredItem;
  readonly close: () => Promise<void>;
}

export interface ReadStateOptions {
  readonly store: DocumentStore;
  readonly layout: DocumentLayout;
  readonly scope: Scope;
  readonly maxDocumentBytes: number;
  readonly operation: OperationScope;
}

/** Reads the head of a scope, and opens what it stands for. */
export async function readState(options: ReadStateOptions): Promise<DocumentState> {
  const { store, layout, scope, maxDocumentBytes, operation } = options;
  const key = layout.headKey(scope);
  const damaged = (problem: string): SinkError => damagedFile(scope, key, problem);
  const slices = createTimeSlices({ signal: operation.signal, operation: operation.operation });
  const file = await store.read(key, { signal: operation.signal });
  if (file === undefined)
    return { head: undefined, version: undefined, nextItem: async () => undefined, close: async () => undefined };
  const items = createItemsHash();
  const document = await openStoredDocument({
    file,
    maxBytes: maxDocumentBytes,
    slices,
    onItem: items.add,
    damaged,
  });
  try {
    const head = readHead(document.fields, scope, damaged);
    const base = { head, version: file.version };
    if (head.parts !== undefined) {
      if (head.parts.reduce((sum, { byteLength }) => sum + byteLength, 0) > maxDocumentBytes)
        throw damaged(`its parts have more than ${maxDocumentBytes} bytes`);
      return { ...base, ...partItems({ ...options, head, slices, damaged }) };
    }
    if (!document.hasItems && head.itemCount > 0) throw damaged('it holds fewer items than it says');
    return { ...base, nextItem: checkedItems({ document, head, items, damaged }), close: document.close };
  } catch (error) {
    await document.close();
    throw error;
  }
}

/** The checksum of items as they come by. */
function createItemsHash() {
  const hash = createHash('sha256').update('[');
  let count = 0;
  return {
    add(bytes: Uint8Array): void {
      if (count++ > 0) hash.update(',');
      hash.update(bytes);
    },
    checksum: () => hash.update(']').digest('hex'),
  };
}

interface CheckedItemsOptions {
  readonly document: StoredDocument;
  readonly head: Pick<DocumentHead, 'itemCount' | 'checksum'>;
  readonly items: ReturnType<typeof createItemsHash>;
  readonly damaged: (problem: string) => Error;
}

/** The items of a whole document; at their end they must be those that the head says. */
function checkedItems({ document, head, items, damaged }: CheckedItemsOptions): NextStoredItem {
  return async (expected) => {
    const item = await document.nextItem(expected);
    if (item !== undefined) return item;
    const { itemCount } = await document.finish();
    if (itemCount !== head.itemCount || items.checksum() !== head.checksum)
      throw damaged('its items do not have its checksum');
    return undefined;
  };
}

interface PartItemsOptions extends ReadStateOptions {
  readonly head: DocumentHead;
  readonly slices: TimeSlices;
  /** Of the head. */
  readonly damaged: (problem: string) => Error;
}

/** The items of all parts, one part after the other. */
function partItems(options: PartItemsOptions): Pick<DocumentState, 'nextItem' | 'close'> {
  const { store, scope, head, slices, operation } = options;
  const items = createItemsHash();
  const parts = (head.parts ?? []).entries();
  let open: { readonly document: StoredDocument; readonly finish: () => Promise<void> } | undefined;

  const openNext = async (): Promise<boolean> => {
    const next = parts.next();
    if (next.done === true) return false;
    const [index, { key, byteLength, itemCount }] = next.value;
    const damaged = (problem: string): SinkError => damagedFile(scope, key, problem);
    const file = await store.read(key, { signal: operation.signal });
    if (file === undefined) throw damaged('it is missing');
    const document = await openStoredDocument({ file, maxBytes: byteLength, slices, onItem: items.add, damaged });
    if (document.fields['checksum'] !== head.checksum || document.fields['itemCount'] !== itemCount) {
      await document.close();
      throw damaged('it is of another snapshot than its head');
    }
    const finish = async (): Promise<void> => {
      const { fields, itemCount: found } = await document.finish();
      const { partIndex = 0 } = fields;
      if (found !== itemCount || partIndex !== index) throw damaged('it is another part than its head says');
    };
    open = { document, finish };
    return true;
  };

  return {
    nextItem: async (expected) => {
      while (open !== undefined || (await openNext())) {
        const item = await open?.document.nextItem(expected);
        if (item !== undefined) return item;
        await open?.finish();
        open = undefined;
      }
      if (items.checksum() !== head.checksum) throw options.damaged('the items of its parts do not have its checksum');
      return undefined;
    },
    close: async () => open?.document.close(),
  };
}
