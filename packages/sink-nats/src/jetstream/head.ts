import { natsBinding, readEventState, type EventHead } from '@kollect/core/authoring';
import type { NatsClient } from '../nats-client.ts';
import { jetStreamCode, natsFailure } from '../wire/failure.ts';
import { decodeHeaders } from '../wire/headers.ts';
import { askJetStream, countOf, fieldsOf } from './api.ts';

const noMessage = 10037;

/** The last message of a subject, which is the fence of its scope. Read at the leader of the stream: a follower may not know it yet. */
export async function readHead(client: NatsClient, stream: string, subject: string): Promise<EventHead | undefined> {
  try {
    const answer = await askJetStream(client, `STREAM.MSG.GET.${stream}`, { last_by_subj: subject });
    const { seq, hdrs, subject: found } = fieldsOf(answer['message']);
    const sequence = countOf(seq);
    if (sequence === undefined || found !== subject) throw natsFailure('no-nats');
    const { get } = decodeHeaders(typeof hdrs === 'string' ? Buffer.from(hdrs, 'base64') : new Uint8Array());
    return { version: String(sequence), ...readEventState(get, natsBinding) };
  } catch (error) {
    if (jetStreamCode(error) === noMessage) return undefined;
    throw error;
  }
}
