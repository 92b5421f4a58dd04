import type { SinkError } from '@kollect/core';
import type { OperationScope } from '@kollect/core/authoring';
import type { KafkaRecord } from '../kafka-client.ts';
import type { TopicState } from './topic-state.ts';

/** The messages of one export, or of one removal. */
export interface Publication {
  readonly scope: OperationScope;
  /** Of all its messages: says in which partition they belong, however many there are. */
  readonly key: Uint8Array;
  /** One message shares a request with those of others; several have the partition alone until the last was acknowledged. */
  readonly total: number;
  /** Made one after another, when it is their turn: parts of a large snapshot are never in memory together. */
  readonly records: () => Iterable<KafkaRecord>;
  /** Why the topic, as it is at its turn, cannot take it; undefined where it can. */
  readonly refusal: (topic: TopicState) => SinkError | undefined;
  /** False where the store got a newer one while this one waited for its turn: then nothing is sent. */
  readonly isCurrent: () => boolean;
  /** Called as soon as the broker acknowledged all of it, also where nobody waits any more, and before anything else has its turn. */
  readonly onAcknowledged: () => void;
}

/** Messages on their way. */
export interface Delivery {
  /** Resolves when the broker acknowledged them. */
  readonly done: Promise<void>;
  /** Nobody waits any more: ends it now, at the cost of its client. */
  giveUp(): void;
}
