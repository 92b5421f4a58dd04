import { afterAll, afterEach } from '@jest/globals';
import type { KollectSink } from '@kollect/core';
import type { KafkaClientFactory } from '@kollect/sink-kafka';
import { sinkOver, type TestSinkOptions } from './sink.ts';
import { openTestTopic, type TestTopic, type TestTopicOptions } from '../support/kafka.ts';

export interface Topics {
  /** The name of a fresh topic that is removed after the last test. */
  make(options?: TestTopicOptions): Promise<string>;
  /** A sink that is closed after the test. */
  open(options: TestSinkOptions): KollectSink;
}

/** Gives a group of tests topics, and sinks on them that use the client. */
export function useTopics(client: KafkaClientFactory): Topics {
  const topics: TestTopic[] = [];
  let sinks: KollectSink[] = [];
  afterEach(async () => {
    await Promise.all(sinks.map((sink) => sink.close()));
    sinks = [];
  });
  afterAll(() => Promise.all(topics.map((topic) => topic.drop())));
  return {
    async make(options) {
      const topic = await openTestTopic(options);
      topics.push(topic);
      return topic.name;
    },
    open(options) {
      const sink = sinkOver(client, options);
      sinks.push(sink);
      return sink;
    },
  };
}
