import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip, zstdCompress } from 'node:zlib';
import type { InventorySnapshot, Scope } from '@kollect/core';
import {
  natsBinding,
  removalMessage,
  snapshotMessages,
  type EventMessage,
  type MessageShape,
} from '@kollect/core/authoring';
import type { NatsMessage } from '../nats-client.ts';
import type { ResolvedNatsSpec } from '../nats-spec.ts';
import { headerBytes } from '../wire/headers.ts';
import { formatSubject } from './subject.ts';

/** Says `false` where the listing of some targets was cut short, and is absent otherwise. */
export const completeHeader = 'kollect.dev/complete';

/** What one operation publishes. */
export interface Publication {
  readonly subject: string;
  /** The same for the same content at the same time, whoever publishes it: what `Nats-Msg-Id` begins with. */
  readonly identity: string;
  readonly total: number;
  /** Takes the place of what the subject held. */
  readonly rollsUp: boolean;
  /** Made one after another, as they are sent. */
  messages(): AsyncIterable<NatsMessage & { readonly body: Uint8Array; readonly rawBytes: number }>;
}

type MessageSpec = Pick<ResolvedNatsSpec, 'subjectPrefix' | 'stream' | 'format' | 'headers' | 'compression' | 'retain'>;

/** What announces the snapshot. PAYLOAD_TOO_LARGE where an item fits into no message. */
export function snapshotPublication(
  snapshot: InventorySnapshot,
  spec: MessageSpec,
  maxMessageBytes: number,
): Publication {
  const complete = snapshot.incompleteTargets.length === 0;
  const { total, messages } = snapshotMessages(snapshot, {
    ...common(spec),
    headers: { ...spec.headers, ...(complete ? {} : { [completeHeader]: 'false' }) },
    maxMessageBytes,
    messageBytes: (shape) => messageBytes(shape, spec.stream),
  });
  const { exportedAt, checksum, generation, incompleteTargets } = snapshot;
  return publication(snapshot, spec, {
    identity: [exportedAt, checksum, generation, ...incompleteTargets],
    total,
    rollsUp: spec.retain === 'latest' && complete,
    messages,
  });
}

/** What says that an inventory is no more: a message without a body. */
export function removalPublication(scope: Scope, spec: MessageSpec, removedAt: string): Publication {
  const message = removalMessage(scope, { ...common(spec), headers: spec.headers, removedAt });
  return publication(scope, spec, {
    identity: ['removed', message.timestamp],
    total: 1,
    rollsUp: spec.retain === 'latest',
    messages: () => [message],
  });
}

const common = ({ format }: MessageSpec) => ({ binding: natsBinding, sinkType: 'nats', format }) as const;

interface Content extends Pick<Publication, 'total' | 'rollsUp'> {
  readonly identity: readonly (string | number)[];
  readonly messages: () => Iterable<EventMessage>;
}

function publication(scope: Scope, spec: MessageSpec, { identity, messages, ...rest }: Content): Publication {
  const subject = formatSubject(scope, spec.subjectPrefix);
  return {
    ...rest,
    subject,
    identity: createHash('sha256')
      .update(JSON.stringify([subject, ...identity]))
      .digest('hex'),
    async *messages() {
      for (const { value, headers } of messages()) {
        const raw = value ?? new Uint8Array();
        const encoding = value === null || spec.compression === 'none' ? undefined : spec.compression;
        yield {
          subject,
          headers: { ...headers, ...(encoding === undefined ? {} : { 'content-encoding': encoding }) },
          body: encoding === undefined ? raw : await compressors[encoding](raw),
          rawBytes: raw.byteLength,
        };
      }
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
