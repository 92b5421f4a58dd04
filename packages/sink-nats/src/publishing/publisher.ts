import { setTimeout as delay } from 'node:timers/promises';
import { formatScope, SinkError, type ExportOutcome, type Scope } from '@kollect/core';
import { showText, type HeldClient, type OperationScope } from '@kollect/core/authoring';
import { readHead, type Head } from '../jetstream/head.ts';
import type { StreamState, StreamStates } from '../jetstream/stream-state.ts';
import type { NatsClient } from '../nats-client.ts';
import type { ResolvedNatsSpec } from '../nats-spec.ts';
import { failureKind, jetStreamCode } from '../wire/failure.ts';
import type { Publication } from './messages.ts';
import { send } from './send.ts';
import { createSlots } from './slots.ts';

/** What an operation wants of a subject. */
export interface Intent {
  readonly inventory: Scope;
  readonly subject: string;
  /** What is to be done where the subject ends with this message; `write` says what comes out where it is written. */
  readonly decide: (head: Head) => ExportOutcome | { readonly write: ExportOutcome };
  readonly publication: (state: StreamState) => Publication;
}

export interface Published {
  readonly outcome: ExportOutcome;
  readonly messages: number;
  readonly bytes: number;
  /** Absent where nothing was written, or it is not known where. */
  readonly reference?: string;
}

export interface Publisher {
  /** Writes behind the fence; a lost race reads the head again and decides again. */
  publish(scope: OperationScope, intent: Intent): Promise<Published>;
  head(scope: OperationScope, subject: string): Promise<Head>;
}

/** How often the head may change under an export before somebody else gets the turn. */
const maxRounds = 20;
const duplicateInBatch = 10201;
const lostRaces: ReadonlySet<number | undefined> = new Set([10071, 10164, duplicateInBatch]);
/** The stream is gone or another one, takes smaller messages than before, or no batches any more. */
const changes: ReadonlySet<number | undefined> = new Set([10054, 10059, 10060, 10174]);
const mostInBatch = 1000;
/** A stream has fifty open at most. */
const batchesAtOnce = 16;
const maxHeads = 10_000;

export interface PublisherOptions {
  readonly spec: ResolvedNatsSpec;
  readonly clients: HeldClient<NatsClient>;
  readonly streams: StreamStates;
}

export function createPublisher({ spec, clients, streams }: PublisherOptions): Publisher {
  const batches = createSlots(batchesAtOnce);
  /** What this sink wrote last: another export of the same inventory need not ask. */
  const heads = new Map<string, Head>();
  const remember = (subject: string, head: Head): void => {
    heads.delete(subject);
    heads.set(subject, head);
    const [oldest] = heads.keys();
    if (heads.size > maxHeads && oldest !== undefined) heads.delete(oldest);
  };
  const head: Publisher['head'] = (scope, subject) =>
    clients.use(scope, (client) => readHead(client, spec.stream, subject));

  const attempt = async (
    scope: OperationScope,
    publication: Publication,
    state: StreamState,
    expected: number,
    round: number,
  ) => {
    const work = () =>
      clients.use(scope, (client) =>
        send(publication, { client, scope, stream: spec.stream, expected, round, atomic: state.atomic }),
      );
    return publication.total > 1 && state.atomic ? batches.run(scope, work) : work();
  };

  return {
    head,
    publish: async (scope, { inventory, subject, decide, publication: prepare }) => {
      let duplicates = 0;
      let changed = 0;
      let attempted: Published | undefined;
      let identity = '';
      for (let round = 1; round <= maxRounds; round += 1) {
        try {
          const state = await streams.known(scope);
          const remembered = heads.get(subject);
          let found = remembered ?? (await head(scope, subject));
          let decision = decide(found);
          // What others may have written since counts, before nothing is written.
          if (typeof decision === 'string' && remembered !== undefined) {
            found = await head(scope, subject);
            decision = decide(found);
          }
          remember(subject, found);
          if (attempted !== undefined && found.whole && found.messageId?.startsWith(identity) === true)
            return { ...attempted, reference: referenceOf(spec, found.sequence) };
          if (typeof decision === 'string') return { outcome: decision, messages: 0, bytes: 0 };
          const publication = prepare(state);
          ({ identity } = publication);
          refuseParts(inventory, publication, state, spec);
          const sent = await attempt(scope, publication, state, found.sequence, duplicates);
          const result = { outcome: decision.write, messages: publication.total, bytes: sent.bytes };
          if (!sent.duplicate) {
            remember(subject, sent.head);
            return { ...result, reference: referenceOf(spec, sent.head.sequence) };
          }
          attempted = result;
          duplicates += 1;
        } catch (error) {
          scope.throwIfEnded();
          heads.delete(subject);
          const code = jetStreamCode(error);
          const hasChanged = hasChangedBy(error);
          if (!lostRaces.has(code)) streams.forget();
          if (code === duplicateInBatch) duplicates += 1;
          // Whether a message arrived whose answer was lost, the next attempt sees at the head: nothing is tried again here.
          if (!lostRaces.has(code) && !(hasChanged && (changed += 1) === 1)) throw error;
        }
        heads.delete(subject);
        await delay(Math.random() * 5 * round, undefined, { signal: scope.signal });
      }
      throw new SinkError(
        'OVERLOADED',
        `The head of inventory ${formatScope(inventory)} changed ${maxRounds} times while it was to be written: let fewer exporters write one inventory.`,
        { sinkType: 'nats' },
      );
    },
  };
}

/** True where the stream is not what it was when it was looked at; nobody answers where no stream takes the subject any more. */
function hasChangedBy(error: unknown): boolean {
  return changes.has(jetStreamCode(error)) || ['no-responders', 'payload'].includes(String(failureKind(error)));
}

function referenceOf({ stream }: ResolvedNatsSpec, sequence: number): string {
  return `${stream}/${sequence}`;
}

/** What the stream would not keep whole. */
function refuseParts(
  inventory: Scope,
  { total, rollsUp }: Publication,
  state: StreamState,
  spec: ResolvedNatsSpec,
): void {
  const why = ((): string | undefined => {
    if (total === 1) return undefined;
    if (state.atomic && total > mostInBatch) return `a batch takes ${mostInBatch}`;
    if (rollsUp && !state.atomic)
      return 'without atomic batches, which need allow_atomic and NATS 2.12, they cannot take the place of the last snapshot together';
    return state.maxPerSubject !== undefined && total > state.maxPerSubject
      ? `the stream keeps ${state.maxPerSubject} of a subject (max_msgs_per_subject)`
      : undefined;
  })();
  if (why === undefined) return;
  throw new SinkError(
    'PAYLOAD_TOO_LARGE',
    `Inventory ${formatScope(inventory)} needs ${total} messages of at most ${state.maxMessageBytes} bytes in stream ${showText(spec.stream)}, and ${why}.`,
    {
      sinkType: 'nats',
      remedy:
        'Raise max_payload of the server with max_msg_size of the stream and spec.nats.maxMessageBytes, or change the stream.',
    },
  );
}
