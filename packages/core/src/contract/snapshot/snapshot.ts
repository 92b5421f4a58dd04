/** A value that JSON can carry. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Who a collected resource is, and which target collected it. */
export interface ItemIdentity {
  /** Namespace of the target resource that selected the object. */
  readonly targetNamespace: string;
  readonly targetName: string;
  /** Namespace of the object itself; empty for a cluster-scoped one. */
  readonly namespace: string;
  readonly name: string;
  /** API group; absent for the core group. */
  readonly group?: string;
  readonly version: string;
  readonly kind: string;
  readonly uid: string;
}

/** One collected resource, as an operator hands it to `sealSnapshot`. */
export interface Item extends ItemIdentity {
  /** What was extracted from the object; any JSON object. */
  readonly attributes: { readonly [key: string]: unknown };
}

/** What one snapshot owns in a shared store; nothing outside the scope is ever touched. */
export interface Scope {
  /** Absent where a store serves a single cluster. */
  readonly cluster?: string;
  readonly inventoryNamespace: string;
  readonly inventoryName: string;
}

/** One item of a sealed snapshot. Its bytes were copied when the snapshot was sealed, so nobody can change them. */
export interface SealedItem extends ItemIdentity {
  /** Canonical JSON (RFC 8785) of the whole item, UTF-8. Read it only: it is a view into memory that every sink shares. */
  readonly json: Uint8Array;
  /** Parsed anew at each access: a copy that the reader owns. */
  readonly attributes: { readonly [key: string]: JsonValue };
}

/** All items of one scope at one moment: validated, in canonical order, with a checksum. Made by `sealSnapshot` alone. */
export interface InventorySnapshot extends Scope {
  /** `metadata.generation` of the inventory's resource. */
  readonly generation: number;
  /** RFC 3339 in UTC with milliseconds, `2026-01-31T12:00:00.000Z`. */
  readonly exportedAt: string;
  /** Lower-case hex SHA-256 of the canonical `items` array. */
  readonly checksum: string;
  readonly items: readonly SealedItem[];
  /** Bytes of the canonical `items` array. */
  readonly itemsByteLength: number;
  /** Names of targets whose listing was cut short, sorted: their items are upserted and never deleted. */
  readonly incompleteTargets: readonly string[];
}
