import type { SinkError } from '../contract/errors/errors.ts';
import type { InventorySnapshot, Item, Scope } from '../contract/snapshot/snapshot.ts';
import type { ItemFromObjectOptions, KubernetesObject } from '../resources/item-from-object.ts';
import type { TargetName } from './held-target.ts';

export interface InventoryOptions {
  /** As in `sealSnapshot`: replaces what would be refused because of the data. Default false. */
  readonly sanitize?: boolean;
  /**
   * What becomes of an item that cannot be stored. `refuse`, the default: SNAPSHOT_INVALID is thrown and nothing changes. `leave-out`: the
   * inventory goes on without it, and its target counts as incomplete until a good one comes, so that stores keep what they have.
   */
  readonly onInvalid?: 'refuse' | 'leave-out';
}

/** Which item: an object once per target. */
export interface InventoryKey {
  readonly target: TargetName;
  readonly uid: string;
}

export interface InventorySealOptions {
  /** `metadata.generation` of the inventory's resource: a safe integer, 0 or more. */
  readonly generation: number;
  /** RFC 3339 with any offset, or a Date; now by default. */
  readonly exportedAt?: string | Date;
  /** Ends sealing with ABORTED at the next pause. */
  readonly signal?: AbortSignal;
}

export interface ReplaceOptions {
  /** Ends the replacement with ABORTED at the next pause; nothing has changed then. */
  readonly signal?: AbortSignal;
}

/** How many items a replacement added, changed and took away. */
export interface ReplacementCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * One scope's items as the operator holds them: each is encoded once, when it changes, and sealing costs what changed and one hash.
 * All methods may be called at any time, while a seal or a replacement runs too.
 */
export interface Inventory {
  readonly scope: Scope;
  /** Items held. */
  readonly size: number;
  /** Bytes of the canonical `items` array, as `itemsByteLength` of a snapshot sealed now. */
  readonly bytes: number;
  /** Bytes of memory reserved for them: at most a quarter more, and two pools. */
  readonly reservedBytes: number;
  /** Targets as `namespace/name` of which not everything is known, sorted. */
  readonly incompleteTargets: readonly string[];
  /** Why items were left out, the newest last; at most 100 are kept. */
  readonly leftOut: readonly SinkError[];
  /** Adds or replaces an item; false where it is held already with equal content. Throws SNAPSHOT_INVALID. */
  set(item: Item): boolean;
  /**
   * The same for an object of the API. One whose `resourceVersion` is held already costs nothing, as long as `attributes` is the same value as
   * before: give the same options for all objects of a target, which are then read once.
   */
  setObject<T extends KubernetesObject>(object: T, options: ItemFromObjectOptions<T>): boolean;
  /** False where no such item is held. */
  delete(key: InventoryKey): boolean;
  /**
   * Makes the target hold these items alone, as after a relist; all of them, or with an error none. What `set` and `delete` did to the target
   * since the call is newer and stays. Ends the mark that the target is incomplete.
   */
  replaceTarget(target: TargetName, items: Iterable<Item>, options?: ReplaceOptions): Promise<ReplacementCounts>;
  /** The same for objects of the API, which `setObject` describes. */
  replaceObjects<T extends KubernetesObject>(
    objects: Iterable<T>,
    options: ItemFromObjectOptions<T>,
    run?: ReplaceOptions,
  ): Promise<ReplacementCounts>;
  /** From now on not everything is known of the target: its rows are upserted and never deleted. */
  markIncomplete(target: TargetName): void;
  markComplete(target: TargetName): void;
  /** The snapshot that `sealSnapshot` would make of the items held at the call. It shares their memory and never changes. */
  seal(options: InventorySealOptions): Promise<InventorySnapshot>;
}
