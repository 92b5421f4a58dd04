// What any sink needs, once: for the authors of sinks.
export { createOperations, type OperationLimits, type Operations, type OperationsOptions } from './operations.ts';
export type { Classify, OperationScope, StepLimits } from './operation-scope.ts';
export { formatServerAddress, type ServerAddress } from './server-address.ts';

// A connection test: what was tried, found, and what to do about it.
export {
  createConnectionTest,
  type ConnectionTest,
  type ConnectionTestOptions,
  type TestStep,
  type TlsStep,
} from './connection-test.ts';
export type { Finding } from './finding.ts';
export type { Remedies } from './remedies.ts';

// Events: what a message of a snapshot is, and what was published.
export { httpBinding, kafkaBinding, natsBinding, type EventBinding, type HeaderNames } from './events/event-binding.ts';
export {
  removalMessage,
  snapshotMessages,
  type EventFormat,
  type EventMessage,
  type EventMessageOptions,
  type MessageShape,
  type SnapshotMessageOptions,
  type SnapshotMessages,
} from './events/event-messages.ts';
export type { MessageHeaders } from './events/message-headers.ts';
export { createPublishedTimes, type PublishedTimes } from './events/published-times.ts';
export { showText, showValue } from '../contract/show-value.ts';
export { requirePrintable } from '../contract/printable.ts';
export {
  aBoolean,
  aCount,
  aFunction,
  anObject,
  anyValue,
  aPositiveNumber,
  aSignal,
  aText,
  checkOptions,
  either,
  listOf,
  required,
  someText,
  type OptionKind,
  type OptionKinds,
  type OptionSubject,
} from '../contract/check-options.ts';
