// What any sink needs, once: for the authors of sinks.
export {
  createOperations,
  type OperationLimits,
  type Operations,
  type OperationsOptions,
} from './operations/operations.ts';
export type { Classify, OperationScope, StepLimits } from './operations/operation-scope.ts';
export { createEnding, type Ending, type OwnedEnding } from './operations/ending.ts';
export {
  createHeldClient,
  type ClientLease,
  type HeldClient,
  type HeldClientOptions,
} from './operations/held-client.ts';

// A connection test: what was tried, found, and what to do about it.
export {
  createConnectionTest,
  type ConnectionTest,
  type ConnectionTestOptions,
  type TestStep,
  type TlsStep,
} from './connection-test/connection-test.ts';
export { tryServers, type ServerAttempt } from './connection-test/connection-steps.ts';
export type { Finding } from './connection-test/finding.ts';
export type { Remedies } from './connection-test/remedies.ts';

// Documents: fence, carried items, tombstones, plan and counts over a store that can compare and swap one file.
export { createDocumentSink, type DocumentSink, type DocumentSinkOptions } from './documents/document-sink.ts';
export type {
  CommitResult,
  DocumentCommit,
  DocumentFile,
  DocumentStore,
  StoredFile,
} from './documents/document-store.ts';
export {
  keySegment,
  partedDocumentLayout,
  scopePath,
  singleDocumentLayout,
  type DocumentLayout,
  type LayoutOptions,
  type PartPlace,
} from './documents/document-layout.ts';

// Events: a fence, plan and counts over a channel; what a message of a snapshot is, and what was published.
export { createEventSink, type EventSink, type EventSinkOptions } from './events/event-sink.ts';
export type {
  EventChannel,
  MessageLimits,
  OutgoingEvent,
  SendEventOptions,
  SendEventResult,
} from './events/event-channel.ts';
export { readEventState, type EventHead, type EventState } from './events/event-head.ts';
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
export { showFieldName, showText, showValue } from '../contract/errors/show-value.ts';
export { requirePrintable, unprintablePart } from '../contract/errors/printable.ts';
export { snapshotOrigin } from '../contract/snapshot/snapshot-origin.ts';
export { incompleteTargetTest } from '../contract/snapshot/incomplete-targets.ts';
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
  objectWith,
  oneOf,
  required,
  someText,
  type OptionKind,
  type OptionKinds,
  type OptionSubject,
} from '../contract/errors/check-options.ts';

export { createSchemaReader } from '../registry/validation.ts';
export { durationPattern } from '../registry/duration.ts';

// What went wrong, in the codes of SinkError.
export {
  createClassifier,
  type Circumstances,
  type Classifier,
  type ClassifierOptions,
  type ErrorReading,
  type FaultRule,
} from './faults/classifier.ts';
export { errorChain, errorFields, type ErrorFields } from '../connection/faults/error-chain.ts';
export type { Fault } from '../connection/faults/fault.ts';
export { httpFault, type HttpAnswer, type HttpHeaders } from './faults/http-fault.ts';
export {
  capital,
  describeNetworkFault,
  networkFault,
  type NetworkFault,
  type NetworkFaultKind,
  type NetworkWords,
} from '../connection/faults/network-fault.ts';

// Where a server is, how it is spoken to, and as whom.
export {
  formatServerAddress,
  parseHost,
  parsePort,
  parseServerAddress,
  type Parsed,
  type ServerAddress,
  type ServerAddressOptions,
} from './server-address.ts';
export { tenantDenials } from '../connection/tenant-egress.ts';
export {
  certificateExpiry,
  type CertificateExpiry,
  type CertificateExpiryOptions,
} from './connection-test/certificate-expiry.ts';
export {
  checkCredentials,
  checkLogin,
  readLogin,
  type Login,
  type LoginForm,
  type LoginOptions,
} from './login/login.ts';
export { tlsOptions, type SinkTls, type TlsOptionsInput } from './login/tls-options.ts';
export { tlsSpecProblems, tlsSpecSchema, type TlsMode, type TlsSpec } from './login/tls-spec.ts';
export { boundedDuration, type DurationBounds } from './duration-bounds.ts';

// Over HTTP, through egress.
export { createHttpAgent, type HttpAgent, type HttpAgentOptions } from './http/http-agent.ts';
export type { HttpDispatcher } from './http/http-dispatcher.ts';
export { readBody, type ReadBodyOptions } from './http/read-body.ts';
