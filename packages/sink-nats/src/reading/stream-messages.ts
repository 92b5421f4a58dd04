import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import {
  formatMessageKey,
  readSnapshots as readEvents,
  type IncomingMessage,
  type InventoryEvent,
  type ReadSnapshotsOptions,
} from '@kollect/core';
import { natsBinding } from '@kollect/core/authoring';
import { parseSubject } from '../publishing/subject.ts';

/** A consumed message: what a consumer of `@nats-io/jetstream` hands out has this shape. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: { keys(): string[]; get(name: string): string } | undefined;
  /** Of the message in its stream. */
  readonly seq: number;
  readonly info?: { readonly stream: string };
  ack?(): void;
}

const defaultMaxBytes = 128 * 1024 * 1024;

/**
 * The consumer's half: what the messages of a stream say, in their order; parts are joined, duplicates and damage told. A message is
 * acknowledged when the event that it led to, and all before it, were handled: when the next one is asked for. Rejects only where `messages` does.
 */
export async function* readSnapshots(
  messages: AsyncIterable<NatsMessage> | Iterable<NatsMessage>,
  options: Omit<ReadSnapshotsOptions, 'binding'> = {},
): AsyncGenerator<InventoryEvent, void, undefined> {
  const waiting: NatsMessage[] = [];
  const maxBytes = options.maxValueBytes ?? defaultMaxBytes;
  const incoming = async function* (): AsyncGenerator<IncomingMessage, void, undefined> {
    for await (const message of messages) {
      waiting.push(message);
      yield await incomingMessage(message, maxBytes);
    }
  };
  for await (const event of readEvents(incoming(), { ...options, binding: natsBinding })) {
    yield event;
    const { committable } = event;
    if (committable === undefined) continue;
    const handled = waiting.findIndex(({ seq }) => BigInt(seq) >= committable.offset);
    for (const message of waiting.splice(0, handled === -1 ? waiting.length : handled)) message.ack?.();
  }
}

async function incomingMessage(
  { subject, data, headers, seq, info }: NatsMessage,
  maxBytes: number,
): Promise<IncomingMessage> {
  const scope = parseSubject(subject);
  const named = Object.fromEntries((headers?.keys() ?? []).map((name) => [name, headers?.get(name)]));
  const isRemoval = data.byteLength === 0 && named[natsBinding.names.removedAt] !== undefined;
  return {
    key: scope === undefined ? '' : formatMessageKey(scope),
    value: isRemoval ? null : await decompressed(data, named['content-encoding'], maxBytes),
    headers: named,
    topic: info?.stream,
    offset: seq,
  };
}

const gunzipped = promisify(gunzip);
const unzstd = promisify(zstdDecompress);

/** What cannot be read stays as it is, and is told as damage. */
async function decompressed(
  data: Uint8Array,
  encoding: string | undefined,
  maxOutputLength: number,
): Promise<Uint8Array> {
  try {
    if (encoding === 'gzip') return await gunzipped(data, { maxOutputLength });
    return encoding === 'zstd' ? await unzstd(data, { maxOutputLength }) : data;
  } catch {
    return data;
  }
}
