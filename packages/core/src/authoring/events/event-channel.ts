import type { Scope } from '../../contract/snapshot/snapshot.ts';
import type { OperationScope } from '../operations/operation-scope.ts';
import type { EventHead } from './event-head.ts';
import type { SnapshotMessageOptions, SnapshotMessages } from './event-messages.ts';

export type MessageLimits = Pick<SnapshotMessageOptions, 'maxMessageBytes' | 'messageBytes'>;

/** What one operation sends: a snapshot, or that its inventory was removed. */
export interface OutgoingEvent {
  readonly inventory: Scope;
  /** Of all its messages: see `formatMessageKey`. */
  readonly key: string;
  /** False where the listing of some targets was cut short: then it adds to what was sent before, and does not take its place. */
  readonly complete: boolean;
  /** A hash, the same for the same content at the same time, whoever sends it. `where` tells places apart that one receiver must not take for one. */
  id(where?: string): string;
  /** To be sent in this order; a removal is one without a value. Default: one message of any size. PAYLOAD_TOO_LARGE where an item fits into none. */
  messages(limits?: MessageLimits): Pick<SnapshotMessages, 'total' | 'messages'>;
}

export interface SendEventOptions {
  /** Sent only where this is still the last event of the inventory, compared in one step with the sending. Undefined: where there is none. */
  readonly after: EventHead | undefined;
  /** Conflicts that the operation met so far: an id that the receiver remembers does not say that it still holds the message. */
  readonly conflicts: number;
  /** For a channel in which events wait for their turn: false where this process sent a newer one meanwhile, which is a conflict. */
  readonly isCurrent: () => boolean;
  /** For the same: to be called when the receiver has the event, before another has its turn, also where nobody waits for it any more. */
  readonly onSent: () => void;
  readonly operation: OperationScope;
}

export type SendEventResult =
  | {
      readonly outcome: 'sent';
      /** What `head` gives for it from now on. Absent where that is not known. */
      readonly version?: string;
      /** For `ExportResult.reference`. */
      readonly reference?: string;
    }
  /** Another event is the last one by now, or the receiver takes this one for a repeated one: the head tells. */
  | { readonly outcome: 'conflict' };

/**
 * Where events go: what an author writes for a broker or an endpoint. Each call is one attempt and throws whatever the sink's classifier
 * understands. Where an answer was lost, nothing is to be guessed: the next attempt finds the event at the head, or sends it.
 */
export interface EventChannel {
  /** The last event of the inventory, whoever sent it; undefined where there is none. Left out where nobody can be asked: then all that is known is what this process sent. */
  head?(inventory: Scope, operation: OperationScope): Promise<EventHead | undefined>;
  send(event: OutgoingEvent, options: SendEventOptions): Promise<SendEventResult>;
}
