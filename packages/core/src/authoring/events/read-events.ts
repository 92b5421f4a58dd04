import type { SinkError } from '../../contract/errors/errors.ts';
import type { InventoryDocument } from '../../contract/document/read-document.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import type { MessagePosition } from './incoming-message.ts';

interface ReadEvent {
  /** The message that led to the event; absent where it has no offset, and at the end of the messages. */
  readonly position?: MessagePosition;
  /**
   * The offset to commit for this partition once this event and all before it are dealt with: whoever starts there misses nothing. Absent
   * where `position` is.
   */
  readonly committable?: MessagePosition;
}

/** An inventory has a new snapshot. */
export interface SnapshotEvent extends ReadEvent {
  readonly type: 'snapshot';
  readonly scope: Scope;
  /** Whole and verified; `snapshotFromDocument` makes a snapshot for a sink of it. */
  readonly document: InventoryDocument;
  /**
   * False where the listing of some targets was cut short. What is absent of those is not gone: `mergeItems(event.document, previous)` says
   * what the inventory holds now.
   */
  readonly complete: boolean;
}

/** An inventory is no more. */
export interface RemovedEvent extends ReadEvent {
  readonly type: 'removed';
  readonly scope: Scope;
  /** RFC 3339; absent where the tombstone does not say. */
  readonly removedAt?: string;
}

/**
 * `duplicate`: delivered already. `superseded`: older than what was delivered. `unchanged`: says what the last one said, and
 * `skipUnchanged` is set. `torn`: some parts came, and then a newer snapshot or too many other messages. `limit`: it, or its parts, were too
 * much to hold. `incomplete`: the messages ended before its last part. `invalid`: no message of this sink, or damaged.
 */
export type SkipReason = 'duplicate' | 'superseded' | 'unchanged' | 'torn' | 'limit' | 'incomplete' | 'invalid';

/** A message, or a set of parts, that leads to nothing. */
export interface SkippedEvent extends ReadEvent {
  readonly type: 'skipped';
  readonly reason: SkipReason;
  readonly scope?: Scope;
  readonly exportedAt?: string;
  readonly checksum?: string;
  /** How many parts were there, of how many. */
  readonly parts?: { readonly received: number; readonly total: number };
  /** With `invalid`: what was wrong. */
  readonly error?: SinkError;
}

export type InventoryEvent = SnapshotEvent | RemovedEvent | SkippedEvent;
