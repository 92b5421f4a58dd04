import { formatScope, SinkError, type Scope, type SinkOperation } from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import { protocolCodeIn } from './kafka-errors.ts';
import type { ResolvedKafkaSpec } from './kafka-spec.ts';

const topicGoneCodes: ReadonlySet<number | undefined> = new Set([3, 17, 100, 103]);

interface OverQuota {
  readonly operation: SinkOperation;
  readonly doing: string;
  readonly waitMs: number;
}

export function overQuota({ operation, doing, waitMs }: OverQuota): SinkError {
  return new SinkError(
    'OVERLOADED',
    `The user or client is over its quota: a broker let it wait too long while ${doing}.`,
    {
      sinkType: 'kafka',
      operation,
      retryAfterMs: Math.max(0, Math.round(waitMs)),
      remedy: 'Raise the quota, or export less often.',
    },
  );
}

export function isTopicGone(error: unknown): boolean {
  return topicGoneCodes.has(protocolCodeIn(error));
}

/** Compaction keeps the last message of a key, which of a document in parts is a part. */
export function needsParts(
  scope: Scope,
  total: number,
  { topic, maxMessageBytes }: Pick<ResolvedKafkaSpec, 'topic' | 'maxMessageBytes'>,
): SinkError {
  return new SinkError(
    'PAYLOAD_TOO_LARGE',
    `Inventory ${formatScope(scope)} needs ${total} messages of at most ${maxMessageBytes} bytes, and topic ${showText(topic)} is compacted, which would keep only the last: ` +
      'raise spec.kafka.maxMessageBytes with max.message.bytes of the topic, or set cleanup.policy to delete.',
    { sinkType: 'kafka' },
  );
}
