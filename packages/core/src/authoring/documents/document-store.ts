import type { OperationOptions } from '../../contract/sink.ts';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';

/** One file, object or blob, to be written as it is. */
export interface DocumentFile {
  readonly key: string;
  /** Exact size, known before anything is serialised. */
  readonly byteLength: number;
  /** The content in copies of at most 256 KiB, made while they are read. */
  chunks(): Iterable<Uint8Array>;
  /** The content in one copy. */
  bytes(): Uint8Array;
}

/** What a store holds under a key. Its chunks are read to the end, or ended early by the iterator's `return`. */
export interface StoredFile {
  /** Changes with every change of the file, and never comes back: an ETag, a generation, a commit. */
  readonly version: string;
  /** The content, in pieces that the store does not change afterwards. It fails where it is read, and never before. */
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Everything that one export writes. A reader sees all of it or nothing. */
export interface DocumentCommit {
  readonly scope: Scope;
  /** New files under keys that the manifest names. Empty where it holds the items itself, and where only the fence moves. */
  readonly parts: readonly DocumentFile[];
  /** Replaces the head of the scope, as the last step: what makes the rest visible. */
  readonly manifest: DocumentFile;
  /** Keys that nobody names any more once the manifest is written; to be deleted after it. One that is gone already is no error. */
  readonly removed: readonly string[];
  /** The version of the head that was read; undefined where there must be none. With any other in the store this is a conflict. */
  readonly ifVersion: string | undefined;
  /** What the files are made of, for stores that lay them out in their own way. Absent for a tombstone. */
  readonly snapshot?: InventorySnapshot;
}

export type CommitResult =
  | {
      readonly outcome: 'committed';
      /** For `ExportResult.reference`. */
      readonly reference?: string;
      /** True where a deletion failed: what is left is looked for at the next commit. */
      readonly leftBehind?: boolean;
    }
  /** Somebody else was faster: nothing is visible of this commit. */
  | { readonly outcome: 'conflict' };

/**
 * Where documents are kept: what an author writes for S3, Git or a directory. Each call is one attempt, ends with its signal and throws whatever
 * the sink's classifier understands. A store that cannot compare and swap must not be offered as one.
 */
export interface DocumentStore {
  /** The file, or undefined where there is none. */
  read(key: string, options: OperationOptions): Promise<StoredFile | undefined>;
  /** Parts first, then the manifest if the head still has the version, then the deletions. Fails only before the manifest is written. */
  commit(commit: DocumentCommit, options: OperationOptions): Promise<CommitResult>;
  /** All keys that begin with the prefix: finds parts that a crash left behind. Absent where a crash leaves none. */
  list?(prefix: string, options: OperationOptions): Promise<Iterable<string>>;
  /** The store's clock. */
  now(options: OperationOptions): Promise<Date>;
}
