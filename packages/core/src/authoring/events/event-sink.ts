import { setTimeout as delay } from 'node:timers/promises';
import {
  anObject,
  aPositiveNumber,
  checkOptions,
  objectWith,
  required,
  someText,
} from '../../contract/errors/check-options.ts';
import { refuseFutureTime } from '../../contract/clock.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { formatScope } from '../../contract/snapshot/scope.ts';
import type { ExportOutcome, ExportResult, KollectSink } from '../../contract/sink.ts';
import type { InventorySnapshot } from '../../contract/snapshot/snapshot.ts';
import { noDifference } from '../documents/compare-items.ts';
import type { OperationScope } from '../operations/operation-scope.ts';
import type { Operations } from '../operations/operations.ts';
import type { EventChannel } from './event-channel.ts';
import type { EventHead } from './event-head.ts';
import { counted, exportIntent, removalIntent, type EventIntent } from './event-intent.ts';
import type { EventMessageOptions } from './event-messages.ts';
import { createLatestMap } from './latest-map.ts';
import { createPublishedTimes } from './published-times.ts';

export interface EventSinkOptions {
  readonly operations: Pick<Operations, 'run'>;
  readonly channel: EventChannel;
  /** What every message is like. */
  readonly message: EventMessageOptions;
  /** Where the events go, for messages: `stream "inventory"`. */
  readonly where: string;
  /** Limit of each operation, in milliseconds. Default: that of its caller alone. */
  readonly timeoutMs?: number;
  /** The field of the spec that sets it: `spec.nats.deliveryTimeout`. */
  readonly timeoutField?: string;
}

/** The operations of a KollectSink that its channel decides about; `plan` is there where the channel tells its head. */
export type EventSink = Required<Pick<KollectSink, 'export' | 'removeInventory'>> & Pick<KollectSink, 'plan'>;

/** How often the head may change under an operation before somebody else gets the turn. */
const maxRounds = 20;
/** Of so many inventories this process knows the head, the latest: their next export need not ask. */
const maxHeads = 10_000;

/**
 * Announces snapshots on a channel, never an older one after a newer: what is older is superseded, what the last event says already is not sent
 * again, and a lost race reads the head again and decides again. Where the channel tells no head, that holds for what this process sent.
 */
export function createEventSink(given: EventSinkOptions): EventSink {
  const { operations, channel, message, where, ...limits } = checkOptions<EventSinkOptions>(given, kinds, {
    of: 'The options of createEventSink',
    code: 'CONTRACT_VIOLATION',
  });
  const heads = createLatestMap<EventHead>(maxHeads);
  // What an export found unchanged is nowhere in the channel: of this process alone it is known.
  const seen = createPublishedTimes();

  const decideAnew = async (intent: EventIntent, operation: OperationScope) => {
    const head = await channel.head?.(intent.inventory, operation);
    return { head, ...intent.decide(channel.head === undefined ? 'unknown' : head) };
  };
  /** Undefined where the head must be asked: what others may have sent since counts, before nothing is sent. */
  const decideNow = (intent: EventIntent) => {
    const head = heads.get(intent.key);
    const decided = head === undefined ? undefined : intent.decide(head);
    return decided?.send === true ? { head, ...decided } : undefined;
  };
  const announce = async (intent: EventIntent, operation: OperationScope): Promise<Omit<ExportResult, 'counts'>> => {
    const { key, what, state } = intent;
    const isCurrent = (): boolean => !seen.isOlder(key, state.time);
    const onSent = (): void => seen.record(key, state.time, what);
    const ended = (outcome: ExportOutcome, head: EventHead | undefined): { readonly outcome: ExportOutcome } => {
      if (head !== undefined) heads.set(key, head);
      if (outcome !== 'superseded') onSent();
      return { outcome };
    };
    for (let conflicts = 0; conflicts < maxRounds; conflicts += 1) {
      const { head, outcome, send } = decideNow(intent) ?? (await decideAnew(intent, operation));
      if (!send) return { ...ended(outcome, head), messages: 0, bytes: 0 };
      // Where it throws or conflicts, nobody knows what the last event is: then the head is asked again.
      heads.delete(key);
      const { event, sent } = counted(intent.event());
      const result = await channel.send(event, { after: head, conflicts, isCurrent, onSent, operation });
      if (result.outcome === 'sent') {
        const { version, reference } = result;
        const written = version === undefined ? undefined : { ...state, version };
        return { ...ended(outcome, written), ...sent, ...(reference === undefined ? {} : { reference }) };
      }
      operation.throwIfEnded();
      await delay(Math.random() * 5 * (conflicts + 1), undefined, { signal: operation.signal });
    }
    throw new SinkError(
      'OVERLOADED',
      `The head of inventory ${formatScope(intent.inventory)} changed ${maxRounds} times while it was to be written: let fewer exporters write one inventory.`,
    );
  };

  const plan: NonNullable<EventSink['plan']> = (snapshot, { signal }) => {
    const doing = `planning an export of inventory ${formatScope(snapshot)} to ${where}`;
    return operations.run({ operation: 'plan', doing, signal, ...limits }, async (operation) => {
      refuseFutureTime('exportedAt', snapshot.exportedAt, new Date());
      const { outcome } = await decideAnew(exportIntent(snapshot, message, seen), operation);
      const keys = snapshot.items.slice(0, 10).map(({ targetName, uid }) => ({ targetName, uid }));
      const inserted = outcome === 'applied' ? keys : [];
      return { outcome, counts: countsOf(outcome, snapshot), samples: { inserted, updated: [], deleted: [] } };
    });
  };

  return {
    export: (snapshot, { signal }) => {
      const doing = `exporting inventory ${formatScope(snapshot)} to ${where}`;
      return operations.run({ operation: 'export', doing, signal, ...limits }, async (operation) => {
        refuseFutureTime('exportedAt', snapshot.exportedAt, new Date());
        const result = await announce(exportIntent(snapshot, message, seen), operation);
        return { ...result, counts: countsOf(result.outcome, snapshot) };
      });
    },
    ...(channel.head === undefined ? {} : { plan }),
    removeInventory: (inventory, { signal, removedAt }) => {
      const doing = `removing inventory ${formatScope(inventory)} from ${where}`;
      return operations.run({ operation: 'remove-inventory', doing, signal, ...limits }, async (operation) => {
        refuseFutureTime('removedAt', removedAt, new Date());
        const result = await announce(removalIntent(inventory, { ...message, removedAt }, seen), operation);
        return { ...result, counts: noDifference.counts };
      });
    },
  };
}

const kinds = {
  operations: required(objectWith('run')),
  channel: required(objectWith('send')),
  message: required(anObject),
  where: required(someText),
  timeoutMs: aPositiveNumber,
  timeoutField: someText,
};

function countsOf(outcome: ExportOutcome, { items }: InventorySnapshot): ExportResult['counts'] {
  const { counts } = noDifference;
  if (outcome === 'applied') return { ...counts, inserted: items.length };
  return outcome === 'unchanged' ? { ...counts, unchanged: items.length } : counts;
}
