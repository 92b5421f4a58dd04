import { promisify } from 'node:util';
import { gzip, zstdCompress } from 'node:zlib';
import type { EventMessage, MessageShape, OutgoingEvent } from '@kollect/core/authoring';
import type { NatsMessage } from '../wire/message-writer.ts';
import type { ResolvedNatsSpec } from '../nats-spec.ts';
import { headerBytes } from '../wire/headers.ts';
import { formatSubject } from './subject.ts';

/** What one operation publishes. */
export interface Publication {
  readonly subject: string;
  /** The same for the same content at the same time, whoever publishes it: what `Nats-Msg-Id` begins with. */
  readonly identity: string;
  readonly total: number;
  /** Takes the place of what the subject held. */
  readonly rollsUp: boolean;
  readonly messages: () => Iterable<EventMessage>;
  /** Made one after another, as they are sent. */
  readonly encode: (message: EventMessage) => EncodedMessage | Promise<EncodedMessage>;
}

type EncodedMessage = Required<NatsMessage>;

type MessageSpec = Pick<ResolvedNatsSpec, 'subjectPrefix' | 'stream' | 'compression' | 'retain'>;

/** The messages of an event. PAYLOAD_TOO_LARGE where an item fits into no message. */
export function publicationOf(event: OutgoingEvent, spec: MessageSpec, maxMessageBytes: number): Publication {
  const subject = formatSubject(event.inventory, spec.subjectPrefix);
  const { total, messages } = event.messages({
    maxMessageBytes,
    messageBytes: (shape) => messageBytes(shape, spec.stream),
  });
  return {
    subject,
    identity: event.id(subject),
    total,
    rollsUp: spec.retain === 'latest' && event.complete,
    messages,
    encode: ({ value, headers }) => {
      const body = value ?? new Uint8Array();
      const { compression } = spec;
      if (value === null || compression === 'none') return { subject, headers: [headers], body };
      return compressors[compression](body).then((compressed) => ({
        subject,
        headers: [headers, { 'content-encoding': compression }],
        body: compressed,
      }));
    },
  };
}

const compressors = { gzip: promisify(gzip), zstd: promisify(zstdCompress) };

/** The longest of what the sink adds when it sends a message. */
const added = headerBytes({
  'Nats-Msg-Id': 'x'.repeat(80),
  'Nats-Expected-Stream': '',
  'Nats-Expected-Last-Subject-Sequence': String(Number.MAX_SAFE_INTEGER),
  'Nats-Batch-Id': 'x'.repeat(32),
  'Nats-Batch-Sequence': '1000',
  'Nats-Batch-Commit': '1',
  'Nats-Rollup': 'sub',
  'content-encoding': 'gzip',
});

function messageBytes({ valueBytes, headers }: MessageShape, stream: string): number {
  return headerBytes(headers) + added + stream.length + (valueBytes ?? 0);
}
