import type { InventorySnapshot } from '@kollect/core';
import { natsBinding } from '@kollect/core/authoring';
import type { NatsClient } from '../nats-client.ts';
import { completeHeader } from '../publishing/messages.ts';
import { jetStreamCode, natsFailure } from '../wire/failure.ts';
import { decodeHeaders } from '../wire/headers.ts';
import { askJetStream, countOf, fieldsOf } from './api.ts';

/** The last message of a subject: the fence of its scope. */
export interface Head {
  /** 0 where there is none. */
  readonly sequence: number;
  /** Milliseconds since 1970; undefined where there is no message, or none of ours. */
  readonly time?: number;
  readonly checksum?: string;
  readonly generation?: number;
  readonly complete: boolean;
  /** False where it is a part and others should follow. */
  readonly whole: boolean;
  readonly removed: boolean;
  readonly messageId?: string;
}

export const noHead: Head = Object.freeze({ sequence: 0, complete: false, whole: false, removed: false });

const noMessage = 10037;
const { names } = natsBinding;

/** Reads it at the leader of the stream: a follower may not know the last one yet. */
export async function readHead(client: NatsClient, stream: string, subject: string): Promise<Head> {
  try {
    const answer = await askJetStream(client, `STREAM.MSG.GET.${stream}`, { last_by_subj: subject });
    const { seq, hdrs, subject: found } = fieldsOf(answer['message']);
    const sequence = countOf(seq);
    if (sequence === undefined || found !== subject) throw natsFailure('no-nats');
    return headOf(sequence, typeof hdrs === 'string' ? Buffer.from(hdrs, 'base64') : new Uint8Array());
  } catch (error) {
    if (jetStreamCode(error) === noMessage) return noHead;
    throw error;
  }
}

/** What the headers of a message say; nothing of what is no header of ours. */
export function headOf(sequence: number, headers: Uint8Array): Head {
  const { get } = decodeHeaders(headers);
  const removedAt = timeOf(get(names.removedAt));
  const time = removedAt ?? timeOf(get(names.exportedAt));
  const [checksum, messageId] = [get(names.checksum), get('Nats-Msg-Id')];
  const [index, total, generation] = [names.partIndex, names.partTotal, names.generation].map((name) =>
    numberOf(get(name)),
  );
  return {
    sequence,
    ...(time === undefined ? {} : { time }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(generation === undefined ? {} : { generation }),
    complete: get(completeHeader) === undefined,
    whole: index === undefined ? total === undefined : index + 1 === total,
    removed: removedAt !== undefined,
    ...(messageId === undefined ? {} : { messageId }),
  };
}

/** Whether the head is newer than the time; equal is not newer. */
export function isOlder(time: string, head: Head): boolean {
  return head.time !== undefined && Date.parse(time) < head.time;
}

/** Whether the subject ends with what the snapshot says. Two incomplete ones are the same where they are of one time. */
export function holds(head: Head, { checksum, generation, incompleteTargets, exportedAt }: InventorySnapshot): boolean {
  const complete = incompleteTargets.length === 0;
  return (
    head.whole &&
    !head.removed &&
    head.checksum === checksum &&
    head.generation === generation &&
    head.complete === complete &&
    (complete || head.time === Date.parse(exportedAt))
  );
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : undefined;
}
