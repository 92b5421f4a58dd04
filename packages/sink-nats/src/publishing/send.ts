import { randomBytes } from 'node:crypto';
import type { OperationScope } from '@kollect/core/authoring';
import { answerOf, countOf } from '../jetstream/api.ts';
import type { NatsClient } from '../nats-client.ts';
import { natsFailure } from '../wire/failure.ts';
import type { NatsMessage } from '../wire/message-writer.ts';
import type { Publication } from './messages.ts';

export interface SendOptions {
  readonly client: NatsClient;
  readonly scope: OperationScope;
  readonly stream: string;
  /** Of the last message of the subject, 0 for none: JetStream refuses ours where that is another by now. */
  readonly expected: string;
  /** Part of the ids: what others of the same publication were taken for is no longer in the stream. */
  readonly round: number;
  readonly atomic: boolean;
}

interface Ack {
  readonly sequence: string;
  /** JetStream remembers the message from before; that does not mean that it still holds it. */
  readonly duplicate: boolean;
}

/** Publishes all messages: as one batch where there are several and the stream takes batches, else one after the other. Resolves to the last one's answer. */
export async function send(publication: Publication, options: SendOptions): Promise<Ack> {
  const { client, scope, stream, atomic, round } = options;
  const { identity, total, rollsUp } = publication;
  const batch = atomic && total > 1 ? randomBytes(16).toString('hex') : undefined;
  let last: Ack = { sequence: options.expected, duplicate: false };
  let part = 0;
  for (const each of publication.messages()) {
    const message = await publication.encode(each);
    scope.throwIfEnded();
    const [isFirst, isLast] = [part === 0, part === total - 1];
    const fence = { 'Nats-Expected-Last-Subject-Sequence': last.sequence };
    const headers = {
      'Nats-Msg-Id': `${identity}.${part}.${round}`,
      'Nats-Expected-Stream': stream,
      ...(batch === undefined || isFirst ? fence : {}),
      ...(rollsUp && isFirst ? { 'Nats-Rollup': 'sub' } : {}),
      ...(batch === undefined ? {} : { 'Nats-Batch-Id': batch, 'Nats-Batch-Sequence': String(part + 1) }),
      ...(batch !== undefined && isLast ? { 'Nats-Batch-Commit': '1' } : {}),
    };
    const own = { ...message, headers: [...message.headers, headers] };
    if (batch === undefined || isLast) {
      last = await publishAcknowledged(client, own, stream);
      // What follows would be fenced by a message that is not the last one of its subject.
      if (last.duplicate) break;
    } else {
      // The first one is answered where the stream takes no batch of it; the others are not before the last.
      await (isFirst ? openBatch(client, own) : client.publish(own));
    }
    part += 1;
  }
  return last;
}

async function publishAcknowledged(client: NatsClient, message: NatsMessage, stream: string): Promise<Ack> {
  const answer = answerOf(await client.request(message));
  const sequence = countOf(answer['seq']);
  // A plain subscriber that answers is no stream.
  if (sequence === undefined || answer['stream'] !== stream) throw natsFailure('no-responders');
  return { sequence: String(sequence), duplicate: answer['duplicate'] === true };
}

async function openBatch(client: NatsClient, message: NatsMessage): Promise<void> {
  const answer = await client.request(message);
  if (answer.body.length > 0) answerOf(answer);
}
