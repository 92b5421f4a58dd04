import type { EventChannel, EventMessage, OutgoingEvent, SendEventOptions } from '@kollect/core/authoring';
import type { KafkaRecord } from '../kafka-client.ts';
import type { ResolvedKafkaSpec } from '../kafka-spec.ts';
import { isTopicGone, needsParts } from '../kafka-refusals.ts';
import type { Publisher } from './publisher.ts';
import { shapeSize } from './record-size.ts';
import type { TopicStates } from './topic-state.ts';

export interface TopicChannelOptions {
  readonly spec: Pick<ResolvedKafkaSpec, 'topic' | 'maxMessageBytes'>;
  readonly topics: TopicStates;
  readonly publisher: Publisher;
}

/** A topic as a channel of events, which nobody can ask for the last one: an event is sent where this process sent no newer one before its turn. */
export function createTopicChannel({ spec, topics, publisher }: TopicChannelOptions): EventChannel {
  const publish = async (
    event: OutgoingEvent,
    { operation, isCurrent, onSent }: SendEventOptions,
  ): Promise<number | undefined> => {
    const { inventory } = event;
    const key = Buffer.from(event.key);
    const { total, messages } = event.messages({ maxMessageBytes: spec.maxMessageBytes, messageBytes: shapeSize });
    return publisher.publish({
      scope: operation,
      key,
      total,
      records: () => recordsOf(messages(), key),
      refusal: ({ compacted }) => (total > 1 && compacted === true ? needsParts(inventory, total, spec) : undefined),
      isCurrent,
      onAcknowledged: onSent,
    });
  };
  return {
    send: async (event, options) => {
      const partition = await publish(event, options).catch((error: unknown) => {
        if (!isTopicGone(error)) throw error;
        // Nothing was written: the topic is gone, or it was made anew with other partitions. What it is now counts.
        topics.forget();
        return publish(event, options);
      });
      if (partition === undefined) return { outcome: 'conflict' };
      return { outcome: 'sent', reference: `${spec.topic}/${partition}` };
    },
  };
}

/** Made one after another, as they are asked for. */
export function* recordsOf(messages: Iterable<EventMessage>, key: Uint8Array): Iterable<KafkaRecord> {
  for (const { value, headers, timestamp } of messages) yield { key, value, headers, timestamp };
}
