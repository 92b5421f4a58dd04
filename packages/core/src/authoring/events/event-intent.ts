import { hash } from 'node:crypto';
import type { ExportOutcome } from '../../contract/sink.ts';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';
import type { OutgoingEvent } from './event-channel.ts';
import { holds, isOlder, removalState, snapshotState, type EventState, type OwnEventState } from './event-head.ts';
import { messagesOf, removalMessage, type EventMessageOptions, type SnapshotMessages } from './event-messages.ts';
import { formatMessageKey } from './message-key.ts';
import type { PublishedTimes } from './published-times.ts';

/** What an operation wants of the events of an inventory. */
export interface EventIntent {
  readonly inventory: Scope;
  readonly key: string;
  readonly what: 'snapshot' | 'removal';
  /** What the last event says once this one is sent. */
  readonly state: OwnEventState;
  /** What comes of it, and whether an event is to be sent for it. `last` is undefined where there is none, `unknown` where nobody can be asked. */
  decide(last: EventState | undefined | 'unknown'): { readonly outcome: ExportOutcome; readonly send: boolean };
  event(): OutgoingEvent;
}

const nothing = (outcome: ExportOutcome) => ({ outcome, send: false });
const sending = (outcome: ExportOutcome) => ({ outcome, send: true });

export function exportIntent(
  snapshot: InventorySnapshot,
  message: EventMessageOptions,
  seen: PublishedTimes,
): EventIntent {
  const { exportedAt, checksum, generation, incompleteTargets } = snapshot;
  const key = formatMessageKey(snapshot);
  const state = snapshotState(snapshot);
  const { complete, time } = state;
  const headers = complete ? message.headers : { ...message.headers, [message.binding.names.complete]: 'false' };
  return {
    inventory: snapshot,
    key,
    what: 'snapshot',
    state,
    decide: (last) => {
      const known = last === 'unknown' ? undefined : last;
      if (isOlder(time, known) || seen.isOlder(key, time)) return nothing('superseded');
      return holds(known, state) ? nothing('unchanged') : sending('applied');
    },
    event: () => ({
      inventory: snapshot,
      key,
      complete,
      id: idOf([key, exportedAt, checksum, generation, ...incompleteTargets]),
      messages: ({ maxMessageBytes, messageBytes } = { maxMessageBytes: Infinity, messageBytes: () => 0 }) =>
        messagesOf(key, snapshot, { ...message, headers, maxMessageBytes, messageBytes }),
    }),
  };
}

export function removalIntent(
  inventory: Scope,
  message: EventMessageOptions & { readonly removedAt: string },
  seen: PublishedTimes,
): EventIntent {
  const key = formatMessageKey(inventory);
  const state = removalState(message.removedAt);
  const { time } = state;
  return {
    inventory,
    key,
    what: 'removal',
    state,
    decide: (last) => {
      const known = last === 'unknown' ? undefined : last;
      const isGone = known === undefined ? seen.isRemoved(key) : known.removed;
      const isLate = isOlder(time, known) || seen.isOlder(key, time);
      // What is gone already is not kept by a newer removal: nothing is left to supersede.
      if (isGone && (isLate || known?.time === time)) return nothing('unchanged');
      if (isLate) return nothing('superseded');
      return sending(isGone || last === undefined ? 'unchanged' : 'applied');
    },
    event: () => ({
      inventory,
      key,
      complete: true,
      id: idOf([key, 'removed', time]),
      messages: () => {
        const only = removalMessage(inventory, message);
        return { total: 1, messages: () => [only] };
      },
    }),
  };
}

function idOf(identity: readonly (string | number)[]): OutgoingEvent['id'] {
  return (where = '') => hash('sha256', JSON.stringify([where, ...identity]));
}

/** The event, whose messages are counted while they are taken, and their bytes. */
export function counted(event: OutgoingEvent) {
  const sent = { messages: 0, bytes: 0 };
  const count = function* ({ messages }: Pick<SnapshotMessages, 'messages'>): ReturnType<typeof messages> {
    Object.assign(sent, { messages: 0, bytes: 0 });
    for (const message of messages()) {
      sent.messages += 1;
      sent.bytes += message.value?.byteLength ?? 0;
      yield message;
    }
  };
  const messages: OutgoingEvent['messages'] = (limits) => {
    const made = event.messages(limits);
    return { total: made.total, messages: () => count(made) };
  };
  return { event: { ...event, messages }, sent };
}
