import { describeType } from '../../contract/snapshot/item-encoder.ts';
import type { TimeSlices } from '../../contract/time-slices.ts';
import { createByteWindow, type ByteWindow } from './byte-window.ts';
import type { StoredFile } from './document-store.ts';

/** Fields of a document or a manifest as the store gave them: anything may be in them. */
export type RawFields = Readonly<Record<string, unknown>>;

/** `same`: the bytes that were expected. `bytes` are valid until the next call. */
export type StoredItem = { readonly same: true } | { readonly same: false; readonly bytes: Uint8Array };

/** A file of the store, open: its fields are known, its items are read one by one. */
export interface StoredDocument {
  /** All of them where the file holds no items, else those before the items. */
  readonly fields: RawFields;
  /** Whether items follow. */
  readonly hasItems: boolean;
  /** The next item, undefined at the end. `expected` saves the search for its end where it is the one. */
  nextItem(expected?: Uint8Array): Promise<StoredItem | undefined>;
  /** After the last item: what the document says behind them, and how many they were. */
  finish(): Promise<{ readonly fields: RawFields; readonly itemCount: number }>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly file: StoredFile;
  readonly maxBytes: number;
  readonly slices: TimeSlices;
  /** Told of the bytes of each item, which are valid until it returns. */
  readonly onItem: (bytes: Uint8Array) => void;
  /** The error for a file that is not as this package writes it; `problem` holds nothing of its content. */
  readonly damaged: (problem: string) => Error;
}

/** Of a manifest, and of what a document says before its items. */
export const maxHeadBytes = 4 * 1024 * 1024;
const maxTailBytes = 64 * 1024;
/** Above what a snapshot takes, 64 MiB of JSON. */
const maxItemBytes = 65 * 1024 * 1024;
const marker = Buffer.from('"items":[');

/** Reads what a file says before its items, and no more than `maxHeadBytes` for that. */
export async function openStoredDocument(options: OpenOptions): Promise<StoredDocument> {
  const { file, maxBytes, slices, damaged } = options;
  const window = createByteWindow({
    chunks: file.chunks,
    maxBytes,
    tooLong: () => damaged(`it has more than ${maxBytes} bytes`),
    slices,
  });
  try {
    const items = await findItems(window, damaged);
    if (items === undefined) {
      const fields = parseFields(window.view.toString(), damaged);
      return withoutItems(fields, damaged);
    }
    const before = window.view.toString('utf8', 0, items);
    window.consume(items + marker.length);
    const fields = parseFields(`${before}"items":[]}`, damaged);
    const reader = readItems({ ...options, window });
    if (await reader.isEmpty()) {
      const { fields: after } = await reader.finish();
      return withoutItems({ ...fields, ...after, items: [] }, damaged);
    }
    return { fields, hasItems: true, ...reader };
  } catch (error) {
    await window.close();
    throw error;
  }
}

/** Where the items begin; undefined where the file ended without any. */
async function findItems(window: ByteWindow, damaged: OpenOptions['damaged']): Promise<number | undefined> {
  let searched = 0;
  for (;;) {
    const at = window.view.indexOf(marker, searched);
    if (at > maxHeadBytes || (at < 0 && window.view.length > maxHeadBytes))
      throw damaged(`it says no items within ${maxHeadBytes} bytes`);
    if (at >= 0) return at;
    searched = Math.max(0, window.view.length - marker.length);
    if (!(await window.more())) return undefined;
  }
}

function parseFields(text: string, damaged: OpenOptions['damaged']): RawFields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text) as unknown;
  } catch {
    throw damaged('it is not valid JSON, or cut');
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as RawFields;
  throw damaged(`it is ${describeType(parsed)}`);
}

function withoutItems(fields: RawFields, damaged: OpenOptions['damaged']): StoredDocument {
  return {
    fields,
    hasItems: false,
    nextItem: async () => undefined,
    finish: async () => {
      if (!Array.isArray(fields['items'])) throw damaged('it holds no items');
      return { fields, itemCount: 0 };
    },
    close: async () => undefined,
  };
}

interface ReadItemsOptions extends Pick<OpenOptions, 'slices' | 'damaged' | 'onItem'> {
  readonly window: ByteWindow;
}

function readItems({ window, slices, onItem, damaged }: ReadItemsOptions) {
  let itemCount = 0;
  let ended = false;

  const available = async (count: number): Promise<boolean> => {
    while (window.view.length < count) if (!(await window.more())) return false;
    return true;
  };
  /** Takes what stands before an item; false where the list ends. */
  const enter = async (): Promise<boolean> => {
    if (ended) return false;
    if (!(await available(1))) throw damaged('it is cut');
    const byte = window.view[0];
    if (byte === 0x5d) {
      ended = true;
      return false;
    }
    if (itemCount === 0) return true;
    if (byte !== 0x2c) throw damaged('its items are not separated by commas');
    window.consume(1);
    return true;
  };
  const isExpected = async (expected: Uint8Array): Promise<boolean> => {
    if (!(await available(expected.length + 1))) return false;
    const { view } = window;
    const after = view[expected.length];
    return (after === 0x2c || after === 0x5d) && view.compare(expected, 0, expected.length, 0, expected.length) === 0;
  };
  const take = (length: number): Uint8Array => {
    const bytes = window.view.subarray(0, length);
    onItem(bytes);
    itemCount += 1;
    window.consume(length);
    return bytes;
  };

  return {
    isEmpty: async () => !(await enter()),
    async nextItem(expected?: Uint8Array): Promise<StoredItem | undefined> {
      if (!(await enter())) return undefined;
      if (slices.due()) await slices.next();
      if (expected !== undefined && (await isExpected(expected))) {
        take(expected.length);
        return { same: true };
      }
      return { same: false, bytes: take(await itemLength(window, damaged)) };
    },
    async finish() {
      if (!ended) throw damaged('it holds more items than it says');
      while (await window.more())
        if (window.view.length > maxTailBytes) throw damaged('it does not end after its items');
      const fields = parseFields(`{"items":[${window.view.toString()}`, damaged);
      return { fields, itemCount };
    },
    close: () => window.close(),
  };
}

/** How many bytes the object at the begin of the window has, found without parsing it. */
async function itemLength(window: ByteWindow, damaged: OpenOptions['damaged']): Promise<number> {
  let [at, depth, inText] = [0, 0, false];
  for (;;) {
    const { view } = window;
    for (; at < view.length; at++) {
      const byte = view[at];
      if (inText) {
        if (byte === 0x5c) at++;
        else if (byte === 0x22) inText = false;
      } else if (byte === 0x22) inText = true;
      else if (byte === 0x7b || byte === 0x5b) depth++;
      else if (byte === 0x7d || byte === 0x5d) depth--;
      if (depth === 0) {
        if (at === 0) throw damaged('it holds an item that is no object');
        return at + 1;
      }
    }
    if (view.length > maxItemBytes) throw damaged(`it holds an item of more than ${maxItemBytes} bytes`);
    if (!(await window.more())) throw damaged('it is cut');
  }
}
