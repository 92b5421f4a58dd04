// For operators: announce snapshots on a stream.
export { natsSink } from './nats-sink.ts';
export { natsSpecSchema, type NatsSpec } from './nats-spec-schema.ts';

// For consumers of the stream: what a message is, and how to read it back.
export { formatSubject, parseSubject } from './publishing/subject.ts';
export { readSnapshots, type NatsMessage } from './reading/stream-messages.ts';
export type {
  InventoryEvent,
  MessagePosition,
  ReadSnapshotsOptions,
  RemovedEvent,
  SkippedEvent,
  SkipReason,
  SnapshotEvent,
} from '@kollect/core';
