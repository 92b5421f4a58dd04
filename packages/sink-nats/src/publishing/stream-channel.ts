import { formatScope, SinkError } from '@kollect/core';
import {
  showText,
  type EventChannel,
  type HeldClient,
  type OperationScope,
  type OutgoingEvent,
  type SendEventOptions,
} from '@kollect/core/authoring';
import { readHead } from '../jetstream/head.ts';
import type { StreamState, StreamStates } from '../jetstream/stream-state.ts';
import type { NatsClient } from '../nats-client.ts';
import type { ResolvedNatsSpec } from '../nats-spec.ts';
import { failureKind, jetStreamCode } from '../wire/failure.ts';
import { publicationOf, type Publication } from './messages.ts';
import { send } from './send.ts';
import { createSlots } from './slots.ts';
import { formatSubject } from './subject.ts';

const duplicateInBatch = 10201;
const lostRaces: ReadonlySet<number | undefined> = new Set([10071, 10164, duplicateInBatch]);
/** The stream is gone or another one, takes smaller messages than before, or no batches any more. */
const changes: ReadonlySet<number | undefined> = new Set([10054, 10059, 10060, 10174]);
const mostInBatch = 1000;
/** A stream has fifty open at most. */
const batchesAtOnce = 16;

export interface StreamChannelOptions {
  readonly spec: ResolvedNatsSpec;
  readonly clients: HeldClient<NatsClient>;
  readonly streams: StreamStates;
}

/** A stream as a channel of events: the fence is the sequence of the last message of the subject, which JetStream compares itself. */
export function createStreamChannel({ spec, clients, streams }: StreamChannelOptions): EventChannel {
  const batches = createSlots(batchesAtOnce);

  /** Works with the stream as it was found, and once more where it is another by now. */
  const onStream = async <T>(operation: OperationScope, work: (state: StreamState) => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work(await streams.known(operation));
      } catch (error) {
        operation.throwIfEnded();
        if (!lostRaces.has(jetStreamCode(error))) streams.forget();
        if (tries > 1 || !hasChangedBy(error)) throw error;
      }
    }
  };
  const publish = async (
    event: OutgoingEvent,
    { after, conflicts, operation }: SendEventOptions,
    state: StreamState,
  ) => {
    const publication = publicationOf(event, spec, state.maxMessageBytes);
    refuseParts(event, publication, state, spec);
    const { atomic } = state;
    const options = {
      scope: operation,
      stream: spec.stream,
      expected: after?.version ?? '0',
      round: conflicts,
      atomic,
    };
    const work = () => clients.use(operation, (client) => send(publication, { client, ...options }));
    return publication.total > 1 && atomic ? batches.run(operation, work) : work();
  };

  return {
    head: (inventory, operation) =>
      onStream(operation, () =>
        clients.use(operation, (client) => readHead(client, spec.stream, formatSubject(inventory, spec.subjectPrefix))),
      ),
    send: async (event, options) => {
      try {
        const { sequence, duplicate } = await onStream(options.operation, (state) => publish(event, options, state));
        if (duplicate) return { outcome: 'conflict' };
        return { outcome: 'sent', version: sequence, reference: `${spec.stream}/${sequence}` };
      } catch (error) {
        options.operation.throwIfEnded();
        if (lostRaces.has(jetStreamCode(error))) return { outcome: 'conflict' };
        throw error;
      }
    },
  };
}

/** True where the stream is not what it was when it was looked at; nobody answers where no stream takes the subject any more. */
function hasChangedBy(error: unknown): boolean {
  return changes.has(jetStreamCode(error)) || ['no-responders', 'payload'].includes(String(failureKind(error)));
}

/** What the stream would not keep whole. */
function refuseParts(
  { inventory }: OutgoingEvent,
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
