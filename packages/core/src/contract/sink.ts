import type { InventorySnapshot, ItemIdentity, Scope } from './snapshot/snapshot.ts';

export interface OperationOptions {
  /** Ends the operation: the sink frees what it holds in the store and throws ABORTED, or TIMEOUT where the reason is a TimeoutError. */
  readonly signal: AbortSignal;
}

export interface ExportOptions extends OperationOptions {
  /** Lets this one export delete more than the sink's own limit. Default false. */
  readonly allowDeletes?: boolean;
}

export interface RemoveInventoryOptions extends OperationOptions {
  /** When the inventory was removed, RFC 3339: the removal is fenced by it as an export is by its `exportedAt`. */
  readonly removedAt: string;
}

/** How many records of the scope an export touched, and how many it found as they should be. */
export interface ItemCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
}

/** `superseded`: the store holds a newer snapshot, nothing was written; a result and not an error. */
export type ExportOutcome = 'applied' | 'unchanged' | 'superseded';

export interface ExportResult {
  readonly outcome: ExportOutcome;
  readonly counts: ItemCounts;
  /** Messages, statements with rows or requests that carried data. */
  readonly messages: number;
  /** Bytes of item data handed to the store. */
  readonly bytes: number;
  /** Where the store keeps what was written, for people: a commit, an object's version, an offset. Shown as text of at most 200 characters; no secret. */
  readonly reference?: string;
}

/** What an export would do now. Each sample holds at most ten keys. */
export interface ExportPlan {
  readonly outcome: ExportOutcome;
  readonly counts: ItemCounts;
  readonly samples: {
    readonly inserted: readonly ItemKey[];
    readonly updated: readonly ItemKey[];
    readonly deleted: readonly ItemKey[];
  };
}

export type ItemKey = Pick<ItemIdentity, 'targetName' | 'uid'>;

/** `warning`: exports will work and the operator should know; `skipped`: an earlier step failed. */
export type ConnectionStepStatus = 'passed' | 'warning' | 'failed' | 'skipped';

export interface ConnectionStep {
  /** What was tried, such as `resolve`, `connect`, `tls`. */
  readonly name: string;
  readonly status: ConnectionStepStatus;
  /** Stable, for programs: `OK`, `SKIPPED` or a `SinkErrorCode`. */
  readonly code: string;
  /** What was found, for people; no secret. */
  readonly found: string;
  /** What to do about it; with `failed` and `warning` only. */
  readonly remedy?: string;
  readonly durationMs: number;
}

export interface ConnectionReport {
  /** True where no step failed. */
  readonly ok: boolean;
  readonly steps: readonly ConnectionStep[];
}

/** A connected instance of a sink type for one KollectSink resource. It makes one attempt and throws SinkError; core retries. */
export interface KollectSink {
  /** Connects and makes sure of the table or topic. Called once before the first export, and again after it failed. */
  open?(options: OperationOptions): Promise<void>;
  /** Makes the store true to the snapshot. The same snapshot twice leaves the store as once. */
  export(snapshot: InventorySnapshot, options: ExportOptions): Promise<ExportResult>;
  /** What `export` would do now; writes nothing. */
  plan?(snapshot: InventorySnapshot, options: ExportOptions): Promise<ExportPlan>;
  /** Takes the inventory out of the store; `superseded` where the store holds a newer snapshot of it, `unchanged` where it holds none. */
  removeInventory?(scope: Scope, options: RemoveInventoryOptions): Promise<ExportResult>;
  /** Tries each step from name resolution to privileges; writes nothing that remains. Rejects only when aborted. */
  testConnection(options: OperationOptions): Promise<ConnectionReport>;
  /** Frees every socket and timer. May be called twice, and while an export runs, which then fails. */
  close(): Promise<void>;
}

/** How deletes reach the store: by replacing the document, by deleting rows, or by the next event. */
export type SinkRole = 'snapshot-store' | 'relational-store' | 'event-emitter';

/** What a sink type can do beyond exporting; the conformance suite checks each claim. What is left out is false. */
export interface SinkCapabilities {
  /** An older snapshot that arrives after a newer one is refused as `superseded`. Default false. */
  readonly fenced?: boolean;
  /** What a newer snapshot no longer holds is gone from the store. Default false. */
  readonly deletes?: boolean;
  /** Its sinks have `plan`. Default false. */
  readonly plan?: boolean;
  /** Its sinks have `removeInventory`. Default false: what was stored stays when an inventory is removed. */
  readonly removeInventory?: boolean;
}

/** One field that a sink reads from its credentials. */
export interface CredentialField {
  /** Key in the credentials: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** What it is, for people. */
  readonly description: string;
  /** False where a message may show the value, such as a host. */
  readonly secret: boolean;
  /** Fields of one form belong together, and those of two forms exclude each other. Left out: it goes with every form. */
  readonly form?: string;
}

/** What a span says; names follow the semantic conventions of OpenTelemetry where they have one. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;
