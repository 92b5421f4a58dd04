import {
  aBoolean,
  aFunction,
  anObject,
  aPositiveNumber,
  checkOptions,
  type OptionKinds,
} from '../../contract/errors/check-options.ts';
import { refuseFutureTime } from '../../contract/clock.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { parseDocumentInSlices, type InventoryDocument } from '../../contract/document/read-document.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import { kafkaBinding, type EventBinding } from './event-binding.ts';
import { headerOf, positionOf, textOf, type IncomingMessage, type MessagePosition } from './incoming-message.ts';
import { isWhole, joinPartSet } from './join-part-set.ts';
import { formatMessageKey, parseMessageKey } from './message-key.ts';
import { createPendingParts, type PartSet } from './pending-parts.ts';
import type { InventoryEvent, RemovedEvent, SkippedEvent, SkipReason, SnapshotEvent } from './read-events.ts';
import { createScopeFence, shortened } from './scope-fence.ts';

export interface ReadSnapshotsOptions {
  /** Leaves out a newer export that says what the last one said. Default false. */
  readonly skipUnchanged?: boolean;
  /** Bytes of one message; a larger one is not looked into. Default 128 MiB. */
  readonly maxValueBytes?: number;
  /** Bytes of parts that may wait for the rest of their snapshots, a part counting 1 KiB at least. In memory they take up to three times as much. Default 128 MiB. */
  readonly maxPendingBytes?: number;
  /** Messages of its partition after which a snapshot that got no further part is given up. Default 10 000. */
  readonly maxPendingMessages?: number;
  /** The clock that tells an `exportedAt` in the future. Default: this machine's. */
  readonly now?: () => Date;
  /** How the transport names headers. Default: as Kafka and NATS do. */
  readonly binding?: Pick<EventBinding, 'names'>;
}

const kinds: OptionKinds<ReadSnapshotsOptions> = {
  skipUnchanged: aBoolean,
  maxValueBytes: aPositiveNumber,
  maxPendingBytes: aPositiveNumber,
  maxPendingMessages: aPositiveNumber,
  now: aFunction,
  binding: anObject,
};

/**
 * The consumer's half: what the messages of one or more partitions say, in their order. Joins parts, verifies checksums, and turns whatever
 * is not news into `skipped`; a message that makes no sense never ends it. Rejects only where `messages` does.
 */
export async function* readSnapshots(
  messages: AsyncIterable<IncomingMessage> | Iterable<IncomingMessage>,
  options?: ReadSnapshotsOptions,
): AsyncGenerator<InventoryEvent, void, undefined> {
  const of = 'The options of readSnapshots';
  const reader = createReader(checkOptions<ReadSnapshotsOptions>(options, kinds, { of, operation: 'read' }));
  for await (const message of messages) yield* await reader.read(message);
  yield* reader.end();
}

interface Reader {
  read(message: IncomingMessage): Promise<readonly InventoryEvent[]>;
  /** What was still waited for. */
  end(): readonly InventoryEvent[];
}

interface Received {
  /** Inventories of two topics are two. */
  readonly stateKey: string;
  readonly key: string;
  readonly lane: string;
  readonly message: IncomingMessage;
  readonly position: MessagePosition | undefined;
}

type News = SnapshotEvent | RemovedEvent;

/** A set whose parts were so often not those of one snapshot is given up: each attempt reads all of them. */
const maxFailures = 16;

function createReader({
  skipUnchanged = false,
  maxValueBytes = 128 * 1024 * 1024,
  maxPendingBytes = 128 * 1024 * 1024,
  maxPendingMessages = 10_000,
  now = () => new Date(),
  binding: { names } = kafkaBinding,
}: ReadSnapshotsOptions): Reader {
  const fence = createScopeFence({ skipUnchanged });
  const pending = createPendingParts({ maxBytes: maxPendingBytes, maxMessages: maxPendingMessages });

  const readRemoval = ({ stateKey, key, message }: Received): News | SkippedEvent => {
    const scope = parseMessageKey(key);
    const removedAt = removalTime(names.removedAt, headerOf(message.headers, names.removedAt), now());
    const time = removedAt === undefined ? undefined : { removedAt };
    const verdict = fence.judgeRemoval(stateKey, removedAt);
    if (verdict !== undefined) return { type: 'skipped', reason: verdict, scope };
    fence.removed(stateKey, removedAt);
    return { type: 'removed', scope, ...time };
  };

  const readDocument = async (
    received: Received,
    value: Uint8Array | string,
  ): Promise<News | SkippedEvent | undefined> => {
    const bytes = typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength;
    if (bytes > maxValueBytes) return { type: 'skipped', reason: 'limit', scope: parseMessageKey(received.key) };
    const document = await parseDocumentInSlices(value);
    refuseForeignKey(received.key, document);
    refuseFutureTime('exportedAt', document.exportedAt, now());
    const verdict = fence.judge(received.stateKey, document);
    if (verdict !== undefined) return { type: 'skipped', reason: verdict, ...nameOf(document) };
    if (document.partTotal === undefined) return deliver(received.stateKey, document);
    const { stateKey, lane, position } = received;
    const set = pending.add({ key: stateKey, lane, document, bytes, position });
    if (!isWhole(set)) return undefined;
    try {
      return deliver(stateKey, await joinPartSet(set), set);
    } catch (error) {
      // The set keeps waiting: one of its parts may be from another attempt, and the right one may follow.
      if (++set.failures >= maxFailures) pending.remove(set);
      return { ...skippedSet('invalid', set), error: asReadError(error) };
    }
  };

  const deliver = (stateKey: string, document: InventoryDocument, set?: PartSet): News => {
    if (set !== undefined) pending.remove(set);
    fence.delivered(stateKey, document);
    const complete = (document.incompleteTargets ?? []).length === 0;
    return { type: 'snapshot', scope: scopeOf(document), document, complete };
  };

  const readOne = async (received: Received): Promise<News | SkippedEvent | undefined> => {
    const { value } = received.message;
    try {
      return value === null || value === undefined ? readRemoval(received) : await readDocument(received, value);
    } catch (error) {
      return { type: 'skipped', reason: 'invalid', error: asReadError(error) };
    }
  };

  const committable = (lane: string, position: MessagePosition): MessagePosition => {
    const next = position.offset + 1n;
    const first = pending.firstOffset(lane);
    return { ...position, offset: first !== undefined && first < next ? first : next };
  };

  return {
    async read(message) {
      const received = receive(message);
      const { stateKey, lane, position } = received;
      pending.passed(lane);
      const event = await readOne(received);
      const outdating = event === undefined ? undefined : outdatedBy(event);
      // The snapshot is yielded before the skipped sets: who commits the offset of a later event has processed it by then.
      const events = [
        ...(event === undefined ? [] : [event]),
        ...(outdating === undefined
          ? []
          : pending.dropOutdated(stateKey, outdating).map((set) => skippedSet('torn', set))),
        ...pending.dropStale(lane).map((set) => skippedSet('torn', set)),
        ...pending.dropExcess().map((set) => skippedSet('limit', set)),
      ];
      return position === undefined
        ? events
        : events.map((event) => ({ ...event, position, committable: committable(lane, position) }));
    },
    end: () => pending.all().map((set) => skippedSet('incomplete', set)),
  };
}

function asReadError(error: unknown): SinkError {
  return SinkError.from(error, { operation: 'read' });
}

function receive(message: IncomingMessage): Received {
  const { topic = '', partition = 0 } = message;
  // No key of this sink is empty.
  const key = textOf(message.key) ?? '';
  // No topic holds a space.
  return {
    key,
    stateKey: shortened(`${topic} ${key}`),
    lane: `${topic} ${partition}`,
    message,
    position: positionOf(message),
  };
}

/** What makes snapshots of its scope old; undefined for what is no news, or does not say when. */
function outdatedBy(event: News | SkippedEvent): { readonly time: string; readonly checksum?: string } | undefined {
  if (event.type === 'snapshot') return { time: event.document.exportedAt, checksum: event.document.checksum };
  return event.type === 'skipped' || event.removedAt === undefined ? undefined : { time: event.removedAt };
}

function removalTime(header: string, text: string | undefined, now: Date): string | undefined {
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new SinkError(
      'SNAPSHOT_INVALID',
      `The header ${header} is no time; expected RFC 3339 in UTC with milliseconds.`,
    );
  refuseFutureTime('removedAt', text, now);
  return text;
}

function refuseForeignKey(key: string, document: InventoryDocument): void {
  const expected = formatMessageKey(document);
  if (key === expected) return;
  throw new SinkError(
    'SNAPSHOT_INVALID',
    `The message holds inventory ${expected} under another key; expected the inventory's own, which decides its partition.`,
  );
}

function skippedSet(reason: SkipReason, { document, parts }: PartSet): SkippedEvent {
  return {
    type: 'skipped',
    reason,
    ...nameOf(document),
    parts: { received: parts.size, total: document.partTotal ?? 1 },
  };
}

function nameOf(document: InventoryDocument): Pick<SkippedEvent, 'scope' | 'exportedAt' | 'checksum'> {
  return { scope: scopeOf(document), exportedAt: document.exportedAt, checksum: document.checksum };
}

function scopeOf({ cluster, inventoryNamespace, inventoryName }: Scope): Scope {
  return { ...(cluster === undefined ? undefined : { cluster }), inventoryNamespace, inventoryName };
}
